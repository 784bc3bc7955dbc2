"""The addresses of alerts are secrets: nothing that is told holds one, or a token of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from canaries import PASSWORD, WORD, seen
from coinlog.cli.bells import read_urls
from coinlog.cli.lines import lines
from coinlog.settings import load_settings
from program import run_here

ADDRESS = f"json://user:{WORD}@127.0.0.1:9/{quote(PASSWORD, safe='')}"


@pytest.fixture
def told() -> Iterator[None]:
    lines.follow(load_settings({"COINLOG_ALERT_URLS": ADDRESS}, None))
    yield
    lines.follow(load_settings({}, None))


def test_a_host_that_errors_name_is_told_and_one_that_may_be_a_token_is_not() -> None:
    mine, theirs = "address 1, JSON at alerts.example, said no", "discord://alerts.example/x"
    lines.follow(load_settings({"COINLOG_ALERT_URLS": f"jsons://u@alerts.example/{WORD}"}, None))
    assert str(lines.clean(mine)) == mine
    same = "json://alerts.example@alerts.example"
    lines.follow(load_settings({"COINLOG_ALERT_URLS": same}, None))
    assert "alerts.example" not in str(lines.clean(mine))
    lines.follow(load_settings({"COINLOG_ALERT_URLS": theirs}, None))
    assert "alerts.example" not in str(lines.clean(mine))
    lines.follow(load_settings({}, None))


@pytest.mark.usefixtures("told")
def test_no_line_holds_an_alerts_address_or_its_tokens() -> None:
    said = f"POST {ADDRESS} failed: {WORD} at /{PASSWORD}, /{quote(PASSWORD, safe='')}"

    assert seen(said) != []
    assert seen(str(lines.clean(said))) == []
    assert seen(lines.line("log", "error", {"message": said})) == []


def test_no_line_holds_a_token_that_was_left_in_brackets() -> None:
    lines.hide([f"tgram://[123456789:{WORD}]/42"])
    said = f"'123456789:{WORD}' does not appear to be an IPv4 or IPv6 address"

    assert seen(said) != []
    assert seen(str(lines.clean(said))) == []
    lines.follow(load_settings({}, None))


@pytest.mark.parametrize("held_by", ["setting", "file"])
@pytest.mark.parametrize(
    "address",
    [f"tgram://[123456789:{WORD}]/42", f"json://u:pa[{WORD}@h", f"json://{WORD}@ex\u2100mple.org"],
)
def test_an_address_that_cannot_be_read_is_refused_and_not_shown(
    own_world: Path, address: str, held_by: str
) -> None:
    folder = own_world / "data"
    folder.mkdir()
    (folder / "urls.txt").write_text(f"{address}\n")
    rules = 'urls_file = "urls.txt"\n' if held_by == "file" else ""
    (folder / "alerts.toml").write_text(f"{rules}[recorder]\nfailing = true\n")
    given = {"COINLOG_ALERT_URLS": address} if held_by == "setting" else {}
    for command in ("check", "try"):
        done = run_here("alerts", command, **given)
        said = done.stdout + done.stderr

        assert done.returncode == 2
        assert "address 1" in said
        assert "Traceback" not in said
        assert seen(said) == []


def test_addresses_of_a_file_are_hidden_too(own_world: Path) -> None:
    file = own_world / "urls.txt"
    file.write_text(ADDRESS)
    read_urls(file)

    assert seen(str(lines.clean(f"POST {ADDRESS} failed: {WORD}"))) == []
    lines.follow(load_settings({}, None))
