"""Backups: everything in one file, equal when it comes back, and no damage goes unseen.

How a killed backup, a killed restore and a full disk look from outside is in
``tests/cli/test_backing_up.py``; a backup of what is being recorded is in ``backup_storm.py``.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

import forging
from backup_storm import unwatched
from coinlog.archive import Archive, open_archive
from coinlog.backups import packing
from coinlog.backups.making import make_backup, newest_in, place_for
from coinlog.backups.packing import packed
from coinlog.backups.reading import open_backup, prove
from coinlog.backups.restoring import Restored, restore_backup
from coinlog.backups.tape import header, member
from coinlog.errors import (
    ArchiveError,
    BackupError,
    CoinlogError,
    DamagedBackupError,
    SchemaError,
    UnfinishedMoveError,
    UsageError,
)
from coinlog.move.digests import read_digests
from coinlog.move.stores import Watch
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import current_revision, migrate
from coinlog.store.writer import settle
from market import put_attempt
from samples import SLOT, STEP, settlement, snapshot
from stores import fill_every_table, opened, read_everything

SCRIPT = Path(__file__).parent.parent / "backup_storm.py"


class StopError(Exception):
    """Somebody pulled the plug."""


def stopping(phase: str) -> Watch:
    """Return a watch that stops everything when a phase has got somewhere."""

    @contextmanager
    def watch(name: str, _total: int) -> Iterator[Callable[[int], None]]:
        def advance(_steps: int) -> None:
            if name == phase:
                raise StopError

        yield advance

    return watch


def restore(path: Path, url: sa.URL, archive: Path | None = None) -> Restored:
    with open_backup(path) as backup:
        return restore_backup(backup, url, str(archive) if archive else None, unwatched)


def check(path: Path) -> None:
    with open_backup(path) as backup:
        prove(backup, unwatched)


def contents(folder: Path) -> dict[str, bytes]:
    archive = open_archive(str(folder))
    return {path: archive.objects.read(path) for path in archive.objects.sizes()}


def sqlite_at(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store, an archive and a backup of the two, which nobody changes."""
    folder = tmp_path_factory.mktemp("made")
    fill_every_table(sqlite_at(folder / "store.db"))
    fill(open_archive(str(folder / "archive")))
    url = sqlite_at(folder / "store.db")
    make_backup(folder / "backup.tar", url, str(folder / "archive"), unwatched)
    return folder


def fill(archive: Archive) -> None:
    for number in range(3):
        put_attempt(archive, SLOT + number * STEP)
    archive.objects.create("backfill/asset-1/20260126T000000Z/asset-1.json.gz", b"history")
    archive.objects.create("backfill/asset-1/20260126T000000Z/manifest.json", b"{}")
    archive.objects.create("README", b"")


@pytest.fixture
def backup(made: Path) -> Path:
    return made / "backup.tar"


def test_everything_comes_back_equal_in_either_database(
    made: Path, backup: Path, bare_url: sa.URL, tmp_path: Path
) -> None:
    there = restore(backup, bare_url, tmp_path / "archive")
    make_backup(tmp_path / "again.tar", bare_url, str(tmp_path / "archive"), unwatched)
    back = restore(tmp_path / "again.tar", sqlite_at(tmp_path / "back.db"), tmp_path / "third")

    assert (there.differences, back.differences) == ((), ())
    assert there.written == there.rows - 1 == back.rows - 1
    assert there.created == back.created == 9
    before = read_everything(sqlite_at(made / "store.db"))
    assert read_everything(bare_url) == read_everything(sqlite_at(tmp_path / "back.db")) == before
    assert [name for name, rows in before.items() if not rows] == []
    assert (
        contents(made / "archive") == contents(tmp_path / "archive") == contents(tmp_path / "third")
    )
    with opened(sqlite_at(made / "store.db")) as one, opened(bare_url) as other:
        assert read_digests(one) == read_digests(other)
        # The restored one goes on.
        assert settle(other, settlement(SLOT + 7 * STEP, found=snapshot([1, 52])), SLOT + 8 * STEP)
        assert "unfinished_move" not in sa.inspect(other).get_table_names()
    with open_backup(backup) as first, open_backup(tmp_path / "again.tar") as second:
        assert first.manifest.tables == second.manifest.tables


