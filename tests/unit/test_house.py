"""The rules of the house that a machine can check: what the code may touch, import and name."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from coinlog.settings import docs

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "coinlog"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Each part may import itself and the parts named in the lines below its own.
LAYERS = (
    {"__main__"},
    {"cli", "library", "aws"},
    {"simulated_history", "publish", "backups"},
    {"parts", "web", "simulated", "scheduler", "replay", "verify", "export"},
    {"sampling", "chunks", "alerts"},
    {"recorder", "series", "move", "thinning", "asked", "quota"},
    {"capturing", "loading"},
    {"gaps"},
    {"backfill", "imports"},
    {"unkept"},
    {"ahead", "claims", "verdict", "timeline", "freshness", "telling"},
    {"settings", "store", "archive"},
    {"attempts", "objects"},
    {"sources"},
    {"slots"},
    {"extras"},
    {"errors", "notice", "watching"},
    {"market", "loopback"},
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# Written in pieces, so that this file does not name what it looks for.
HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com")
ELSEWHERE = ("/ro" + "ot/", "/wo" + "rk/", "deb" + ".debian.org", *HOSTS)


def ours() -> list[Path]:
    """Return every file of the repository, committed or about to be."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the parts of coinlog that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively: write coinlog.x"
            deeper = [f"coinlog.{alias.name}" for alias in node.names]
            names = deeper if node.module == "coinlog" else [node.module or ""]
        yield from (name.split(".")[1] for name in names if name.startswith("coinlog."))


def lines_with(pattern: str, files: list[Path]) -> list[str]:
    """Return every place where a pattern stands in files."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_the_environment_is_read_in_one_module() -> None:
    found = lines_with(r"\bos\.(environb?|getenv|putenv)\b|import environb?\b", SOURCES)

    assert {line.split(":")[0] for line in found} == {"src/coinlog/settings/load.py"}


def test_imports_run_one_way() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in SOURCES
        for name in imports(path)
        if part_of(path) != name and name in RANK and RANK[name] <= RANK.get(part_of(path), 0)
    ]

    assert wrong == []


def test_every_part_has_its_place_among_the_layers() -> None:
    assert {part_of(path) for path in SOURCES} - {"__init__"} == RANK.keys()


def test_all_but_the_commands_are_handed_values_instead_of_settings() -> None:
    readers = {part_of(path) for path in SOURCES if "settings" in set(imports(path))}

    assert readers <= {"aws", "cli", "library", "parts", "settings"}


def test_no_file_is_longer_than_300_lines() -> None:
    # By path: of several files with one name, each counts.
    long = {path: len(path.read_text().splitlines()) for path in SOURCES}

    assert {str(path): count for path, count in long.items() if count > 300} == {}


def test_no_test_sleeps() -> None:
    assert lines_with(r"\b(time|asyncio|anyio)[.]sleep[(]|import slee[p]\b", TESTS) == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]

    assert [str(path) for path in silent if path.read_text()] == []


def test_settings_page_is_equal_to_the_table() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert page == docs.page(), "run .venv/bin/python -m coinlog.settings.docs"


def test_nothing_names_a_registry_or_a_machine() -> None:
    texts = [path for path in ours() if path.suffix not in {".png", ".gz", ".ico", ".woff2"}]

    assert lines_with("|".join(map(re.escape, ELSEWHERE)), texts) == []


def test_every_requirement_is_pinned_with_its_hashes() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        pins = [line for line in lock.read_text().splitlines() if line and line[0] not in "# "]
        assert pins
        assert [pin for pin in pins if not re.match(r"[a-z0-9.\[\]_-]+==\S+ .*\\$", pin)] == []


def test_every_makefile_target_is_listed() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile.replace("\\\n", " "), re.MULTILINE)

    assert phony
    assert re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE) == phony[1].split()
