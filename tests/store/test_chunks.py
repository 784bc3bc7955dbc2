"""The files of months: joined they are the whole series; days next to pandas, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import pandas as pd
import pytest
import sqlalchemy as sa

from coinlog.chunks.assets import absolute, months_recorded
from coinlog.chunks.files import read_file
from coinlog.chunks.names import Month, month_of, months_between, parse
from coinlog.chunks.record import Record, is_complete
from coinlog.gaps import Gap
from coinlog.market import Missing, Reason, SourceKind
from coinlog.series import read_series
from coinlog.slots import DAY, Schedule
from coinlog.store import schema
from coinlog.store.candles import read_candles
from coinlog.store.engine import open_engine
from coinlog.store.ledger import Head, read_head, read_page
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.writer import note_schedule, settle
from coinlog.timeline import Window, read_timeline
from histories import Values, eventful, history, put_history
from samples import HOUR, SLOT, STEP, asset, settlement, snapshot

FIELDS = ("price", "market_cap", "volume_24h", "circulating_supply", "rank")
JANUARY = Month(2026, 1)
BUILD = "test"


def record_at(reader: Reader, now: float) -> Record:
    head = read_head(reader)
    timeline = lambda window: read_timeline(reader, head, window, now)  # noqa: E731
    return Record(reader, head, now, timeline)


@pytest.fixture
def reader(store_url: sa.URL) -> Iterator[Reader]:
    """Return a reader of a store that a test fills."""
    reader = Reader(open_engine(store_url, read_only=True))
    yield reader
    reader.engine.dispose()


def read(record: Record, path: str) -> Any:  # noqa: ANN401  whatever the file holds
    named = parse(path)
    assert named is not None, path
    body = read_file(record, named, BUILD)
    return None if body is None else json.loads(body)


def whole(record: Record, asset_id: int) -> dict[str, Any]:
    """Return an asset's whole history as ``series.py`` tells it."""
    window = Window(0, record.end)
    series = read_series(record.reader, record.timeline(window), record.now, asset_id, FIELDS)
    return {
        "slots": series.slots,
        "observed_at": series.observed_at,
        "backfilled": [origin == "backfilled" for origin in series.origins],
        "gaps": series.gaps,
        **series.fields,
    }


