"""Thinning: what goes, what stays, and that it can be stopped anywhere, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from coinlog import thinning
from coinlog.errors import UsageError
from coinlog.sampling import Reading, read_thinned
from coinlog.slots import DAY, HOUR
from coinlog.store import schema
from coinlog.store.buckets import WEEK, bucket_start
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.thinned import Thinning, keep_of, kept, read_thinnings
from coinlog.thinning import Outlook, cut_at, look_ahead, parse_age, parse_keep, reapply, thin
from coinlog.timeline import Window, read_timeline
from histories import Values, eventful, history, put_history
from samples import SLOT, STEP

NOW = SLOT + HOUR
CUT = cut_at(NOW, 30 * DAY, DAY)


@pytest.fixture
def rows() -> dict[int, list[Values]]:
    return eventful(240)[0]


@pytest.fixture
def engine(store_url: sa.URL, rows: dict[int, list[Values]]) -> Iterator[sa.Engine]:
    """Return the store of an eventful history."""
    put_history(store_url, rows, eventful(240)[1])
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


def stored(engine: sa.Engine, table: sa.Table) -> list[dict[str, Any]]:
    query = sa.select(table).order_by(*table.primary_key)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def outlook(engine: sa.Engine, cut: int = CUT, keep: int = DAY) -> Outlook:
    return list(look_ahead(engine, cut, keep))[-1]


def wanted(rows: dict[int, list[Values]], cut: int, keep: int) -> list[Values]:
    """Return the quotes that stay, worked out one by one."""
    found = []
    for asset_id, some in sorted(rows.items()):
        old = [row for row in some if row["slot"] < cut and row is not some[-1]]
        # An observed quote comes before a backfilled one, then the first before the others.
        best = sorted(
            old, key=lambda row: (row["origin"] == "backfilled", row["slot"]), reverse=True
        )
        kept_slots = {bucket_start(row["slot"], keep): row["slot"] for row in best} if keep else {}
        for row in some:
            if row not in old:
                found.append({**row, "asset_id": asset_id})
            elif row["slot"] in kept_slots.values():
                resolution = max(row["resolution"], keep)
                found.append({**row, "asset_id": asset_id, "resolution": resolution})
    return found


@pytest.mark.parametrize("keep", [DAY, WEEK, 0])
@pytest.mark.parametrize("at_once", [20_000, 7])
def test_the_first_quote_of_each_bucket_stays_and_stands_for_it(
    engine: sa.Engine,
    rows: dict[int, list[Values]],
    keep: int,
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thinning, "QUOTES_AT_ONCE", at_once)
    cut = cut_at(NOW, 30 * DAY, keep)
    before = {table: stored(engine, table) for table in schema.metadata.sorted_tables}
    told = outlook(engine, cut, keep)

    dropped = list(thin(engine, cut, keep, NOW))

    assert stored(engine, schema.quote) == wanted(rows, cut, keep)
    assert (
        sum(dropped) == told.quotes == sum(map(len, rows.values())) - len(wanted(rows, cut, keep))
    )
    touched = (schema.quote, schema.thinning, schema.store)
    assert [t.name for t in before if t not in touched and stored(engine, t) != before[t]] == []
    assert stored(engine, schema.thinning) == [
        {"done_at": NOW, "older_than": cut, "keep_seconds": keep, "quotes": told.quotes}
    ]


def test_what_was_observed_stays_before_what_was_backfilled_around_it(store_url: sa.URL) -> None:
    day = SLOT // DAY * DAY - 60 * DAY
    seen = [day + STEP, day + 2 * STEP]
    told = history([day], lambda _: {"price": 2.0}, origin="backfilled")
    rows = [*told, *history([*seen, SLOT], lambda _: {})]
    put_history(store_url, {1: rows}, dict.fromkeys([*seen, SLOT], "stored"))
    engine = open_engine(store_url)

    list(thin(engine, CUT, DAY, NOW))

    left = [(row["slot"], row["origin"]) for row in stored(engine, schema.quote)]
    assert left == [(seen[0], "observed"), (SLOT, "observed")]
    engine.dispose()


def test_a_look_ahead_changes_nothing(engine: sa.Engine) -> None:
    before = stored(engine, schema.quote)

    told = outlook(engine)

    assert stored(engine, schema.quote) == before
    assert stored(engine, schema.thinning) == []
    assert told.quotes > 0
    assert told.kept > 0
    assert told.bytes >= told.quotes * 50
    assert told.slots == sum(
        row["slot"] < CUT and row["outcome"] == "stored" for row in stored(engine, schema.slot)
    )


def test_a_thinning_stopped_anywhere_goes_on_when_asked_for_again(
    engine: sa.Engine, rows: dict[int, list[Values]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "QUOTES_AT_ONCE", 20)
    for attempt in range(3):
        steps = thin(engine, CUT, DAY, NOW + attempt)
        for _ in range(3):
            next(steps)
        del steps
        with engine.connect() as connection:
            # Already while it goes on, whoever compares the store knows what may be gone.
            assert not kept(CUT - 1, read_thinnings(connection))

    list(thin(engine, CUT, DAY, NOW + 9))

    assert stored(engine, schema.quote) == wanted(rows, CUT, DAY)
    assert list(thin(engine, CUT, DAY, NOW + 9)) == []
    assert outlook(engine).quotes == 0


def test_each_step_is_a_new_version_of_the_store(engine: sa.Engine) -> None:
    reader = Reader(engine)
    version = reader.version()[0]

    steps = list(thin(engine, CUT, DAY, NOW))

    assert reader.version()[0] == version + 1 + len(steps)


def test_what_was_thinned_can_be_thinned_again_after_all_came_back(
    engine: sa.Engine, rows: dict[int, list[Values]]
) -> None:
    list(thin(engine, CUT, DAY, NOW))
    list(thin(engine, cut_at(NOW, 45 * DAY, WEEK), WEEK, NOW))
    left, written_down = stored(engine, schema.quote), stored(engine, schema.thinning)
    with engine.begin() as connection:
        connection.execute(schema.quote.delete())
        for asset_id, some in rows.items():
            lines = [{"asset_id": asset_id, **row} for row in some]
            connection.execute(schema.quote.insert(), lines)

    list(reapply(engine))

    assert stored(engine, schema.quote) == left
    assert stored(engine, schema.thinning) == written_down


def gaps_of(engine: sa.Engine, asset_id: int) -> list[tuple[int, int, str]]:
    reader = Reader(engine)
    head, window = read_head(reader), Window(0, SLOT)
    timeline = partial(read_timeline, reader, head, window, NOW)
    (series,) = read_thinned(
        Reading(reader, head, window, NOW, timeline), [asset_id], ["price"], 500
    )
    return [(gap.start, gap.end, gap.reason) for gap in series.gaps]


@pytest.mark.parametrize("keep", [DAY, 0])
def test_a_thinned_line_has_no_gap_that_it_did_not_have(store_url: sa.URL, keep: int) -> None:
    slots = [SLOT - STEP * back for back in range(200)]
    missed = slots[150:158]
    there = [slot for slot in slots if slot not in missed]
    rows = {1: history(there, lambda _: {}), 2: history(there[:20], lambda _: {})}
    put_history(store_url, rows, dict.fromkeys(there, "stored"))
    engine = open_engine(store_url)
    before = gaps_of(engine, 1)

    list(thin(engine, CUT, keep, NOW))

    assert [gap[1:] for gap in before] == [(missed[0] + STEP, "missed")]
    # The line goes on at the first quote kept after the gap.
    (start, end, reason), *more = gaps_of(engine, 1)
    assert (start, reason, more) == (missed[-1], "missed", [])
    assert end >= missed[0] + STEP
    engine.dispose()


def test_thinnings_are_told_with_the_store_and_by_slot(engine: sa.Engine) -> None:
    list(thin(engine, CUT, DAY, NOW))

    thinnings = read_head(Reader(engine)).thinnings

    assert [one.older_than for one in thinnings] == [CUT]
    assert [keep_of(slot, thinnings) for slot in (CUT - 1, CUT)] == [DAY, None]


def test_nothing_is_thinned_in_an_empty_store(store_url: sa.URL) -> None:
    engine = open_engine(store_url)
    migrate(engine)

    assert list(look_ahead(engine, CUT, DAY)) == []
    assert list(thin(engine, CUT, DAY, NOW)) == []
    engine.dispose()


def test_no_bucket_is_thinned_in_part() -> None:
    for keep in (HOUR, 6 * HOUR, DAY, WEEK):
        cut = cut_at(NOW, 400 * DAY, keep)

        assert bucket_start(cut, keep) == cut
        assert NOW - 400 * DAY - keep < cut <= NOW - 400 * DAY


@pytest.mark.parametrize(
    ("text", "seconds"), [("90d", 90 * DAY), ("26w", 182 * DAY), (" 1Y ", 365 * DAY)]
)
def test_ages_are_days_weeks_and_years(text: str, seconds: int) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("1d", DAY), ("6h", 6 * HOUR), ("1w", WEEK), ("7D", WEEK), ("None", 0)]
)
def test_what_is_kept_is_an_interval_a_week_or_nothing(text: str, seconds: int) -> None:
    assert parse_keep(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "d", "0d", "-1d", "1h", "1mo", "99999999d", "1d; DROP"])
def test_what_is_no_age_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(UsageError, match="for example 90d, 26w or 1y"):
        parse_age(text)


@pytest.mark.parametrize("text", ["", "0", "7h", "2w", "5d", "1mo", "nothing", "'"])
def test_what_cannot_be_kept_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(UsageError, match="1h or 1d, 1w, or none"):
        parse_keep(text)


def slots_kept(slots: Sequence[int], *thinnings: Thinning) -> list[int]:
    return [slot for slot in slots if kept(slot, thinnings)]


def test_without_a_thinning_every_quote_must_be_there() -> None:
    assert slots_kept([0, SLOT]) == [0, SLOT]
    assert slots_kept([CUT - 1, CUT], Thinning(NOW, CUT, DAY)) == [CUT]
