"""The functions: each event leads to one snapshot, and no failure is silent."""

from __future__ import annotations

import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, slot_name
from coinlog.aws import capture, load, record
from coinlog.slots import iso
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from lambdas import Context


def ledger(url: sa.URL) -> list[tuple[int, str]]:
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT slot, outcome FROM slot ORDER BY slot"))
        found = [(int(row.slot), str(row.outcome)) for row in rows]
    engine.dispose()
    return found


def prepared(url: sa.URL) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


def test_a_slot_goes_from_the_schedule_into_the_database(
    functions: sa.URL, archive: Archive, now_slot: int
) -> None:
    prepared(functions)
    captured = capture.handler({"scheduled_time": iso(now_slot)}, Context())
    assert (captured["slot"], captured["outcome"]) == (iso(now_slot), "stored")
    assert archive.attempts() == [AttemptKey(now_slot, "1")]

    loaded = load.handler({}, Context())
    assert loaded["stored"] == [iso(now_slot)]
    assert ledger(functions) == [(now_slot, "stored")]
    assert list(archive.objects.paths("loaded/")) == [f"loaded/{slot_name(now_slot)}"]


def test_the_combined_function_records_and_makes_its_tables(
    functions: sa.URL, now_slot: int
) -> None:
    recorded = record.handler({}, Context())

    assert (recorded["outcome"], recorded["stored"]) == ("stored", [iso(now_slot)])
    assert ledger(functions) == [(now_slot, "stored")]
