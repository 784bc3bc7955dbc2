"""A store and an archive whose disk is full, read-only, replaced or gone: nothing is lost by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

import disks
from cmc_server import CMCServer
from coinlog.capturing import Standing
from coinlog.market import FIAT_IDS
from coinlog.recorder import Recording
from coinlog.store import engine as store_engine
from coinlog.store import schema
from coinlog.verify.flow import verify
from editions import unwatched
from market import Desk, answer_all, put_attempt
from ready import ReadyFile
from samples import SLOT, STEP
from waiting import until

MANY = [1, 1027, *range(2_000, 2_300)]
# A disk that is full for root too must be a real one: memory of a fixed size, which root mounts.
# Where nobody may mount, as in most containers, the tests of it are skipped and say so.
needs_root = pytest.mark.skipif(
    not disks.can_mount(), reason="a disk that fills up is mounted by root, which we are not"
)


@pytest.fixture
def desk(own_world: Path, ready_file: ReadyFile, source: CMCServer) -> Iterator[Desk]:
    """Return a recorder on SQLite, with its store and its archive in folders of their own."""
    (own_world / "store").mkdir()
    url = ready_file.copy(own_world / "store" / "coinlog.db")
    desk = Desk(url, own_world / "archive", source.url)
    yield desk
    desk.engine.dispose()


def record_at(
    desk: Desk, source: CMCServer, number: int, ids: Sequence[int] = (1, 1027)
) -> Recording:
    """Record the slot of a number, with the source's clock set to it."""
    slot = SLOT + number * STEP
    desk.now = slot + 5.0
    answer_all(source, ids, slot + 12)
    return desk.record(slot)