def joined(files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the files of months as one history, put together as a reader of them would."""
    found: dict[str, Any] = {name: [] for name in ("slots", "observed_at", "backfilled", *FIELDS)}
    gaps: list[Gap] = []
    for file in files:
        slots = absolute(file["slots"])
        found["slots"] += slots
        found["observed_at"] += [
            slot + late for slot, late in zip(slots, file["observed_at"], strict=True)
        ]
        found["backfilled"] += [
            any(start <= place < end for start, end in file["backfilled"])
            for place in range(len(slots))
        ]
        for name in FIELDS:
            found[name] += file.get(name, [None] * len(slots))
        for start, end, reason in file["gaps"]:
            if gaps and gaps[-1].end == start and gaps[-1].reason == reason:
                start = gaps.pop().start  # noqa: PLW2901  one gap, cut between two files
            gaps.append(Gap(start, end, reason))
    return {**found, "gaps": gaps}


def check_history(record: Record, asset_id: int) -> None:
    span = months_recorded(record, asset_id)
    assert span is not None
    months = list(months_between(*span))
    files = [read(record, f"assets/{asset_id}/{month.name}.json") for month in months]
    wanted = whole(record, asset_id)
    start, end = months[0].start, months[-1].end
    wanted["gaps"] = [
        Gap(max(gap.start, start), min(gap.end, end), gap.reason)
        for gap in wanted["gaps"]
        if gap.start < end and gap.end > start
    ]

    assert joined(files) == wanted
    beyond = (month_of(start - 1), months[-1].following)
    assert [read(record, f"assets/{asset_id}/{month.name}.json") for month in beyond] == [None] * 2
    for month, file in zip(months, files, strict=True):
        assert (file["id"], file["month"], file["sampled"]) == (asset_id, month.name, False)
        assert all(month.start <= slot < month.end for slot in absolute(file["slots"]))
        assert file["complete"] == is_complete(record.head, month, record.now)


def test_joined_months_are_the_whole_series_with_its_gaps(
    store_url: sa.URL, reader: Reader
) -> None:
    put_history(store_url, *eventful(500))
    record = record_at(reader, SLOT + HOUR)

    for asset_id in range(1, 6):
        check_history(record, asset_id)


def test_months_of_other_schedules_and_of_none(store_url: sa.URL, reader: Reader) -> None:
    """Hours from the middle of a month on; backfilled days before, with a hole over its end."""
    first = SLOT - 60 * STEP
    changed = first + 20 * STEP
    slots = [*range(first, changed, STEP), *range(changed, SLOT, HOUR)]
    lost = set(range(changed + 30 * HOUR, changed + 50 * HOUR, HOUR))
    stored = [slot for slot in slots if slot not in lost]
    days = [first - DAY * back for back in (*range(1, 30), *range(40, 160))]
    late: Values = {"origin": "backfilled", "resolution": DAY}
    rows = [
        *history(days, lambda slot: {**late, "last_updated": slot - 5}),
        *history(stored, lambda slot: {"price": slot / 7}),
    ]
    put_history(store_url, {1: rows}, dict.fromkeys(stored, "stored"))
    engine = open_engine(store_url)
    with engine.begin() as connection:
        connection.execute(
            schema.schedule.insert(),
            {
                "from_slot": changed,
                "interval_seconds": HOUR,
                "assets": "top:2",
                "source": SourceKind.COINMARKETCAP.value,
            },
        )
    engine.dispose()

    for now in (SLOT + HOUR, SLOT + 3 * DAY):
        record = record_at(reader, now)
        check_history(record, 1)
        reasons = {gap.reason for gap in whole(record, 1)["gaps"]}
        assert {"missed", "not_due"} <= reasons


def test_a_month_without_a_point_has_a_file_and_one_outside_has_none(
    store_url: sa.URL, reader: Reader
) -> None:
    slots = [SLOT - 70 * DAY, SLOT]
    due = range(SLOT - 70 * DAY, SLOT + 1, STEP)
    put_history(store_url, {1: history(slots, lambda _: {})}, dict.fromkeys(due, "stored"))
    record = record_at(reader, SLOT + HOUR)

    check_history(record, 1)
    december = read(record, "assets/1/2025-12.json")
    days = read(record, "assets/1/2025-12.days.json")

    whole_month = [Month(2025, 12).start, Month(2025, 12).end, "not_listed"]
    assert (december["slots"], december["price"]) == ([], [])
    assert (december["gaps"], december["complete"]) == ([whole_month], True)
    assert "market_cap" not in december
    assert days["days"] == {
        name: [] for name in ("start", "open", "high", "low", "close", "points")
    }
    for path in ("assets/1/2025-10.json", "assets/1/2026-02.json", "assets/2/2026-01.json"):
        assert read(record, path) is None


def test_a_month_is_complete_when_the_grace_of_its_last_slot_is_past(
    store_url: sa.URL, reader: Reader
) -> None:
    last = JANUARY.end - STEP
    put_history(store_url, {1: history([last], lambda _: {})}, {last: "stored"})
    grace = STEP // 10

    for now, complete in ((last + grace - 1, False), (last + grace, True)):
        record = record_at(reader, now)
        for path in ("assets/1/2026-01.json", "assets/1/2026-01.days.json", "log/2026-01.json"):
            assert read(record, path)["complete"] is complete


def test_a_point_observed_in_the_future_is_not_shown_yet(store_url: sa.URL, reader: Reader) -> None:
    put_history(store_url, {1: history([SLOT - STEP, SLOT], lambda _: {})}, {SLOT: "stored"})

    early, later = (
        [
            absolute(read(record_at(reader, SLOT + seconds), f"assets/1/2026-01{kind}")["slots"])
            for kind in (".json", ".days.json")
        ]
        for seconds in (5, 15)
    )

    assert early == [[SLOT - STEP]] * 2
    assert later == [[SLOT - STEP, SLOT]] * 2


def five_minutes() -> tuple[list[Values], dict[int, str]]:
    """Return some days of an asset every half hour, with holes, ties and unknown values."""
    rows = eventful(500)[0][1]
    slots = [JANUARY.start + number * HOUR // 2 for number in range(48 * 9) if number % 31 > 2]
    taken = [slot for slot in slots if not 3 < (slot - JANUARY.start) // DAY < 5]
    few = taken[-1] + 5 * HOUR
    values = dict(zip([*taken, few], rows * 2, strict=False))
    thin = ("price", "market_cap", "rank")
    found = history(values, lambda slot: {name: values[slot][name] for name in thin})
    for row in found:
        row["resolution"] = HOUR // 2
    return found, {**dict.fromkeys(values, "stored"), SLOT: "stored"}


def by_pandas(rows: Sequence[Values], gaps: Sequence[Sequence[Any]]) -> list[int]:
    """Return the slots that stay of each day: worked out anew."""
    frame = pd.DataFrame(rows).set_index("slot")
    kept: set[int] = set()
    for _, day in frame.groupby(frame.index // DAY):
        if len(day) <= 4:
            kept |= set(day.index)
            continue
        kept |= {day.index[0], day.index[-1]}
        for name in ("price", "market_cap", "volume_24h"):
            known = day[name].dropna().astype(float)
            if len(known):
                values = known.to_numpy()
                kept |= {known.index[int(place)] for place in (values.argmin(), values.argmax())}
    for start, _, _ in gaps:
        before, after = frame.index[frame.index < start], frame.index[frame.index >= start]
        kept |= {*before[-1:], *after[:1]}
    return sorted(map(int, kept))


def test_days_are_what_pandas_finds(store_url: sa.URL, reader: Reader) -> None:
    rows, ledger = five_minutes()
    put_history(store_url, {1: rows}, ledger)
    record = record_at(reader, SLOT + HOUR)
    every = read(record, "assets/1/2026-01.json")

    found = read(record, "assets/1/2026-01.days.json")

    slots = absolute(found["slots"])
    assert slots == by_pandas(rows, every["gaps"])
    assert found["sampled"] is True
    assert len(slots) < len(rows) / 2
    real = {row["slot"]: row for row in rows}
    for name in ("price", "market_cap", "rank"):
        assert found[name] == [real[slot][name] for slot in slots]
    assert found["gaps"] == every["gaps"]
    check_candles(record, rows, found["days"])


def test_the_newest_month_has_its_days_in_it_while_slots_are_rare(
    store_url: sa.URL, reader: Reader
) -> None:
    put_history(store_url, *eventful(500))
    record = record_at(reader, SLOT + HOUR)
    latest = read(record, "latest.json")
    newest, before = (read(record, f"assets/1/{name}.json") for name in ("2026-01", "2025-12"))
    apart = read(record, "assets/1/2026-01.days.json")

    assert latest["whole_month"] == "2026-01"
    assert newest == apart
    assert newest["days"]["points"]
    assert "days" not in before


def test_a_month_of_many_slots_a_day_has_its_days_apart(store_url: sa.URL, reader: Reader) -> None:
    rows, ledger = five_minutes()
    put_history(store_url, {1: rows}, ledger)
    engine = open_engine(store_url)
    note_schedule(engine, SLOT, HOUR // 2, "top:2")
    engine.dispose()
    record = record_at(reader, SLOT + HOUR)

    assert read(record, "latest.json")["whole_month"] is None
    assert "days" not in read(record, "assets/1/2026-01.json")


def check_candles(record: Record, rows: Sequence[Values], days: Mapping[str, Any]) -> None:
    """Check the days' candles against pandas, and against those that the API answers with."""
    times = pd.to_datetime([row["slot"] for row in rows], unit="s")
    groups = pd.Series([row["price"] for row in rows], index=times).resample("D")
    wanted = groups.ohlc()[groups.count() > 0]
    columns = ("open", "high", "low", "close", "points")
    found = list(zip(absolute(days["start"]), *(days[name] for name in columns), strict=True))

    assert [int(day.timestamp()) for day in wanted.index] == absolute(days["start"])
    for name in columns[:-1]:
        assert days[name] == wanted[name].tolist()
    told = read_candles(record.reader, 1, JANUARY.start, JANUARY.end - 1, "1d")
    assert found == [
        (one.start, one.open, one.high, one.low, one.close, one.points) for one in told
    ]


def test_a_year_is_its_days_joined_once_it_is_over(store_url: sa.URL, reader: Reader) -> None:
    put_history(store_url, *eventful(500))
    record = record_at(reader, SLOT + HOUR)

    for asset_id in (1, 2, 4):
        found = read(record, f"assets/{asset_id}/2025.json")
        months = [read(record, f"assets/{asset_id}/{m.name}.days.json") for m in months_2025()]
        months = [month for month in months if month]
        assert (found["year"], found["complete"]) == (2025, True)
        assert joined([found]) == joined(months)
        starts = [start for month in months for start in absolute(month["days"]["start"])]
        assert absolute(found["days"]["start"]) == starts
        closes = [close for month in months for close in month["days"]["close"]]
        assert found["days"]["close"] == closes
    assert [read(record, f"assets/1/{year}.json") for year in (2024, 2026)] == [None, None]


def months_2025() -> list[Month]:
    return [Month(2025, number) for number in range(1, 13)]


def test_the_log_has_every_due_slot_with_its_outcome(store_url: sa.URL, reader: Reader) -> None:
    put_history(store_url, *eventful(500))
    record = record_at(reader, SLOT + DAY)

    rows = {row.slot: row for row in read_page(reader, record.head, record.now, limit=10_000)}
    told: dict[int, tuple[str, str | None]] = {}
    for month in months_between(month_of(min(rows)), month_of(record.now)):
        file = read(record, f"log/{month.name}.json")
        reasons = file["reasons"]
        for index, slot in enumerate(absolute(file["slots"])):
            told[slot] = file["outcomes"][index], reasons.get(str(index))

    names = {"s": "stored", "f": "failed", "m": "missed"}
    wanted = {
        slot: (row.outcome.value, row.reason if row.outcome == "failed" else None)
        for slot, row in rows.items()
    }
    assert {slot: (names[letter], why) for slot, (letter, why) in told.items()} == wanted
    assert {letter for letter, _ in told.values()} == set("sfm")
    assert read(record, "log/2026-02.json") is None


def test_totals_are_the_recorded_figures_of_each_slot(store_url: sa.URL, reader: Reader) -> None:
    engine = open_engine(store_url)
    migrate(engine)
    slots = [SLOT, SLOT + STEP, SLOT + 60 * DAY]
    with engine.begin() as connection:
        for table, values in (
            (schema.global_metrics, {"total_market_cap": 3e12 / 7, "bitcoin_dominance": 58.25}),
            (schema.fear_and_greed, {"value": 34.0, "classification": "Fear"}),
        ):
            connection.execute(table.insert(), [{"slot": slot, **values} for slot in slots[::2]])
        connection.execute(schema.global_metrics.insert(), {"slot": slots[1]})
    engine.dispose()
    record = record_at(reader, slots[-1] + HOUR)

    january, february, march = (read(record, f"totals/2026-0{month}.json") for month in (1, 2, 3))

    assert absolute(january["slots"]) == slots[:2]
    assert january["total_market_cap"] == [3e12 / 7, None]
    assert january["bitcoin_dominance"] == [58.25, None]
    assert january["fear_and_greed"] == [34.0, None]
    assert (february["slots"], absolute(march["slots"])) == ([], slots[2:])
    assert read(record, "totals/2026-04.json") is None


def test_the_market_of_a_slot_is_as_it_was_then(store_url: sa.URL, reader: Reader) -> None:
    engine = open_engine(store_url)
    migrate(engine)
    before = snapshot([1, 1027, 4687, 2790], price=2.5)
    lacking = Missing("asset 4687", Reason.NOT_ANSWERED, "no id 4687", 4687)
    after = msgspec.structs.replace(
        snapshot([1, 1027], price=3.5, missing=[lacking]),
        assets=(asset(1, "Bitcoin", "BTC"), asset(1027)),
    )
    for slot, found in ((SLOT - STEP, before), (SLOT, after)):
        settle(engine, settlement(slot, found=found), slot + 20)
    with engine.begin() as connection:
        fiat = schema.asset.update().where(schema.asset.c.id == 2790)
        connection.execute(fiat.values(is_fiat=True))
        ranked = schema.quote.update().where(schema.quote.c.slot == SLOT - STEP)
        connection.execute(ranked.where(schema.quote.c.asset_id == 4687).values(rank=1))
    engine.dispose()
    record = record_at(reader, SLOT + HOUR)

    then = read(record, f"slots/{SLOT - STEP}.json")
    newest = read(record, "market.json")

    assert then["assets"]["id"] == [4687, 1, 1027]
    assert then["assets"]["rank"] == [1, None, None]
    assert then["assets"]["name"] == ["Asset 4687", "Asset 1", "Asset 1027"]
    assert then["currencies"] == {"EUR": 2.5, "BTC": 2.5, "ETH": 2.5}
    assert (newest["slot"], newest["total"]) == (SLOT, 2)
    assert newest["assets"]["name"] == ["Bitcoin", "Asset 1027"]
    assert newest["currencies"] == {"BTC": 3.5, "ETH": 3.5}
    assert {**newest, "shared": []} == {**read(record, f"slots/{SLOT}.json"), "shared": []}
    assert read(record, f"slots/{SLOT - 1}.json") is None


def test_an_empty_store_has_no_months_and_an_empty_market(
    store_url: sa.URL, reader: Reader
) -> None:
    engine = open_engine(store_url)
    migrate(engine)
    engine.dispose()
    record = record_at(reader, SLOT)

    for path in ("assets/1/2026-01.json", "totals/2026-01.json", "log/2026-01.json"):
        assert read(record, path) is None
    assert read(record, "market.json")["assets"]["id"] == []
    assert read(record, "latest.json")["slot"] is None
    assert read(record, "latest.json")["build"] == BUILD


def test_a_schedule_decides_when_a_month_is_over() -> None:
    head = partial(_head, Schedule(SLOT, 24 * HOUR, "top:2", SourceKind.COINMARKETCAP))

    last = JANUARY.end - DAY
    assert [is_complete(head(), JANUARY, now) for now in (last, last + 24 * HOUR // 10)] == [
        False,
        True,
    ]
    assert [is_complete(_head(), JANUARY, JANUARY.end + late) for late in (-1, 0)] == [False, True]


def _head(*schedules: Schedule) -> Any:  # noqa: ANN401  a head of which nothing else is asked
    return Head(1, None, schedules, None, None, None)