def test_any_tar_unpacks_it_into_an_archive_that_works(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as tar:
        # As the newest Pythons do by themselves and the oldest 3.11 cannot.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(tmp_path)  # noqa: S202

    assert len(open_archive(str(tmp_path / "archive")).attempts()) == 3
    assert "coinlog restore" in (tmp_path / "README.txt").read_text()


def test_the_manifests_of_attempts_come_after_their_answers(backup: Path) -> None:
    with tarfile.open(backup) as tar:
        names = [name.rpartition("/") for name in tar.getnames() if name.count("/") > 2]

    last = {folder: name for folder, _, name in names}
    assert len(last) == 4
    assert set(last.values()) == {"manifest.json"}


def test_one_flipped_bit_anywhere_is_found_and_its_part_is_named(
    backup: Path, tmp_path: Path
) -> None:
    raw, chance = bytearray(backup.read_bytes()), random.Random(7)  # noqa: S311  chance, no secret
    with open_backup(backup) as whole:
        parts = whole.manifest.parts
    ends = [sum(part.bytes for part in parts[: number + 1]) for number in range(len(parts))]
    # Every block has its turn: headers, bodies, the zeros between them, and the end of the tar.
    for block in range(0, len(raw), 512):
        place = block + chance.randrange(512)
        raw[place] ^= 1 << chance.randrange(8)
        (tmp_path / "damaged.tar").write_bytes(raw)
        with pytest.raises(CoinlogError) as found:
            check(tmp_path / "damaged.tar")
        part = next((part for part, end in zip(parts, ends, strict=True) if place < end), None)
        assert isinstance(found.value, DamagedBackupError), place
        assert (part.name if part else ".json") in str(found.value), place
        raw[place] = backup.read_bytes()[place]


def test_one_that_is_cut_off_is_refused_and_says_where(
    backup: Path, bare_url: sa.URL, tmp_path: Path
) -> None:
    raw = backup.read_bytes()
    chance = random.Random(7)  # noqa: S311  chance, no secret
    for length in (*(chance.randrange(1024, len(raw)) for _ in range(20)), len(raw) - 1):
        (tmp_path / "cut.tar").write_bytes(raw[:length])
        with pytest.raises(DamagedBackupError, match=r"(store|archive)/|README|\.json"):
            restore(tmp_path / "cut.tar", bare_url, tmp_path / "archive")

    engine = open_engine(bare_url)
    assert current_revision(engine) is None
    engine.dispose()
    assert not (tmp_path / "archive").exists()


def test_wrong_use_is_refused_and_leaves_nothing(made: Path, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.tar").touch()
    for path in (made / "store.db", tmp_path / "empty.tar", tmp_path / "nowhere.tar"):
        with pytest.raises(UsageError, match="expected"):
            check(path)
    store, size = sqlite_at(made / "store.db"), backup.stat().st_size
    for path, url, archive, said in (
        (backup, store, None, "is there already.*give another name"),
        (tmp_path / "no" / "b.tar", store, None, "there is no folder"),
        (tmp_path / "b.tar", sqlite_at(tmp_path / "no.db"), None, "there is no database"),
        (tmp_path / "b.tar", store, str(tmp_path / "no"), "there is no archive"),
    ):
        with pytest.raises(UsageError, match=said):
            make_backup(path, url, archive, unwatched)
    with pytest.raises(UsageError, match=r"there is no SIMULATED-coinlog-….tar in"):
        newest_in(str(made), simulated=True)

    assert [path.name for path in tmp_path.iterdir()] == ["empty.tar"]
    assert backup.stat().st_size == size


def test_in_a_folder_a_backup_is_called_after_its_time_and_the_newest_is_taken(
    tmp_path: Path,
) -> None:
    for moment, simulated in ((SLOT, False), (SLOT + 1, False), (SLOT + 2, True)):
        place_for(f"{tmp_path}", moment, simulated=simulated).touch()

    assert newest_in(str(tmp_path), simulated=False).name == "coinlog-20260126T180001Z.tar"
    assert newest_in(str(tmp_path), simulated=True).name.startswith("SIMULATED-coinlog-2026")
    for file in tmp_path.glob("coinlog-*"):
        file.unlink()
    with pytest.raises(UsageError, match=r"only backups of the made-up market: add --simulated"):
        newest_in(str(tmp_path), simulated=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.tar").touch()
    with pytest.raises(UsageError, match=r"only files of other names: name the file"):
        newest_in(str(tmp_path / "other"), simulated=False)
    assert place_for("here.tar", SLOT, simulated=True) == Path("here.tar")


def test_a_store_or_an_archive_that_is_not_empty_is_refused_and_left_alone(
    backup: Path, bare_url: sa.URL, tmp_path: Path
) -> None:
    put_attempt(open_archive(str(tmp_path / "archive")), SLOT + 9 * STEP)
    before = contents(tmp_path / "archive")
    with pytest.raises(UsageError, match="is not empty: choose an empty place with COINLOG_ARC"):
        restore(backup, bare_url, tmp_path / "archive")
    with opened(bare_url) as engine:
        settle(engine, settlement(found=snapshot()), SLOT + 20)
    everything = read_everything(bare_url)
    with pytest.raises(UsageError, match="it holds coinmarketcap data of 1 slots; choose an empty"):
        restore(backup, bare_url, tmp_path / "another")

    assert read_everything(bare_url) == everything
    assert contents(tmp_path / "archive") == before
    assert not (tmp_path / "another").exists()


def test_half_a_restore_is_refused_by_all_but_the_same_one(
    made: Path, backup: Path, tmp_path: Path
) -> None:
    bare_url = sqlite_at(tmp_path / "new.db")
    for phase in ("archive", "store"):
        with open_backup(backup) as found, pytest.raises(StopError):
            restore_backup(found, bare_url, str(tmp_path / "archive"), stopping(phase))
    other = tmp_path / "other.tar"
    make_backup(other, sqlite_at(made / "store.db"), None, unwatched)

    engine = open_engine(bare_url)
    with pytest.raises(UnfinishedMoveError, match="the same `coinlog restore` goes on"):
        migrate(engine)
    engine.dispose()
    # What a power cut leaves of a file is its beginning, or nothing.
    torn = tmp_path / "archive" / "captures" / "20260126T180000Z" / "1" / "listings-1.json.gz"
    torn.write_bytes(torn.read_bytes()[:7])
    resumed = restore(backup, bare_url, tmp_path / "archive")
    with pytest.raises(UsageError, match="it holds coinmarketcap data"):
        restore(other, bare_url)

    assert (resumed.resumed, resumed.differences) == (True, ())
    assert (resumed.created, resumed.rows - resumed.written > 3) == (0, True)
    assert read_everything(bare_url) == read_everything(sqlite_at(made / "store.db"))
    assert contents(tmp_path / "archive") == contents(made / "archive")


def test_what_was_recorded_meanwhile_is_never_overwritten(backup: Path, tmp_path: Path) -> None:
    bare_url = sqlite_at(tmp_path / "new.db")
    with open_backup(backup) as found, pytest.raises(StopError):
        restore_backup(found, bare_url, str(tmp_path / "archive"), stopping("archive"))
    path = tmp_path / "archive" / "captures" / "20260126T180000Z" / "1" / "manifest.json"
    path.write_text("another one")

    with pytest.raises(ArchiveError, match="is another one: something was recorded"):
        restore(backup, bare_url, tmp_path / "archive")

    assert path.read_text() == "another one"


def test_an_archive_that_changes_a_byte_is_found_out(backup: Path, tmp_path: Path) -> None:
    url, folder = sqlite_at(tmp_path / "new.db"), tmp_path / "archive"

    @contextmanager
    def faulty(name: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield lambda _: None
        if name == "archive":
            (folder / "README").write_bytes(b"!")

    with open_backup(backup) as found, pytest.raises(ArchiveError, match=r"README in .* is not wh"):
        restore_backup(found, url, str(folder), faulty)
    with pytest.raises(UnfinishedMoveError):
        migrate(open_engine(url))


def test_a_restore_goes_on_into_no_other_archive(backup: Path, tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "new.db")
    with open_backup(backup) as found, pytest.raises(StopError):
        restore_backup(found, url, str(tmp_path / "archive"), stopping("store"))
    put_attempt(open_archive(str(tmp_path / "another")), SLOT + 9 * STEP)
    before = contents(tmp_path / "another")

    with pytest.raises(UsageError, match="is not empty"):
        restore(backup, url, tmp_path / "another")
    with pytest.raises(UsageError, match=r"with its archive in .*/archive, begun"):
        restore(backup, url, tmp_path / "third")

    assert contents(tmp_path / "another") == before
    assert not (tmp_path / "third").exists()
    assert restore(backup, url, tmp_path / "archive").resumed


def test_a_database_that_changes_a_bit_is_found_out(backup: Path, tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "faulty.db")
    with opened(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER fault AFTER INSERT ON quote WHEN NEW.asset_id = 1027 BEGIN "
            "UPDATE quote SET price = price + 1 WHERE asset_id = 1027; END"
        )

    restored = restore(backup, url)

    assert [str(one).partition(":")[0] for one in restored.differences][:1] == [
        "slot 2026-01-26T18"
    ]
    with pytest.raises(UnfinishedMoveError):
        migrate(open_engine(url))


def test_an_older_schema_is_restored_and_then_brought_up_to_date(
    made: Path, backup: Path, tmp_path: Path
) -> None:
    forged, bare_url = forging.opened(backup), sqlite_at(tmp_path / "new.db")
    forged.say(revision="0003")
    forging.without_columns(forged, schema.verification, ("from_slot", "to_slot"))

    restored = restore(forging.sealed(forged, tmp_path / "old.tar"), bare_url)

    assert restored.differences == ()
    engine = open_engine(bare_url)
    assert current_revision(engine) == schema.REVISION
    engine.dispose()
    before = read_everything(sqlite_at(made / "store.db"))
    for row in before["verification"]:
        row.update(from_slot=None, to_slot=None)
    assert read_everything(bare_url) == before


def test_what_a_newer_coinlog_made_is_refused(backup: Path, tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "new.db")
    newer = forging.sealed_as(b'{"format":2,"what":"else"}', tmp_path / "newer.tar")
    forged = forging.opened(backup)
    forged.say(revision="0999")

    with pytest.raises(BackupError, match=r"it has format 2.*a newer coinlog made it"):
        restore(newer, url)
    with pytest.raises(SchemaError, match="does not know schema '0999'"):
        restore(forging.sealed(forged, tmp_path / "schema.tar"), url)


EVIL = ("../evil", "/evil", "a/../../evil", "a//b", "C:/evil", "a\\..\\evil", "a/\n", ".")


@pytest.mark.parametrize("name", [*(f"archive/{name}" for name in EVIL), "../evil", "evil"])
def test_a_name_that_leads_out_of_the_archive_is_refused(
    backup: Path, tmp_path: Path, name: str
) -> None:
    forged = forging.opened(backup)
    part = forged.part(lambda one: one.objects)
    forged.replace(part.name, member(name, b"evil"), objects=1)

    with pytest.raises(DamagedBackupError, match="out of the archive"):
        restore(
            forging.sealed(forged, tmp_path / "b.tar"), sqlite_at(tmp_path / "x.db"), tmp_path / "a"
        )

    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]


def link() -> bytes:
    info = tarfile.TarInfo("archive/link")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info.tobuf(tarfile.USTAR_FORMAT)


def rows(text: bytes) -> bytes:
    return member("store/asset-000001.jsonl.gz", packed(text))


ASSET = b'[1,"A","A","a",0,1]\n'


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (link(), "not written"),
        (header("archive/x", 10**6) + bytes(512), "cut off"),
        (rows(b'[1,"A","A","a",0]\n'), "not as wide"),
        (rows(ASSET * 2), "not as many"),
        (rows(b'[1,"A","A",{"a":1},0,1]\n'), "no rows"),
        (rows(b'[1,"A","A","a",0,99999999999999999999]\n'), "no rows"),
        (rows(b"[" * 9_000), "no rows"),
        (member("store/asset-000001.jsonl.gz", packed(ASSET)[:-4]), "cut off"),
        (member("store/asset-000001.jsonl.gz", ASSET), "no rows"),
        (rows(b" " * 20_000), "larger than"),
        (rows(ASSET), "are not those that were read"),
        (member("store/slot-000001.jsonl.gz", packed(ASSET)), "of this name"),
    ],
)
def test_made_up_rows_are_refused_though_their_hash_is_right(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, said: str
) -> None:
    forged = forging.opened(backup)
    forged.replace("store/asset-000001.jsonl.gz", raw, rows=1)
    path = forging.sealed(forged, tmp_path / "forged.tar")
    monkeypatch.setattr(packing, "MOST_BYTES", 10_000)

    with pytest.raises(DamagedBackupError, match=said):
        restore(path, sqlite_at(tmp_path / "x.db"))

    assert not (tmp_path / "x.db").exists()


def test_made_up_tables_are_refused(backup: Path, tmp_path: Path) -> None:
    whole = forging.opened(backup).manifest
    first, *others = whole.tables
    for tables in (
        (*whole.tables, first),
        tuple(reversed(whole.tables)),
        whole.tables[:-1],
        (msgspec.structs.replace(first, name="sqlite_master"), *others),
        (msgspec.structs.replace(first, columns=("name",) * 6), *others),
    ):
        forged = forging.opened(backup)
        forged.say(tables=tables)
        with pytest.raises(DamagedBackupError, match="coinlog"):
            check(forging.sealed(forged, tmp_path / "forged.tar"))


def test_an_object_whose_name_fits_into_no_tar_is_told(made: Path, tmp_path: Path) -> None:
    archive = open_archive(str(tmp_path / "archive"))
    archive.objects.create("x" * 200, b"")
    target = tmp_path / "to" / "backup.tar"
    target.parent.mkdir()

    with pytest.raises(BackupError, match="move it out of the archive"):
        make_backup(target, sqlite_at(made / "store.db"), archive.location, unwatched)

    assert list(target.parent.iterdir()) == []


def test_an_archive_in_a_bucket_is_backed_up_and_restored(
    made: Path, bucket: str, tmp_path: Path
) -> None:
    there = open_archive(f"s3://{bucket}/coinlog")
    fill(there)

    make_backup(tmp_path / "b.tar", sqlite_at(made / "store.db"), there.location, unwatched)
    with open_backup(tmp_path / "b.tar") as found:
        back = f"s3://{bucket}/back"
        restore_backup(found, sqlite_at(tmp_path / "back.db"), back, unwatched)

    assert open_archive(back).attempts() == there.attempts() != []


@pytest.mark.parametrize(("store", "backups"), [("sqlite", "2"), ("mariadb", "1")])
def test_a_backup_of_what_is_being_recorded_is_whole_and_comes_back(
    store: str, backups: str
) -> None:
    command = [sys.executable, str(SCRIPT), "--backups", backups, "--seed", "7", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "torn=0, lost=0, unequal=0" in done.stdout
