"""The weather machine's own faults: what they must notice, and when they strike."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from rich.console import Console

from cmc_server import CMCServer
from coinlog.attempts import slot_name
from coinlog.slots import iso
from coinlog.store import schema
from market import Desk, answer_all
from ready import ReadyFile
from samples import SLOT, STEP
from weather.account import Account
from weather.catalogue import FAULTS
from weather.damage import Damage, unnamed
from weather.fault import SQLITE, Fault, Parameters
from weather.flipping import Flip, differences, unnoticed
from weather.forecast import forecast, left_out
from weather.table import as_data, show
from weather.world import World


class Impossible(Fault):
    """What no machine can suffer."""

    name = "impossible"

    def possible(self) -> bool:
        return False

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        raise NotImplementedError


def flip_in_hash_of(desk: Desk, slot: int) -> Flip:
    """Return a flip in what the ledger keeps of a slot: the hash of its manifest."""
    (row,) = desk.rows(schema.slot, schema.slot.c.slot == slot)
    desk.engine.dispose()
    body = Path(str(desk.engine.url.database)).read_bytes()
    return Flip((body.index(row.sha256.encode()) + 0.5) / len(body), bit=0)


def test_a_changed_row_must_be_told_of_though_the_archive_is_damaged_elsewhere(
    ready_file: ReadyFile, own_world: Path, source: CMCServer
) -> None:
    desk = Desk(ready_file.copy(own_world / "coinlog.db"), own_world / "archive", source.url)
    for slot in (SLOT, SLOT + STEP):
        desk.now = slot + 5.0
        answer_all(source, at=slot + 12)
        desk.record(slot)
    broken, sound = flip_in_hash_of(desk, SLOT), flip_in_hash_of(desk, SLOT + STEP)
    folder = own_world / "archive" / "captures" / slot_name(SLOT) / "1"
    (folder / "listings-1.json.gz").write_bytes(b"")
    url, look = desk.engine.url, partial(differences, own_world / "archive")

    def blind(_copy: sa.URL) -> frozenset[str]:
        """Look at the store itself: the damage is found there too, and no flip is."""
        return look(url)

    assert look(url)
    assert unnoticed(url, own_world, [sound], [SLOT], look) == []
    (said,) = unnoticed(url, own_world, [sound], [SLOT], blind)
    assert "nobody tells of it" in said
    # Of what is damaged in the archive nobody can tell.
    assert unnoticed(url, own_world, [broken], [SLOT], blind) == []


def said_of(words: str) -> list[tuple[str, str]]:
    """Return what is charged where verifying says this of a slot whose file is damaged."""
    folder = f"captures/{slot_name(SLOT)}/1"
    return list(unnamed([f"slot {iso(SLOT)}, {words.format(folder)}"], {SLOT: Damage()}))


@pytest.mark.parametrize(
    "words",
    [
        "attempt 1: {}/listings-1.json.gz cannot be unpacked: not a gzipped file",
        "{}/listings-1.json.gz has changed since it was kept, though what it holds is whole",
        "attempt 1: the manifest of {} cannot be read: truncated",
        "attempt 1: its manifest has SHA-256 1, but the store settled one with 2",
        "attempt 1: the store has settled it, and the archive lacks it",
    ],
)
def test_damage_in_the_archive_excuses_what_is_said_of_its_files(words: str) -> None:
    assert said_of(words) == []


@pytest.mark.parametrize(
    "words",
    [
        "Bitcoin (1), price: store 100.5, archive 100.25",
        "Bitcoin (1): a quote that no attempt explains",
        "outcome: store 'failed', archive 'stored'",
        "attempt 1: not settled yet; run `coinlog load`",
        "attempt 2: {}/listings-1.json.gz cannot be unpacked: not a gzipped file",
    ],
)
def test_damage_in_the_archive_excuses_nothing_that_the_store_holds(words: str) -> None:
    assert len(said_of(words)) == 1


def test_damage_must_be_named_unless_nobody_can_know_of_it() -> None:
    (found,) = unnamed([], {SLOT: Damage(), SLOT + STEP: Damage(named=False)})

    assert found[0] == "untrue"
    assert iso(SLOT) in found[1]


def test_what_takes_minutes_strikes_only_where_there_is_room_for_all() -> None:
    kinds = [fault for fault in FAULTS if "mariadb" in fault.stores and fault.possible()]

    def longs(count: int, seed: int) -> int:
        return sum(one.fault.long for one in forecast(FAULTS, "mariadb", count, seed))

    assert {longs(len(kinds) - 1, seed) for seed in range(9)} == {0}
    assert all(1 <= longs(1000, seed) <= 5 for seed in range(4))


def test_faults_that_this_machine_cannot_suffer_are_named() -> None:
    account = Account(left_out=left_out([*FAULTS, Impossible()], SQLITE))
    account.line("fair weather")
    printed = io.StringIO()
    show(Console(file=printed, width=160), "a storm", account)

    assert "impossible" in as_data(account)["left_out"]
    assert "impossible" in printed.getvalue()
