"""``coinlog alerts``, and alerts of the commands that record, by the real program."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmc_server import CMCServer, error_reply
from market import LISTINGS, answer_all
from program import read_until, run, run_here, run_json_here, running
from receivers import SECRET, Receiver
from waiting import until

RULES = "[recorder]\nfailing = true\n[[price]]\nasset = 1\nabove = 50\n"


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def told(
    source: CMCServer, receiver: Receiver, own_world: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Set an environment with rules, a source and an address; return the file of rules."""
    file = own_world / "data" / "alerts.toml"
    file.parent.mkdir()
    file.write_text(RULES)
    monkeypatch.setenv("COINLOG_CMC_URL", source.url)
    monkeypatch.setenv("COINLOG_ALERT_URLS", receiver.url)
    return file


def test_recording_once_tells_what_it_found_once(
    told: Path, source: CMCServer, receiver: Receiver
) -> None:
    del told
    source.on(LISTINGS, error_reply(401, 1001, "This API Key is invalid."))
    assert run_here("record").returncode == 1
    assert [subject.split(" failed: ")[1] for subject in receiver.subjects] == ["wrong_key"]

    answer_all(source, at=time.time())
    assert run_here("record").returncode == 0
    assert run_here("record").returncode == run_here("load").returncode == 0
    assert [subject.split()[1] for subject in sorted(receiver.subjects)] == [
        "Asset",
        "recording",
        "slot",
    ]


def test_up_tells_in_the_background(told: Path, receiver: Receiver) -> None:
    del told
    receiver.go_on.clear()
    with running("up", "--no-page") as process:
        read_until(process, "next slot")
        until(lambda: receiver.asked, "the message to be on its way")
        receiver.go_on.set()
        until(lambda: receiver.subjects, "the message")
    assert "is above 50 USD: 100.5 USD" in receiver.subjects[0]
    assert process.returncode == 0


def test_a_file_that_cannot_be_used_keeps_nobody_from_recording(
    told: Path, receiver: Receiver
) -> None:
    told.write_text("[recorder]\nfaling = true\n")
    done = run_here("record")

    assert done.returncode == 0
    assert "line 2: 'faling' is no key: did you mean failing?" in done.stderr.replace("\n", " ")
    assert receiver.subjects == []
    assert run_here("alerts", "check").returncode == 2


@pytest.mark.parametrize(
    "rules",
    [
        'urls_file = "~nobody-of-that-name/x"\n',
        f"[[price]]\nasset = 1\nabove = 1{'0' * 310}\n",
        f"[[price]]\nasset = 1\nabove = 1{'0' * 5000}\n",
    ],
)
def test_whatever_is_wrong_with_the_file_is_told_and_records_on(told: Path, rules: str) -> None:
    told.write_text(rules)
    done = run_here("record")

    assert done.returncode == 0
    assert "alerts: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_of_ours_in_alerts_keeps_nobody_from_recording(
    told: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made up for a test")

    del told
    monkeypatch.setattr("coinlog.cli.bells.read_alerts", fail)

    assert run_here("record").returncode == 0
    assert "alerts cannot be looked after" in caplog.text


def test_one_address_that_cannot_be_used_silences_no_other_and_is_told_once(
    told: Path, source: CMCServer, receiver: Receiver
) -> None:
    told.write_text(f'urls_file = "none.txt"\n{RULES}')
    source.on(LISTINGS, error_reply(401, 1001, "This API Key is invalid."))
    for _ in range(2):
        done = run_here("record", COINLOG_ALERT_URLS=f"jsn://{SECRET} {receiver.url}")
        assert SECRET not in done.stderr
    titles = sorted(receiver.subjects)

    assert titles[0].endswith("failed: wrong_key")
    assert titles[1:] == ["coinlog: some addresses of alerts cannot be used"]
    [body] = [one["message"] for one in receiver.messages if "addresses" in one["title"]]
    assert "COINLOG_ALERT_URLS: address 1 (jsn://…) cannot be used" in body
    assert "none.txt, which cannot be read" in body
    assert SECRET not in body
    assert run_here("alerts", "check", COINLOG_ALERT_URLS=f"jsn://{SECRET}").returncode == 2


def test_files_that_are_too_large_are_refused_and_not_cut_off(told: Path, own_world: Path) -> None:
    urls = own_world / "data" / "urls.txt"
    urls.write_text("# a remark\n" * 6000 + "json://127.0.0.1/x\n")
    told.write_text(f'urls_file = "urls.txt"\n{RULES}')
    assert "expected 65,536 letters at most" in _said("alerts", "check")
    told.write_text(RULES + "# a remark\n" * 100_000)
    assert "expected 1,000,000 bytes at most" in _said("alerts", "check")


def _said(*command: str) -> str:
    done = run_here(*command)
    assert done.returncode == 2
    return " ".join(done.stderr.split())


