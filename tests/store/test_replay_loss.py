"""What a replay would lose is named, and nothing is thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from backfills import put_asset_history
from cmc_server import CMCServer
from coinlog.archive import Archive, open_archive
from coinlog.attempts import AttemptKey, slot_name
from coinlog.backfill.kept import BackfillKey, backfills
from coinlog.errors import LossError
from coinlog.loading import sweep
from coinlog.replay import replay
from coinlog.store import schema
from coinlog.thinning import thin
from market import Desk, answer_all, put_attempt
from replays import replayed, watch
from samples import HOUR, SLOT, STEP

DAY = 24 * HOUR


def test_an_archive_that_lacks_slots_is_refused_with_their_count(
    desk: Desk, store_url: sa.URL
) -> None:
    for number in range(3):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    for number in range(2):
        folder = Path(desk.archive.location) / "captures" / slot_name(SLOT + number * STEP)
        (folder / "1" / "manifest.json").unlink()

    with pytest.raises(LossError, match="lacks 2 attempts of 2 slots"):
        replayed(desk, store_url)
    assert len(desk.rows(schema.slot)) == 3

    assert replayed(desk, store_url, force=True).slots == 1


def test_an_empty_archive_is_refused(desk: Desk, store_url: sa.URL, tmp_path: Path) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    with pytest.raises(LossError, match="is empty"):
        replay(store_url, open_archive(str(tmp_path / "elsewhere")), watch)

    assert len(desk.rows(schema.slot)) == 1


def test_a_damaged_answer_does_not_take_the_place_of_good_rows(
    desk: Desk, store_url: sa.URL
) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    path = next(Path(desk.archive.location).rglob("listings-1.json.gz"))
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(LossError, match="1 slot would be worse"):
        replayed(desk, store_url)

    assert [row.outcome for row in desk.rows(schema.slot)] == ["stored"]


def test_quotes_that_no_attempt_explains_are_not_thrown_away(desk: Desk, store_url: sa.URL) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    by_hand = {"asset_id": 1, "slot": SLOT - 7, "price": 1.0, "origin": "observed"}
    with desk.engine.begin() as connection:
        connection.execute(schema.quote.insert(), {**by_hand, "resolution": 1})

    with pytest.raises(LossError, match="1 quotes that nothing in the archive accounts for"):
        replayed(desk, store_url)


def test_what_was_thinned_does_not_make_up_for_quotes_that_would_be_lost(
    desk: Desk, store_url: sa.URL
) -> None:
    for number in range(8):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    assert sum(thin(desk.engine, SLOT + 6 * STEP, DAY, desk.now)) > 2
    by_hand = {"slot": SLOT + 7, "price": 1.0, "origin": "observed", "resolution": 1}
    with desk.engine.begin() as connection:
        connection.execute(
            schema.quote.insert(), [{**by_hand, "asset_id": one} for one in (1, 1027)]
        )

    with pytest.raises(LossError, match="2 quotes that nothing in the archive accounts for"):
        replayed(desk, store_url)

    assert replayed(desk, store_url, force=True).quotes == 16


def test_what_was_thinned_and_backfilled_then_is_no_loss(desk: Desk, store_url: sa.URL) -> None:
    for number in range(8):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    list(thin(desk.engine, SLOT + 6 * STEP, 0, desk.now))
    put_asset_history(desk.archive, 1, {SLOT + DAY + HOUR: 5.0}, DAY)
    desk.now = SLOT + 9 * STEP
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    assert replayed(desk, store_url).quotes == 16


def test_what_is_settled_while_the_archive_is_listed_is_not_taken_for_lost(
    desk: Desk, store_url: sa.URL, source: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.record()
    put_asset_history(desk.archive, 1, {SLOT - 9 * DAY: 3.0}, DAY)
    listed = Archive.attempts

    def attempts(archive: Archive, since_slot: int = 0) -> list[AttemptKey]:
        found = listed(archive, since_slot)
        monkeypatch.undo()
        desk.now = SLOT + STEP + 5.0
        answer_all(source, at=desk.now)
        assert desk.record(SLOT + STEP).done
        monkeypatch.setattr("coinlog.replay.backfills", history)
        return found

    def history(archive: Archive) -> list[BackfillKey]:
        found = backfills(archive)
        monkeypatch.undo()
        put_asset_history(desk.archive, 1027, {SLOT - 9 * DAY: 3.0}, DAY)
        list(sweep(desk.engine, desk.archive, clock=desk.clock))
        return found

    monkeypatch.setattr(Archive, "attempts", attempts)
    assert replayed(desk, store_url).attempts == 2
    assert len(desk.rows(schema.backfill)) == 2


def test_data_of_the_other_kind_is_named_and_the_rest_is_replayed(
    desk: Desk, store_url: sa.URL
) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    put_attempt(desk.archive, SLOT - STEP, simulated=True)

    done = replayed(desk, store_url)

    assert done.slots == 1
    assert done.trouble is not None
    assert "refuses simulated data" in done.trouble
