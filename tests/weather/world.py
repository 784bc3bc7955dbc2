"""The world of a storm: a source, a store, an archive, a recorder, and a book of what is true.

Its keeper is one process with one thread that never opens the archive, so that it can fork.
"""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from disks import SmallDisk, can_mount, small_disk
from servers import MariaDB
from weather.damage import Damage
from weather.page import Page
from weather.recorder import PATIENCE_SECONDS, Delivery, Recorder, Told, fork
from weather.source import Source
from weather.truth import Truth, stored

T = TypeVar("T")

Charge = tuple[str, str, str]
"""A fault of ours: the fault that was at it, its kind, and words."""

FAIR_WEATHER = "fair weather"
LATE_SECONDS = 5.0
DISK_MB = 2048
"""What a disk of a storm may hold: memory, of which no more is taken than is used."""


@dataclass(frozen=True)
class Entry:
    """A slot in the book: which fault struck it, and what is true for it."""

    slot: int
    fault: str
    truth: Truth


class World:
    """What a fault can touch."""

    def __init__(self, kind: str, place: Path, url: sa.URL, database: MariaDB | None) -> None:
        self.kind = kind
        self.place = place
        self.database = database
        self.direct_url = url
        """The store, as it is looked at in the end: never by a detour."""
        self.store_url = url
        """The store as recorders reach it: a proxy's address, while a fault says so."""
        self.archive = place / "archive"
        self.source = Source(place / "asked.log")
        self.book: dict[int, Entry] = {}
        self.damaged: dict[int, Damage] = {}
        """Slots whose files in the archive are damaged for good, and how."""
        self.charges: list[Charge] = []
        """Faults of ours in a store that is there no more."""
        self.archive_disk: SmallDisk | None = None
        self.store_disk: SmallDisk | None = None
        """What they lie on, where we may mount: disks that can be filled up."""
        self.complaints: list[tuple[str, str]] = []
        self.met: set[str] = set()
        """What shows that the fault was met since it began to strike: ``seen`` by the fault itself,
        ``told`` by a recorder, ``served`` by the source."""

        self.fault = FAIR_WEATHER
        self.aside: list[World] = []
        """Other worlds that were beside this one, and have ended."""
        self.usual_seconds = 0.2
        """How long a recording in fair weather has lately taken."""
        self._recorder: Recorder | None = None
        self._recorder = self.recorder

    @property
    def recorder(self) -> Recorder:
        """The recorder that goes on from slot to slot; a new one, where the last was killed."""
        if self._recorder is None or not self._recorder.alive:
            self._recorder = Recorder()
        return self._recorder

    def delivery(self, slot: int, **further: Any) -> Delivery:  # noqa: ANN401  a delivery's fields
        """Return a delivery for a slot as it should be; ``further`` says what is otherwise."""
        usual = Delivery(
            now=slot + LATE_SECONDS,
            source_url=self.source.url,
            store_url=self.store_url,
            archive=self.archive,
        )
        return replace(usual, **further)

    def record(self, slot: int, **further: Any) -> Told:  # noqa: ANN401  likewise
        """Let the source be at a slot and the recorder record it."""
        self.source.moment(slot, slot + LATE_SECONDS)
        return self.deliver(self.delivery(slot, **further))

    def deliver(self, delivery: Delivery) -> Told:
        """Let the recorder do one delivery; an exception that nobody meant is a complaint."""
        return self.heard(self.recorder)(delivery)

    def heard(self, recorder: Recorder) -> Callable[[Delivery], Told]:
        """Return what lets a recorder do a delivery, and complains of what nobody meant."""

        def deliver(delivery: Delivery) -> Told:
            recorder.start(delivery)
            return self.hear(recorder)[0]

        return deliver

    def hear(self, recorder: Recorder, seconds: float = PATIENCE_SECONDS) -> list[Told]:
        """Wait for what a recorder says; an exception that nobody meant is a complaint."""
        told = recorder.told(seconds)
        for one in told:
            if not one.as_ever:
                self.met.add("told")
            if one.error and not one.expected_error:
                self.complain(f"a recorder raised {one.error}")
        return told

    def fair(self, slot: int) -> None:
        """Record a slot in fair weather."""
        with self.striking(FAIR_WEATHER):
            self.expect(slot, stored())
            begun = time.monotonic()
            told = self.record(slot)
            self.usual_seconds += (time.monotonic() - begun - self.usual_seconds) / 4
            if told.standing != "OURS" or told.trouble or told.error:
                self.complain(f"slot {slot} in fair weather: {told}")

    def expect(self, slot: int, truth: Truth) -> None:
        """Note what is true for a slot; what is said last counts."""
        self.book[slot] = Entry(slot, self.fault, truth)

    def meet(self) -> None:
        """Note that the fault has been met, as it sees itself."""
        self.met.add("seen")

    def complain(self, what: str) -> None:
        """Note a fault of coinlog's that shows in no slot."""
        self.complaints.append((self.fault, what))

    @contextmanager
    def striking(self, fault: str) -> Iterator[None]:
        """Let what happens meanwhile be of a fault; whatever it raises is a complaint."""
        before, self.fault = self.fault, fault
        try:
            yield
        except Exception:  # noqa: BLE001  the storm goes on
            self.complain(traceback.format_exc(limit=-4))
        finally:
            self.fault = before

    def calm(self) -> None:
        """Let the source be honest again; note whether it has not been."""
        if self.source.calm():
            self.met.add("served")

    def do(self, work: Callable[..., T], *arguments: object) -> T:
        """Do something in a process of its own (who has opened an archive cannot fork).

        Raises:
            RuntimeError: it raised something; its text is in it.
        """
        ours, theirs = fork.Pipe()
        process = fork.Process(target=_do, args=(theirs, work, arguments))
        process.start()
        theirs.close()
        try:
            done, value = ours.recv()
        except EOFError:
            done, value = False, "it was killed"
        process.join()
        if not done:
            raise RuntimeError(f"{getattr(work, '__name__', work)}: {value}")
        return value  # type: ignore[no-any-return]

    @cached_property
    def page(self) -> Page:
        """The page, over the store itself; it starts when it is first asked for."""
        return Page(self.direct_url.render_as_string(hide_password=False), self.place)

    @cached_property
    def nights(self) -> World:
        """Another world beside this one, for slots of other times; it ends with this one."""
        place = self.place / "nights"
        place.mkdir()
        return World(self.kind, place, self._another_store(place), self.database)

    @contextmanager
    def beside(self) -> Iterator[World]:
        """Have a world beside this one for a while; what it leaves is reckoned with all else."""
        place = self.place / f"beside-{len(self.aside)}"
        place.mkdir()
        world = World(self.kind, place, self._another_store(place), self.database)
        self.aside.append(world)
        try:
            yield world
        finally:
            world.end()

    def _another_store(self, place: Path) -> sa.URL:
        if self.database:
            return self.database.url(self.database.make_database())
        return sa.URL.create("sqlite", database=str(place / "coinlog.db"))

    def worlds(self) -> Sequence[World]:
        """Return this world and those beside it."""
        nights = [self.nights] if "nights" in self.__dict__ else []
        return [self, *nights, *self.aside]

    def end(self) -> None:
        """End every process of it."""
        if "page" in self.__dict__:
            self.page.end()
        for world in self.worlds():
            if world._recorder:  # noqa: SLF001  one of us
                world._recorder.kill()  # noqa: SLF001
            world.source.kill()