def test_check_says_in_words_what_is_watched_and_where_it_goes(told: Path) -> None:
    run_here("record")
    said = run_here("alerts", "check").stdout
    told.write_text(RULES.replace("[recorder]\nfailing = true\n", ""))
    assert "1 rule\n" in run_here("alerts", "check").stdout
    assert "the price of asset 1 above 50 USD; over when it is back by 1 % (Asset 1 now)" in said
    assert "address 1, JSON at 127.0.0.1" in said
    assert SECRET not in said

    told.write_text('[[change]]\nasset = 7\npercent = -10\nwindow = "1h"\n')
    facts = run_json_here("alerts", "check", COINLOG_ALERT_URLS="")
    look = "look the id up: it is the number in the address of the asset's page"
    lacks = "nothing is recorded of asset 7"
    records = f"{lacks}: COINLOG_ASSETS=top:200+id:7 records it, if there is one; {look}"
    assert facts["notes"] == [
        "messages go nowhere: put addresses into COINLOG_ALERT_URLS",
        records,
        "a change in 1h is never known: slots are 6h apart",
    ]
    assert run_json_here("alerts", "dry-run")["notes"] == [records]
    assert records in " ".join(run_here("alerts", "dry-run").stdout.split())
    [still] = run_json_here("alerts", "check", COINLOG_ASSETS="id:7", COINLOG_INTERVAL="1h")[
        "notes"
    ]
    assert still == f"{lacks}, though it is to be: where that stays so after the next slot, {look}"


def test_check_says_what_rules_would_not_see(told: Path) -> None:
    told.write_text("".join(f"[[rank]]\nasset = {number}\nworse_than = 200\n" for number in (7, 1)))
    always = "COINLOG_ASSETS=top:200+id:8,7 records it always"
    assert run_json_here("alerts", "check", COINLOG_ASSETS="top:200+id:8")["notes"] == [
        f"asset 7 is not recorded below rank 200, so this cannot work; {always}",
    ]
    told.write_text("[[price]]\nasset = 7\nbelow = 1\n")
    always = "COINLOG_ASSETS=top:200+id:7 records it always"
    [note] = run_json_here("alerts", "check")["notes"]
    assert note == f"asset 7 is not recorded while it is below rank 200; {always}"


def test_try_tells_which_address_took_it(told: Path, receiver: Receiver, own_world: Path) -> None:
    urls = own_world / "data" / "urls.txt"
    with Receiver() as down:
        down.stop()
        urls.write_text(f"# mine\n{down.url}\n")
        told.write_text(f'urls_file = "urls.txt"\n{RULES}')
        done = run_here("alerts", "try")

    assert done.returncode == 1
    assert "✓ address 1, JSON at 127.0.0.1, took it" in done.stdout
    why = "did not take the message (the connection was refused)"
    assert f"✗ address 1, JSON at 127.0.0.1, {why}" in " ".join(done.stdout.split())
    assert receiver.subjects == ["coinlog: this is a try"]
    assert receiver.messages[0]["type"] == "info"
    assert SECRET not in done.stdout + done.stderr


def test_addresses_come_from_a_file_of_several_lines(
    told: Path, receiver: Receiver, own_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del told
    with Receiver() as other:
        file = own_world / "secret-urls"
        file.write_text(f"{receiver.url}\n# another\n{other.url}\n")
        monkeypatch.delenv("COINLOG_ALERT_URLS")
        done = run_here("alerts", "try", COINLOG_ALERT_URLS_FILE=str(file))
        assert done.returncode == 0, done.stderr
        assert receiver.subjects == other.subjects == ["coinlog: this is a try"]

    odd = run_here("alerts", "try", COINLOG_ALERT_URLS="canary-url x")
    assert odd.returncode == 2
    assert "number 1 is no address" in odd.stderr
    assert "canary" not in odd.stderr


def test_init_writes_an_example_once_and_it_can_be_used(own_world: Path) -> None:
    assert run_here("alerts", "init").returncode == 0
    again = run_here("alerts", "init")
    assert again.returncode == 2
    assert "is there already, and stays as it is" in again.stderr
    printed = run_here("alerts", "init", "--print").stdout
    assert printed == (own_world / "data" / "alerts.toml").read_text()
    assert run_here("alerts", "check").returncode == 0
    assert not (own_world / "data" / "coinlog.db").exists()
    # It is the file of the real market too, so none is written for the made-up one alone.
    assert "No such option" in run_here("alerts", "init", "--simulated").stderr


def test_what_each_command_is_for_is_read_whole() -> None:
    assert "..." not in run_here("alerts", "--help").stdout.partition("Commands:")[2]


def test_a_dry_run_tells_what_would_have_been_told(told: Path, receiver: Receiver) -> None:
    run_here("record", COINLOG_ALERTS="none.toml")
    assert receiver.subjects == []
    facts = json.loads(run_here("alerts", "dry-run", "--json").stdout)
    [incident] = facts["incidents"]
    assert incident["headline"] == "Asset 1 (A1, id 1) is above 50 USD: 100.5 USD"
    assert incident["recovered"] is None
    said = run_here("alerts", "dry-run", "--from", "2020-01-01").stdout
    assert "1 slot, 1 incident" in said
    assert "goes on" in said
    assert run_here("alerts", "dry-run", "--to", "2020-01-01").stdout.startswith("0 slots")
    odd = run_here("alerts", "dry-run", "--from", "2026-11-20", "--to", "2026-11-01")
    assert odd.returncode == 2
    assert "--from 2026-11-20 is after --to 2026-11-01" in odd.stderr
    told.unlink()
    assert "`coinlog alerts init` writes an example" in run_here("alerts", "dry-run").stderr


def test_the_made_up_market_says_so_in_each_message(
    told: Path, receiver: Receiver, market: str
) -> None:
    told.write_text("[[price]]\nasset = 1\nabove = 1\n")
    done = run("record", "--simulated", COINLOG_CMC_URL=market)

    assert done.returncode == 0, done.stderr
    assert receiver.subjects[0].startswith("coinlog: SIMULATED Bitcoin (BTC, id 1) is above 1 USD")
    assert receiver.messages[0]["message"].startswith("SIMULATED market: none of this is real.")