def whole_slots(desk: Desk, assets: int = 2) -> list[int]:
    """Return the numbers of the slots that are stored, each with all of its quotes."""
    quote = schema.quote.c
    counts = {}
    with desk.engine.connect() as connection:
        query = sa.select(quote.slot, sa.func.count()).group_by(quote.slot)
        counts = dict(map(tuple, connection.execute(query)))
    rows = desk.rows(schema.slot)
    assert counts == {row.slot: assets + len(FIAT_IDS) for row in rows}
    assert {row.outcome for row in rows} == {"stored"}
    return sorted((row.slot - SLOT) // STEP for row in rows)


def database_file(desk: Desk) -> Path:
    return Path(str(desk.engine.url.database))


def test_a_store_that_cannot_be_written_for_a_while_catches_up(
    desk: Desk, source: CMCServer
) -> None:
    record_at(desk, source, 0)
    with disks.read_only(database_file(desk).parent):
        desk.engine.dispose()
        troubles = [record_at(desk, source, number).trouble for number in (1, 2)]

    assert all("readonly" in str(trouble) for trouble in troubles)
    assert all("may be written" in str(trouble) for trouble in troubles)
    # The same connection as before would go on to be read-only, for ever.
    assert record_at(desk, source, 3).trouble is None
    assert whole_slots(desk) == [0, 1, 2, 3]


@pytest.mark.parametrize("junk", [None, b"", b"this was never a database\n" * 400])
def test_a_store_that_was_moved_away_is_made_anew_while_the_recorder_runs(
    desk: Desk, source: CMCServer, junk: bytes | None
) -> None:
    for number in (0, 1):
        record_at(desk, source, number)
    place = database_file(desk)
    place.rename(place.with_name("moved-away.db"))
    if junk is not None:
        place.write_bytes(junk)
    recording = record_at(desk, source, 2)
    if junk:
        assert "move it away" in str(recording.trouble)
        place.unlink()
        recording = record_at(desk, source, 2)

    assert recording.done
    # Looked at by others: what is written where nobody finds it is not there.
    desk.engine.dispose()
    assert whole_slots(desk) == [0, 1, 2]


def test_a_log_that_was_deleted_costs_nothing_but_another_look(
    desk: Desk, source: CMCServer
) -> None:
    record_at(desk, source, 0)
    desk.engine.dispose()
    kept = database_file(desk).read_bytes()
    for number in (1, 2):
        record_at(desk, source, number)
    # What a power cut leaves of the file, whose log of two commits somebody has removed.
    desk.engine.dispose()
    for name in ("-wal", "-shm"):
        database_file(desk).with_name(f"coinlog.db{name}").unlink(missing_ok=True)
    database_file(desk).write_bytes(kept)

    assert record_at(desk, source, 3).trouble is None
    assert whole_slots(desk) == [0, 1, 2, 3]


@pytest.fixture
def busy_desk(
    own_world: Path, ready_file: ReadyFile, source: CMCServer
) -> Iterator[tuple[Desk, sqlite3.Connection]]:
    """Return a recorder whose store another writer holds, and that one's connection."""
    url = ready_file.copy(own_world / "coinlog.db")
    desk = Desk(url, own_world / "archive", source.url)
    other = sqlite3.connect(str(url.database), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield desk, other
    other.close()
    desk.engine.dispose()


def test_another_writer_is_waited_for(
    busy_desk: tuple[Desk, sqlite3.Connection], source: CMCServer
) -> None:
    desk, other = busy_desk
    with ThreadPoolExecutor(1) as pool:
        recording = pool.submit(record_at, desk, source, 0)
        # By now it is captured, and what is left is to be written.
        until(desk.archive.attempts, seconds=60)
        other.execute("ROLLBACK")

        assert recording.result().trouble is None
    assert whole_slots(desk) == [0]


def test_another_writer_that_does_not_end_is_told_and_caught_up_with(
    busy_desk: tuple[Desk, sqlite3.Connection], source: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, other = busy_desk
    monkeypatch.setattr(store_engine, "BUSY_TIMEOUT_MS", 50)
    desk.engine.dispose()

    assert "another program writes to the file" in str(record_at(desk, source, 0).trouble)
    other.execute("ROLLBACK")
    assert record_at(desk, source, 1).done
    assert whole_slots(desk) == [0, 1]


@needs_root
def test_a_full_disk_under_the_store_is_told_and_caught_up_with(
    own_world: Path, ready_file: ReadyFile, source: CMCServer
) -> None:
    with disks.small_disk(own_world / "disk", 16) as disk:
        desk = Desk(ready_file.copy(disk.folder / "coinlog.db"), own_world / "archive", source.url)
        disk.fill(leave=40_000)
        trouble = record_at(desk, source, 0, MANY).trouble

        assert "make room on the disk" in str(trouble)
        assert desk.rows(schema.slot) == []
        disk.make_room()
        assert record_at(desk, source, 1, MANY).trouble is None
        assert whole_slots(desk, len(MANY)) == [0, 1]
        with desk.engine.connect() as connection:
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
        desk.engine.dispose()


@needs_root
@pytest.mark.parametrize("leave", [0, 4 * 4096, 6 * 4096])
def test_a_full_disk_under_the_archive_is_told_and_the_slot_recorded_when_there_is_room(
    own_world: Path, ready_file: ReadyFile, source: CMCServer, leave: int
) -> None:
    with disks.small_disk(own_world / "disk", 4) as disk:
        desk = Desk(ready_file.copy(own_world / "coinlog.db"), disk.folder / "archive", source.url)
        disk.fill(leave)
        full = [record_at(desk, source, 0, MANY) for _ in range(2)]

        assert {recording.captured.standing for recording in full} == {Standing.NOT_KEPT}
        assert all("No space left on device" in str(recording.trouble) for recording in full)
        assert all("has room" in str(recording.trouble) for recording in full)
        assert desk.archive.attempts() == []
        disk.make_room()
        # Nobody else is at work on it: our own claim is worth nothing any more.
        assert record_at(desk, source, 0, MANY).captured.standing is Standing.OURS
        assert whole_slots(desk, len(MANY)) == [0]
        desk.engine.dispose()


def test_a_read_only_archive_is_told_and_the_slot_recorded_when_it_can_be_written(
    desk: Desk, source: CMCServer
) -> None:
    folder = Path(desk.archive.location)
    with disks.read_only(folder):
        recording = record_at(desk, source, 0)

    assert recording.captured.standing is Standing.NOT_KEPT
    assert "is writable" in str(recording.trouble)
    assert "Debug" not in str(recording.trouble)
    assert record_at(desk, source, 0).done
    assert whole_slots(desk) == [0]


@pytest.mark.parametrize("others", [False, True])
def test_a_slot_that_could_not_be_kept_says_so_when_something_can_be(
    desk: Desk, source: CMCServer, *, others: bool
) -> None:
    record_at(desk, source, 0)
    with disks.read_only(Path(desk.archive.location)):
        record_at(desk, source, 1)
        record_at(desk, source, 2)
    if others:
        put_attempt(desk.archive, SLOT + 2 * STEP)
    record_at(desk, source, 3)
    record_at(desk, source, 4)

    rows = {(row.slot - SLOT) // STEP: row for row in desk.rows(schema.slot)}
    assert (rows[1].outcome, rows[1].reason) == ("failed", "not_kept")
    assert "is writable" in rows[1].detail
    assert rows[2].outcome == ("stored" if others else "failed")
    assert {rows[number].outcome for number in (0, 3, 4)} == {"stored"}
    verified = verify(desk.engine.url, desk.archive, unwatched)
    assert verified.first == ()
