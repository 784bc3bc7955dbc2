"""A timeline that is cut out of the whole one, on every kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from coinlog.slots import HOUR
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from coinlog.timeline import ALWAYS, Timeline, Window, part_of, read_timeline
from samples import SLOT, STEP, settlement, snapshot

NOW = SLOT + HOUR
MISSED, FAILED = SLOT - 3 * STEP, SLOT - 2 * STEP
FIRST = SLOT - 5 * STEP


@pytest.fixture
def reader(store_url: sa.URL) -> Iterator[Reader]:
    """Return a reader of six slots: one of them missed, one failed."""
    engine = open_engine(store_url)
    migrate(engine)
    for slot in range(FIRST, SLOT + 1, STEP):
        if slot != MISSED:
            found = None if slot == FAILED else snapshot(observed_at=slot + 12)
            settle(engine, settlement(slot, found=found), slot + 20)
    yield Reader(engine)
    engine.dispose()


def told(timeline: Timeline) -> tuple[object, ...]:
    """Return what a timeline says of the slots of its window."""
    over, failed = timeline.over, timeline.failed
    reasons = [failed.get(slot) for slot in over]
    observed_at = [timeline.observed_at.get(slot) for slot in over]
    return over, timeline.over_observed_at, reasons, observed_at, timeline.widest_step


@pytest.mark.parametrize("start", [0, FIRST, FIRST + 1, MISSED, FAILED + 1, SLOT, NOW])
@pytest.mark.parametrize("end", [FIRST - 1, MISSED, FAILED + HOUR, SLOT, NOW, NOW + STEP])
def test_a_part_of_the_whole_says_what_would_have_been_read(
    reader: Reader, start: int, end: int
) -> None:
    head, window = read_head(reader), Window(start, end)
    whole = read_timeline(reader, head, ALWAYS, NOW)

    part, alone = part_of(whole, window), read_timeline(reader, head, window, NOW)

    assert part.window == alone.window == window
    assert told(part) == told(alone)
