"""The archive or the store cannot be written: a full disk, a folder that is read-only."""

from __future__ import annotations

import random
import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

import disks
from disks import SmallDisk
from weather.fault import SQLITE, Fault, Parameters
from weather.recorder import Told
from weather.truth import failed, missed, stored
from weather.world import World


class Unkept(Fault):
    """A slot that the archive cannot take, and what comes after it.

    It is tried again; or the next slot's recording says why it was lost, as the same recorder
    remembers it; or that recorder is killed before, and only then is the reason lost too.
    """

    slots = 2
    words = ""
    """What the trouble is told by."""

    def choose(self, chance: random.Random) -> Parameters:
        return {"then": chance.choices(["again", "the next", "killed"], [6, 3, 1])[0]}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        slot, after = slots
        world.expect(after, stored())
        kept, then = self.fail(world, slot, parameters), parameters["then"]
        if kept:
            world.expect(slot, stored())
        elif then == "again":
            world.expect(slot, stored().calling(2))
            _expect_stored(world, world.record(slot))
        elif then == "the next":
            world.expect(slot, failed("not_kept").saying(self.words))
        else:
            world.expect(slot, missed())
            world.recorder.kill()
        _expect_stored(world, world.record(after))

    @abstractmethod
    def fail(self, world: World, slot: int, parameters: Parameters) -> bool:
        """Let the archive fail while a slot is recorded; return whether it was kept all the same.

        The source may be asked once.
        """


class ArchiveReadOnly(Unkept):
    """The archive is read-only: nothing is recorded, which is said, until it can be written."""

    name = "archive read-only"
    share = 2
    words = "is writable"

    def choose(self, chance: random.Random) -> Parameters:
        return {"tries": chance.randint(1, 2), **super().choose(chance)}

    def fail(self, world: World, slot: int, parameters: Parameters) -> bool:
        with disks.read_only(world.archive):
            for _ in range(parameters["tries"]):
                _expect_not_kept(world, world.record(slot), self.words)
        return False


class ArchiveFull(Unkept):
    """The archive's disk is full, at once or in the middle of an answer, until there is room."""

    name = "archive's disk full"
    share = 3
    surely = 10
    words = "No space left on device"

    def possible(self) -> bool:
        return disks.can_mount()

    def choose(self, chance: random.Random) -> Parameters:
        pages = chance.choice([0, chance.randint(0, 16)])
        return {"pages": pages, **super().choose(chance)}

    def fail(self, world: World, slot: int, parameters: Parameters) -> bool:
        with _full(world.archive_disk, 4096 * parameters["pages"]):
            told = world.record(slot)
        if told.standing == "NOT_KEPT":
            _expect_not_kept(world, told, self.words)
        return told.standing != "NOT_KEPT"


class StoreFull(Fault):
    """The database's disk is full: three slots wait in the archive, the next one settles all."""

    name = "database's disk full"
    # After two of them the recorder of `coinlog up` would look no further back, had they gone well.
    slots = 4
    share = 2
    surely = 10

    def possible(self) -> bool:
        return disks.can_mount()

    def choose(self, chance: random.Random) -> Parameters:
        return {"pages": chance.choice([0, chance.randint(0, 16)])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        for slot in slots:
            world.expect(slot, stored())
        _use_up_room(world)
        with _full(world.store_disk, 4096 * parameters["pages"]):
            told = [world.record(slot) for slot in slots[:-1]]
        # InnoDB ends its server where it cannot write its own log.
        ended = world.database is not None and world.database.start_again_if_ended()
        words = ("make room on the disk", *(["could not be used"] if ended else []))
        for one in told:
            if one.trouble and not any(word in one.trouble for word in words):
                world.complain(f"a full disk is told as {one.trouble!r}")
        told.append(world.record(slots[-1]))
        _expect_stored(world, told[-1])
        if sum(one.settled for one in told) < len(slots):
            world.complain(f"with room again, not all is settled: {told}")


def _use_up_room(world: World) -> None:
    """Let SQLite's log be empty: in the room that an earlier one has there, much more would fit."""
    if world.kind == SQLITE:
        with closing(sqlite3.connect(str(world.direct_url.database))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class StoreReadOnly(Fault):
    """The store's folder is read-only: the slot waits in the archive, and the next settles both."""

    name = "store's folder read-only"
    stores = frozenset({SQLITE})
    slots = 2
    surely = 10

    def possible(self) -> bool:
        return disks.can_mount()

    def choose(self, chance: random.Random) -> Parameters:
        # A recorder that had the file open can go on writing; a new one cannot.
        return {"new": chance.random() < 0.7}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        first, second = slots
        for slot in slots:
            world.expect(slot, stored())
        if parameters["new"]:
            world.recorder.kill()
        assert world.store_disk
        with disks.read_only(world.store_disk.folder):
            told = world.record(first)
            if parameters["new"] and "may be written" not in str(told.trouble):
                world.complain(f"a read-only store is told as {told.trouble!r}")
        _expect_stored(world, world.record(second))


class Strangers(Fault):
    """Files and folders that are none of ours lie in the archive: they are passed over."""

    name = "strangers in the archive"

    def choose(self, chance: random.Random) -> Parameters:
        return {"seed": chance.randrange(1000)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        folder = world.archive / "captures"
        seed = parameters["seed"]
        for name in (f".DS_Store-{seed}", f"notes {seed}.txt", f"2026-{seed}/1/manifest.json"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(random.Random(seed).randbytes(200))
        with suppress(FileExistsError):
            (folder / "to-nowhere").symlink_to(world.place / "nowhere")
        _expect_stored(world, world.record(slot))
        world.meet()


@contextmanager
def _full(disk: SmallDisk | None, leave: int) -> Iterator[None]:
    assert disk
    disk.fill(leave)
    try:
        yield
    finally:
        disk.make_room()


def _expect_not_kept(world: World, told: Told, words: str) -> None:
    if told.standing != "NOT_KEPT" or words not in str(told.trouble):
        world.complain(f"expected words of {words!r}: {told}")


def _expect_stored(world: World, told: Told) -> None:
    if told.trouble or not told.settled:
        world.complain(f"expected to be settled: {told}")


FAULTS: tuple[Fault, ...] = (
    ArchiveReadOnly(),
    ArchiveFull(),
    StoreFull(),
    StoreReadOnly(),
    Strangers(),
)
