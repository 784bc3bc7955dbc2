"""A short storm of every kind of fault; the long one is ``make weather``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from weather.catalogue import FAULTS, listed
from weather.forecast import forecast
from weather.truth import FIRST, STEP

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