def _do(pipe: Any, work: Callable[..., object], arguments: tuple[object, ...]) -> None:  # noqa: ANN401  a connection
    try:
        pipe.send((True, work(*arguments)))
    except BaseException:  # noqa: BLE001  whatever it is, it is told
        pipe.send((False, traceback.format_exc(limit=-4)))


@contextmanager
def open_world(kind: str, place: Path) -> Iterator[World]:
    """Make a world with an empty store of a kind, and end it."""
    place.mkdir(parents=True, exist_ok=True)
    with _disk() as archive_disk, _disk() as store_disk, ExitStack() as stack:
        folder = store_disk.folder if store_disk else None
        url, database = stack.enter_context(_store(kind, folder or place, folder))
        world = World(kind, place, url, database)
        world.archive_disk, world.store_disk = archive_disk, store_disk
        if archive_disk:
            world.archive = archive_disk.folder / "archive"
        try:
            yield world
        finally:
            world.end()


@contextmanager
def _store(kind: str, place: Path, disk: Path | None) -> Iterator[tuple[sa.URL, MariaDB | None]]:
    if kind == "sqlite":
        yield sa.URL.create("sqlite", database=str(place / "coinlog.db")), None
        return
    server = MariaDB(disk)
    try:
        server.start()
        yield server.url(server.make_database()), server
    finally:
        server.remove()


@contextmanager
def _disk() -> Iterator[SmallDisk | None]:
    """Mount a disk that can be filled up, where we may; the database's own user can reach it."""
    if not can_mount():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="coinlog-disk-"))
    folder.chmod(0o755)
    try:
        with small_disk(folder, DISK_MB) as disk:
            yield disk
    finally:
        folder.rmdir()
