"""The guide to the console: what it names is there, and both languages say the same."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from coinlog.settings.table import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, SPANISH = ROOT / "docs" / "aws-by-hand.md", ROOT / "docs" / "es" / "aws-a-mano.md"

for_each_language = pytest.mark.parametrize("page", [ENGLISH, SPANISH], ids=["en", "es"])


def named(page: Path) -> list[str]:
    """Return what stands in a page as code, outside of its blocks."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return re.findall(r"`([^`]+)`", text)


def test_both_languages_name_the_same_things() -> None:
    assert sorted(named(ENGLISH)) == sorted(named(SPANISH))


@for_each_language
def test_files_handlers_and_settings_are_there(page: Path) -> None:
    names = named(page)
    files = [name for name in names if re.fullmatch(r"[\w/]+\.py", name)]
    handlers = {name for name in names if re.fullmatch(r"coinlog\.aws\.\w+\.handler", name)}
    settings = {name for name in names if re.fullmatch(r"(COINLOG|DB|COIN|CMC)_[A-Z_]+", name)}
    known = {name for setting in SETTINGS for name in setting.names}
    folders = (ROOT, ROOT / "infra" / "coinlog_infra")

    assert len(files) > 12
    assert [
        name for name in files if not any((folder / name).is_file() for folder in folders)
    ] == []
    assert len(handlers) == 3
    assert all(find_spec(name.removesuffix(".handler")) for name in handlers)
    assert settings <= known


@for_each_language
def test_the_database_is_never_opened_to_everybody(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    inbound = next(line for line in lines if line.startswith("| `coinlog-database`"))

    assert "/0" not in inbound
    assert "| **Public access** | **No** |" in lines
