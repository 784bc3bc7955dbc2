"""Verifying and replaying what was backfilled: around what was observed, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backfills import put_asset_history, put_market_history, put_mood_history
from coinlog.errors import LossError
from coinlog.loading import sweep
from coinlog.move.digests import Digests, read_digests
from coinlog.replay import replay
from coinlog.store import schema
from coinlog.thinning import thin
from coinlog.verify.flow import verify
from coinlog.verify.notes import Verified
from coinlog.verify.sample import Sample
from market import Desk, put_attempt
from samples import HOUR, SLOT, STEP

DAY = 24 * HOUR


@pytest.fixture
def desk(store_url: sa.URL, tmp_path: Path) -> Iterator[Desk]:
    """Return a recorder whose store holds observed slots, and points backfilled around them."""
    desk = Desk(store_url, tmp_path / "archive", "")
    put_attempt(desk.archive, SLOT)
    load(desk)
    days = {SLOT + 7 * HOUR - day * DAY: 50.0 + day / 3 for day in range(1, 9)}
    finer = {SLOT + 100 - number * STEP: 70.0 + number / 7 for number in range(1, 12)}
    put_asset_history(desk.archive, 1, days, DAY)
    load(desk)
    put_asset_history(desk.archive, 1, finer, STEP)
    put_asset_history(desk.archive, 4687, days, DAY)
    put_market_history(desk.archive, days, DAY)
    put_mood_history(desk.archive, days, DAY)
    load(desk)
    # A slot among the backfilled points that comes late.
    put_attempt(desk.archive, SLOT - 3 * STEP)
    load(desk)
    yield desk
    desk.engine.dispose()


def load(desk: Desk) -> None:
    desk.now += 60
    list(sweep(desk.engine, desk.archive, clock=desk.clock))


def watch(_what: str, _total: int | None) -> nullcontext[Callable[[int], None]]:
    return nullcontext(lambda _steps: None)


def verified(desk: Desk, url: sa.URL, sample: Sample | None = None) -> Verified:
    return verify(url, desk.archive, watch, sample=sample, clock=desk.clock)


def rows_of(desk: Desk) -> Digests:
    return read_digests(desk.engine, leave_out=("stored_at", "settled_at", "version"))


def change(desk: Desk, table: sa.Table, **values: Any) -> None:  # noqa: ANN401  any column's
    """Change the newest backfilled row of a table."""
    newest = sa.select(sa.func.max(table.c.slot)).where(table.c.origin == "backfilled")
    with desk.engine.begin() as connection:
        slot = connection.execute(newest).scalar()
        here = (table.c.slot == slot) & (table.c.origin == "backfilled")
        connection.execute(table.update().where(here).values(**values))


def test_what_was_backfilled_is_equal_to_the_archive(desk: Desk, store_url: sa.URL) -> None:
    found = verified(desk, store_url)

    assert (found.first, found.differences) == ((), 0)
    origins = {row.origin for row in desk.rows(schema.quote)}
    assert origins == {"observed", "backfilled"}
    assert found.quotes == len(desk.rows(schema.quote))


def test_what_was_backfilled_replays_into_equal_rows(desk: Desk, store_url: sa.URL) -> None:
    recorded = rows_of(desk)

    replay(store_url, desk.archive, watch, clock=desk.clock)

    assert recorded.differences(rows_of(desk)) == []


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (schema.quote, {"price": 1.0}),
        (schema.quote, {"resolution": 7}),
        (schema.quote, {"market_cap": 7.0}),
        (schema.quote, {"origin": "observed"}),
        (schema.global_metrics, {"bitcoin_dominance": 1.0}),
        (schema.fear_and_greed, {"value": 1.0}),
    ],
)
def test_a_changed_point_is_found(
    desk: Desk, store_url: sa.URL, table: sa.Table, values: dict[str, object]
) -> None:
    change(desk, table, **values)

    assert verified(desk, store_url).differences >= 1


@pytest.mark.parametrize("table", [schema.quote, schema.global_metrics, schema.fear_and_greed])
def test_a_point_that_is_gone_is_found(desk: Desk, store_url: sa.URL, table: sa.Table) -> None:
    with desk.engine.begin() as connection:
        connection.execute(table.delete().where(table.c.origin == "backfilled"))

    texts = verified(desk, store_url).first

    assert any("the archive has this point, and the store lacks it" in text for text in texts)


def test_a_point_that_no_answer_explains_is_found(desk: Desk, store_url: sa.URL) -> None:
    for asset_id in (4687, 1027):
        row = {"asset_id": asset_id, "slot": SLOT - 99 * DAY, "price": 1.0, "resolution": DAY}
        with desk.engine.begin() as connection:
            connection.execute(schema.quote.insert(), {**row, "origin": "backfilled"})

    texts = verified(desk, store_url).first

    assert any("a backfilled point that no answer explains" in text for text in texts)
    assert any("Asset 1027 (1027): it has backfilled quotes" in text for text in texts)


def test_what_an_asset_is_is_compared_where_it_was_backfilled_too(
    desk: Desk, store_url: sa.URL
) -> None:
    asset, name = schema.asset, schema.asset_name
    row = {"asset_id": 1, "name": "Wrong", "symbol": "WRG", "slug": "wrong"}
    changes = {
        "fiat True": asset.update().where(asset.c.id == 1).values(is_fiat=True),
        "store first slot 2026-01-01": asset.update()
        .where(asset.c.id == 4687)
        .values(first_slot=parse("2026-01-01")),
        "store ('Asset 4687', 'X'": asset.update().where(asset.c.id == 4687).values(symbol="X"),
        "no answer at 2026-01-21": name.insert().values(from_slot=SLOT - 5 * DAY, **row),
    }
    for wanted, change in changes.items():
        held = {table: desk.mappings(table) for table in (asset, name)}
        with desk.engine.begin() as connection:
            connection.execute(change)
        texts = verified(desk, store_url).first
        assert [text for text in texts if wanted in text], (wanted, texts)
        with desk.engine.begin() as connection:
            for table, rows in held.items():
                connection.execute(table.delete())
                connection.execute(table.insert(), rows)
    assert verified(desk, store_url).differences == 0


def parse(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())


@pytest.mark.parametrize("table", [schema.global_metrics, schema.fear_and_greed, schema.quote])
def test_points_are_found_where_nothing_was_ever_backfilled(
    store_url: sa.URL, tmp_path: Path, table: sa.Table
) -> None:
    desk = Desk(store_url, tmp_path / "archive", "")
    put_attempt(desk.archive, SLOT)
    load(desk)
    row = {"slot": SLOT - 3 * DAY, "origin": "backfilled", "resolution": DAY}
    needed = {"asset_id": 1, "price": 1.0, "value": 7.0, "classification": "Fear"}
    row |= {name: value for name, value in needed.items() if name in table.c}
    with desk.engine.begin() as connection:
        connection.execute(table.insert(), row)

    texts = verified(desk, store_url).first

    assert any("backfilled" in text and "no answer is about it" in text for text in texts)
    desk.engine.dispose()


@pytest.fixture
def thinned(desk: Desk) -> Desk:
    """Return a recorder whose old quotes were thinned to one a day."""
    assert sum(thin(desk.engine, SLOT // DAY * DAY, DAY, desk.now)) > 0
    return desk


def test_points_thinned_on_purpose_are_no_differences(thinned: Desk, store_url: sa.URL) -> None:
    found = verified(thinned, store_url)

    assert (found.first, found.differences) == ((), 0)
    assert found.thinned > 0


def test_the_last_point_of_a_thinned_day_must_be_there(thinned: Desk, store_url: sa.URL) -> None:
    quote = schema.quote
    here = quote.c.slot.between(SLOT // DAY * DAY - 6 * DAY, SLOT // DAY * DAY - 5 * DAY - 1)
    with thinned.engine.begin() as connection:
        connection.execute(quote.delete().where(here, quote.c.asset_id == 4687))

    found = verified(thinned, store_url)

    assert [text for text in found.first if "thinning keeps one quote" in text] == [*found.first]
    assert found.differences == 1
    assert "Asset 4687 (4687)" in found.first[0]


def test_a_point_in_thinned_time_must_be_one_that_an_answer_gave(
    thinned: Desk, store_url: sa.URL
) -> None:
    row = {"asset_id": 4687, "slot": SLOT - 6 * DAY + 7, "price": 1.0, "resolution": DAY}
    with thinned.engine.begin() as connection:
        connection.execute(schema.quote.insert(), {**row, "origin": "backfilled"})
    assert "a backfilled point that no answer explains" in verified(thinned, store_url).first[0]


def test_figures_of_the_market_are_never_thinned(thinned: Desk, store_url: sa.URL) -> None:
    table = schema.global_metrics
    with thinned.engine.begin() as connection:
        connection.execute(table.delete().where(table.c.slot < SLOT - 5 * DAY))

    assert "the store lacks it" in verified(thinned, store_url).first[0]


@pytest.mark.parametrize("column", ["points", "credits", "sha256", "from_time", "outcome"])
def test_a_changed_row_of_an_answer_is_found(desk: Desk, store_url: sa.URL, column: str) -> None:
    other: object = "other" if column in {"sha256", "outcome"} else 7
    with desk.engine.begin() as connection:
        connection.execute(schema.backfill.update().values({column: other}))

    assert verified(desk, store_url).differences >= 5


def test_an_answer_that_has_changed_since_is_found(desk: Desk, store_url: sa.URL) -> None:
    path = next(Path(desk.archive.location).rglob("history-1.json.gz"))
    whole = path.read_bytes()
    for place in (4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert verified(desk, store_url).differences >= 1, place


def test_an_answer_that_waits_is_named_with_the_remedy(desk: Desk, store_url: sa.URL) -> None:
    put_asset_history(desk.archive, 1027, {SLOT - 9 * DAY: 3.0}, DAY)

    found = verified(desk, store_url)

    assert (found.differences, found.unsettled) == (1, 1)
    assert "coinlog load" in found.first[0]


def test_an_archive_that_lacks_backfilled_answers_is_refused(desk: Desk, store_url: sa.URL) -> None:
    next(Path(desk.archive.location).glob("backfill/asset-4687/*/manifest.json")).unlink()

    with pytest.raises(LossError, match="lacks 1 backfilled answers"):
        replay(store_url, desk.archive, watch, clock=desk.clock)
    assert any("the archive lacks it" in text for text in verified(desk, store_url).first)


def test_a_sample_takes_some_of_the_backfilled_targets(desk: Desk, store_url: sa.URL) -> None:
    assert verified(desk, store_url, Sample(slots=2)).differences == 0
