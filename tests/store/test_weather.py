"""A short storm of every kind of fault; the long one is ``make weather``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from market import LISTINGS, QUOTES
from weather.account import Account
from weather.catalogue import FAULTS, listed
from weather.docs import write_down
from weather.forecast import forecast
from weather.source import Source
from weather.truth import FIRST, STEP, failed, partial_by

TESTS = Path(__file__).parent.parent
MEMORY = Path("/dev/shm")  # noqa: S108  where there is one, no storm waits for the disk


def weather(*options: str) -> tuple[int, dict[str, Any], str]:
    """Run the machine; return its exit code, what it says and everything it printed."""
    place = {"TMPDIR": str(MEMORY)} if MEMORY.is_dir() else {}
    done = subprocess.run(
        [sys.executable, "-m", "weather", "--json", *options],
        env={**os.environ, **place, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize(("store", "faults"), [("sqlite", 0), ("mariadb", 8)])
def test_no_fault_loses_doubles_or_tears_a_slot_or_hides_its_reason(
    store: str, faults: int
) -> None:
    # No faults asked for: each kind once.
    code, told, printed = weather("--store", store, "--seed", "6", "--faults", str(faults))
    lines = told["stores"][store]["lines"]

    assert (code, told["clean"]) == (0, True), printed
    assert sum(line["times"] for line in lines) >= (faults or 30)


@pytest.mark.parametrize(
    ("store", "there_alone"),
    [
        ("sqlite", "a price altered in a store that went"),
        ("mariadb", "a trouble that nobody met"),
    ],
)
def test_the_machine_notices_every_promise_that_is_broken(store: str, there_alone: str) -> None:
    code, told, printed = weather("--store", store, "--seed", "1", "--sabotage", "--faults", "0")
    noticed = {
        line["fault"]: {name for name in ("lost", "doubled", "torn", "untrue") if line[name]}
        for line in told["stores"][store]["lines"]
    }

    assert (code, noticed) == (
        1,
        {
            "a quote taken away": {"torn"},
            "a slot taken away": {"lost"},
            "quotes without a row in the ledger": {"lost", "untrue"},
            "a part taken away": {"untrue"},
            "a price altered by one bit": {"untrue"},
            "another moment in the ledger": {"untrue"},
            "another reason in the ledger": {"untrue"},
            "other words in the ledger": {"untrue"},
            "another reason for a part": {"untrue"},
            "a reason that nobody allows": {"untrue"},
            "a credit too many": {"untrue"},
            "an attempt too many": {"doubled"},
            "the source asked twice": {"doubled"},
            "the source asked twice for quotes": {"doubled"},
            "an answer in the archive cut short": {"lost"},
            "an attempt left unsettled": {"doubled", "lost", "untrue"},
            "a reason forgotten": {"lost"},
            "a fault that hits nothing": {"untrue"},
            "a good row overwritten, as its file broke": {"untrue"},
            there_alone: {"untrue"},
            "fair weather": set(),
            "at the end": {"torn", "untrue"},
        },
    ), printed


def test_the_docs_tell_of_every_fault() -> None:
    page = (TESTS.parent / "docs" / "weather.md").read_text(encoding="utf-8")

    assert listed() in page, "put what `python -m weather --list` prints into docs/weather.md"


@pytest.mark.parametrize("store", ["sqlite", "mariadb"])
def test_a_seed_is_a_storm_with_every_fault_and_no_slot_left_out(store: str) -> None:
    storm = forecast(FAULTS, store, 200, seed=7)
    slots = [slot for stroke in storm for slot in (*stroke.fair, *stroke.slots)]

    assert storm == forecast(FAULTS, store, 200, seed=7)
    assert storm != forecast(FAULTS, store, 200, seed=8)
    assert {one.fault.name for one in storm} == {
        fault.name for fault in FAULTS if store in fault.stores
    }
    assert slots == [*range(FIRST, FIRST + len(slots) * STEP, STEP)]


def test_a_storms_table_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    page, account = tmp_path / "weather.md", Account()
    account.line("recorder killed").times = 2
    before = "# Storms\n\n### SQLite: 1 fault\n\nold\n\n### MariaDB: 1 fault\n\nold\n"
    page.write_text(before, encoding="utf-8")
    (tmp_path / "empty.md").touch()
    for kind in ("sqlite", "mariadb"):
        write_down(page, kind, account, again=f"make {kind}", took=90)
    written = page.read_text(encoding="utf-8")

    assert re.findall("^#.*", written, re.MULTILINE) == [
        "# Storms",
        "### SQLite: 2 faults",
        "### MariaDB: 2 faults",
    ]
    assert "old" not in written
    assert written.count("| recorder killed | 2 | 0 |") == 2
    with pytest.raises(ValueError, match="0 sections"):
        write_down(tmp_path / "empty.md", "sqlite", account, again="", took=0)


def test_the_source_is_never_twice_at_one_moment(tmp_path: Path) -> None:
    source = Source(tmp_path / "asked.log")
    with httpx.Client(trust_env=False) as client:
        for number in range(4):
            source.moment(FIRST, FIRST + 5)
            client.get(source.url + LISTINGS)
            client.get(source.url + QUOTES, params={"id": "1"})
            if number == 1:
                source.kill()
                source.start()
    asked = source.asked()
    source.kill()

    assert [one.at for one in asked] == [FIRST + 6 + number // 2 for number in range(8)]
    assert len({one.sha256 for one in asked}) == len(asked)


def test_no_words_are_forgotten_where_two_truths_are_joined() -> None:
    slow = failed("timeout").saying("deadline of") | partial_by("timeout")

    assert (slow.said, slow.lacking) == ("deadline of", None)
    assert slow.reasons == {"timeout"}
    with pytest.raises(ValueError, match="never be looked for"):
        partial_by("timeout") | failed("timeout").saying("deadline of")
