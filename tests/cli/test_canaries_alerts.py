"""The addresses of alerts are secrets: nothing that is told holds one, or a token of one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from canaries import PASSWORD, WORD, seen
from coinlog.cli.lines import lines
from coinlog.settings import load_settings

ADDRESS = f"json://user:{WORD}@127.0.0.1:9/{quote(PASSWORD, safe='')}"


@pytest.fixture
def told() -> Iterator[None]:
    lines.follow(load_settings({"COINLOG_ALERT_URLS": ADDRESS}, None))
    yield
    lines.follow(load_settings({}, None))


@pytest.mark.usefixtures("told")
def test_no_line_holds_an_alerts_address_or_its_tokens() -> None:
    said = f"POST {ADDRESS} failed: {WORD} at /{PASSWORD}, /{quote(PASSWORD, safe='')}"

    assert seen(said) != []
    assert seen(str(lines.clean(said))) == []
    assert seen(lines.line("log", "error", {"message": said})) == []
