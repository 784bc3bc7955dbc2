"""Verifying: the last bit of any number, any byte of any file, and nothing else."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

import cmc_server
from cmc_server import CMCServer
from coinlog.archive import MANIFEST, Archive
from coinlog.attempts import AttemptKey, slot_name
from coinlog.errors import DamagedError
from coinlog.loading import sweep
from coinlog.market import Outcome
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.thinning import thin
from coinlog.verdict import read_attempt
from coinlog.verify.flow import verify
from coinlog.verify.notes import Verified
from coinlog.verify.sample import Sample
from coinlog.verify.standing import newest
from market import FEAR_AND_GREED, Desk, answer_all, put_attempt
from recorded import Polls, poll_body, put_poll
from samples import HOUR, SLOT, STEP

SLOTS = 4
DAY = 24 * HOUR
COUNTED = (sa.Integer, sa.BigInteger)
# Written by our own clock, or by others than the archive: nothing to compare them with.
OUR_OWN = {"stored_at", "settled_at"}


@pytest.fixture
def desk(desk: Desk, source: CMCServer) -> Desk:
    """Return a recorder that has recorded some slots: a partial one, and a failed one that rose."""
    for number in range(SLOTS):
        slot = SLOT + number * STEP
        desk.now = slot + 5.0
        answer_all(source, [1, 1027, 7], desk.now)
        if number == 1:
            source.on(FEAR_AND_GREED, cmc_server.html(404))
            desk.record(slot)
            answer_all(source, [1, 1027], desk.now)
            source.on(FEAR_AND_GREED, cmc_server.html(500))
        desk.record(slot)
    return desk


def watch(_what: str, _total: int | None) -> nullcontext[Callable[[int], None]]:
    return nullcontext(lambda _steps: None)


def verified(desk: Desk, url: sa.URL, sample: Sample | None = None) -> Verified:
    return verify(url, desk.archive, watch, sample=sample, clock=desk.clock)


def execute(desk: Desk, statement: Any, *values: Any) -> None:  # noqa: ANN401  whatever SQL takes
    with desk.engine.begin() as connection:
        connection.execute(statement, *values)


def test_what_was_recorded_is_equal_to_the_archive(desk: Desk, store_url: sa.URL) -> None:
    found = verified(desk, store_url)

    assert (found.differences, found.first, found.slots) == (0, (), SLOTS)
    assert found.quotes == len(desk.rows(schema.quote))


@pytest.mark.shared
def test_ten_real_polls_are_equal_and_one_last_bit_is_found(
    store_url: sa.URL, tmp_path: Path, source: CMCServer, real_polls: Polls
) -> None:
    desk = Desk(store_url, tmp_path, source.url)
    for at, rows in real_polls.items():
        put_poll(desk.archive, at, poll_body(at, rows))
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    assert verified(desk, store_url).differences == 0

    row = random.Random(3).choice(desk.mappings(schema.quote))  # noqa: S311
    price = row["price"]
    assert isinstance(price, float)
    here = (schema.quote.c.asset_id == row["asset_id"]) & (schema.quote.c.slot == row["slot"])
    execute(desk, schema.quote.update().where(here).values(price=next_bit(price)))

    found = verified(desk, store_url)
    # The newest slot's quotes are held twice, and the two are compared as well.
    assert 1 <= found.differences <= 2
    assert f"price: store {next_bit(price)!r}, archive {price!r}" in found.first[0]
    desk.engine.dispose()


def next_bit(number: float) -> float:
    """Return a number with its last bit turned."""
    (bits,) = struct.unpack("<q", struct.pack("<d", number))
    return float(struct.unpack("<d", struct.pack("<q", bits ^ 1))[0])


def changed(value: object) -> object:
    """Return the least that a value can change by."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, float):
        return next_bit(value)
    return f"{str(value)[:-1]}{chr(ord(str(value)[-1]) ^ 1)}"


COMPARED = (
    *(schema.quote, schema.latest, schema.slot, schema.attempt, schema.missing),
    *(schema.global_metrics, schema.fear_and_greed, schema.asset, schema.asset_name),
)


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.name)
def test_the_least_change_of_any_value_in_any_table_is_found(
    desk: Desk, store_url: sa.URL, table: sa.Table
) -> None:
    row = desk.mappings(table)[-1]
    here = sa.and_(*(column == row[column.name] for column in table.primary_key))
    for column in table.c:
        if column.name in OUR_OWN or column.primary_key or row[column.name] is None:
            continue
        if column.name == "origin":
            continue
        other = changed(row[column.name])
        execute(desk, table.update().where(here).values({column: other}))
        found = verified(desk, store_url)
        assert found.differences, f"{table.name}.{column.name}: {row[column.name]!r} to {other!r}"
        assert all(text[:4] in {"slot", "Asse"} for text in found.first)
        execute(desk, table.update().where(here).values({column: row[column.name]}))
    assert verified(desk, store_url).differences == 0


@pytest.mark.parametrize("table", COMPARED, ids=lambda table: table.name)
def test_a_row_that_is_gone_is_found(desk: Desk, store_url: sa.URL, table: sa.Table) -> None:
    row = desk.mappings(table)[-1]
    here = sa.and_(*(column == row[column.name] for column in table.primary_key))
    execute(desk, table.delete().where(here))

    assert verified(desk, store_url).differences >= 1


def test_a_difference_is_told_in_plain_words(desk: Desk, store_url: sa.URL) -> None:
    for table, key in ((schema.asset, "id"), (schema.asset_name, "asset_id")):
        execute(desk, table.update().where(table.c[key] == 1).values(name="Bitcoin"))
    here = (schema.quote.c.asset_id == 1) & (schema.quote.c.slot == SLOT)
    execute(desk, schema.quote.update().where(here).values(price=next_bit(100.5)))

    texts = verified(desk, store_url).first

    wanted = (
        "slot 2026-01-26T18:00:00Z, Bitcoin (1), price: store 100.50000000000001, archive 100.5"
    )
    assert wanted in texts


def test_a_quote_that_no_attempt_explains_is_found_wherever_it_is(
    desk: Desk, store_url: sa.URL
) -> None:
    for slot, asset_id in ((SLOT - 9, 1), (SLOT, 99), (SLOT + 10 * STEP, 1027)):
        row = {"asset_id": asset_id, "slot": slot, "price": 1.0, "origin": "observed"}
        execute(desk, schema.quote.insert(), {**row, "resolution": STEP})

    texts = verified(desk, store_url).first

    assert sum("no attempt explains" in text for text in texts) == 3
    assert any("asset 99" in text and "nothing names it" in text for text in texts)


def test_an_attempt_that_waits_is_named_apart_with_the_remedy(
    desk: Desk, store_url: sa.URL
) -> None:
    put_attempt(desk.archive, SLOT + SLOTS * STEP)

    found = verified(desk, store_url)

    assert (found.differences, found.unsettled) == (1, 1)
    assert "coinlog load" in found.first[0]
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    assert verified(desk, store_url).differences == 0


def test_an_attempt_that_the_archive_lacks_is_found(desk: Desk, store_url: sa.URL) -> None:
    (Path(desk.archive.location) / "captures" / slot_name(SLOT) / "1" / "manifest.json").unlink()

    found = verified(desk, store_url)

    assert any("the archive lacks it" in text for text in found.first)


def test_a_flipped_byte_anywhere_in_an_attempt_is_found(own_world: Path, tmp_path: Path) -> None:
    url, archive = one_attempt(own_world, tmp_path)
    for path in sorted(Path(archive.location).rglob("*.*")):
        assert places_unseen(url, archive, path, 11 if path.name == MANIFEST else 5) == []
    assert not differs(url, archive)


def test_a_flipped_byte_is_found_in_what_an_older_coinlog_kept(
    own_world: Path, tmp_path: Path
) -> None:
    url, archive = one_attempt(own_world, tmp_path, hashed=False)
    path = next(Path(archive.location).rglob("*.json.gz"))

    assert places_unseen(url, archive, path) == []


def one_attempt(world: Path, folder: Path, *, hashed: bool = True) -> tuple[sa.URL, Archive]:
    """Return a store and an archive with one attempt, whose manifest tells hashes of its files."""
    url = sa.URL.create("sqlite", database=str(world / "coinlog.db"))
    desk = Desk(url, folder, "")
    put_attempt(desk.archive, SLOT)
    if not hashed:
        forget_file_hashes(desk, AttemptKey(SLOT, "1"))
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    desk.engine.dispose()
    return url, desk.archive


def places_unseen(url: sa.URL, archive: Archive, path: Path, step: int = 5) -> list[int]:
    """Flip a bit of every ``step``-th byte of a file; return the places where nothing was found.

    At its beginning and its end, where gzip keeps what the text does not show, of every byte.
    """
    chance = random.Random(11)  # noqa: S311  a test needs chance, not secrecy
    whole = path.read_bytes()
    unseen = []
    ends = {*range(24), *range(len(whole) - 12, len(whole))}
    for place in sorted(ends.union(range(0, len(whole), step))):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << chance.randrange(8)
        path.write_bytes(spoilt)
        if not differs(url, archive):
            unseen.append(place)
    path.write_bytes(whole)
    return unseen


def differs(url: sa.URL, archive: Archive) -> bool:
    return bool(verify(url, archive, watch).differences)


def forget_file_hashes(desk: Desk, key: AttemptKey) -> None:
    """Write a manifest as it was before it told the hashes of files."""
    manifest, _ = desk.archive.manifest(key)
    old = [msgspec.structs.replace(kept, file_sha256=None) for kept in manifest.answers]
    body = msgspec.json.encode(msgspec.structs.replace(manifest, answers=tuple(old)))
    folder = Path(desk.archive.location) / "captures" / slot_name(key.slot) / key.attempt
    (folder / "manifest.json").write_bytes(body)


def test_a_change_that_leaves_the_answer_whole_does_not_keep_it_from_being_loaded(
    own_world: Path, tmp_path: Path
) -> None:
    url = sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))
    desk = Desk(url, tmp_path, "")
    put_attempt(desk.archive, SLOT)
    path = next(Path(desk.archive.location).rglob("*.json.gz"))
    path.write_bytes(path.read_bytes()[:4] + b"time" + path.read_bytes()[8:])

    altered: list[str] = []
    settlement = read_attempt(desk.archive, AttemptKey(SLOT, "1"), altered)

    assert settlement.outcome is Outcome.STORED
    assert "has changed since it was kept" in altered[0]
    desk.engine.dispose()


def test_a_damaged_answer_is_told_once_and_not_quote_by_quote(
    desk: Desk, store_url: sa.URL
) -> None:
    path = next(Path(desk.archive.location).rglob("listings-1.json.gz"))
    path.write_bytes(path.read_bytes()[:-1])

    found = verified(desk, store_url)

    assert found.differences == 1
    assert "listings-1.json.gz" in found.first[0]


def test_a_sample_compares_so_many_slots_and_says_so(desk: Desk, store_url: sa.URL) -> None:
    found = verified(desk, store_url, Sample(slots=2))
    assert (found.slots, found.sampled, found.differences) == (2, True, 0)
    assert verified(desk, store_url, Sample(share=0.75)).slots == 3
    assert verified(desk, store_url, Sample(slots=99)).slots == SLOTS

    execute(desk, schema.quote.update().values(price=7.0))
    assert verified(desk, store_url, Sample(slots=1)).differences >= 2


def test_what_was_thinned_on_purpose_is_no_difference(desk: Desk, store_url: sa.URL) -> None:
    dropped = (schema.quote.c.slot == SLOT) & (schema.quote.c.asset_id == 1027)
    execute(desk, schema.quote.delete().where(dropped))
    assert verified(desk, store_url).differences == 1

    thinned = {"done_at": SLOT, "older_than": SLOT + 1, "keep_seconds": 86_400, "quotes": 1}
    execute(desk, schema.thinning.insert(), thinned)
    found = verified(desk, store_url)

    assert (found.differences, found.thinned) == (0, 1)


@pytest.mark.parametrize("keep", [DAY, 0])
def test_of_a_thinned_day_one_quote_must_be_left_unless_none_was_to_be_kept(
    store_url: sa.URL, tmp_path: Path, keep: int
) -> None:
    desk = Desk(store_url, tmp_path / "archive", "")
    for number in range(16):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    cut = SLOT // DAY * DAY + 3 * DAY
    list(thin(desk.engine, cut, keep, desk.now))
    assert verified(desk, store_url).differences == 0

    here = (schema.quote.c.asset_id == 1) & (schema.quote.c.slot < cut)
    execute(desk, schema.quote.delete().where(here))
    found = verified(desk, store_url)

    assert found.differences == (3 if keep else 0)
    assert all("Asset 1 (1): thinning keeps one quote until" in text for text in found.first)
    assert verified(desk, store_url, Sample(slots=5)).differences == 0
    desk.engine.dispose()


def test_a_store_that_says_to_be_of_other_data_than_the_archive_is_found(
    desk: Desk, store_url: sa.URL
) -> None:
    execute(desk, schema.store.update().values(source="simulated"))

    assert verified(desk, store_url).first == (
        "the store says that its data is of simulated, archive ['coinmarketcap']",
    )


def test_a_schedule_from_before_anything_was_due_is_found(desk: Desk, store_url: sa.URL) -> None:
    row = {"from_slot": SLOT - 7, "interval_seconds": 60, "assets": "top:2"}
    execute(desk, schema.schedule.insert(), {**row, "source": "coinmarketcap"})

    (text,) = verified(desk, store_url).first

    assert "a schedule from then, and nothing was due before 2026-01-26T18:00:00Z" in text


def test_the_newest_result_is_remembered(desk: Desk, store_url: sa.URL) -> None:
    assert newest(desk.engine) is None
    verified(desk, store_url)
    execute(desk, schema.quote.update().where(schema.quote.c.slot == SLOT).values(price=7.0))
    desk.now += 60
    found = verified(desk, store_url)

    held = newest(desk.engine)
    assert held is not None
    assert (held.started_at, held.differences) == (int(desk.now), found.differences)
    assert (held.detail or "").splitlines() == list(found.first[:10])


def test_verifying_does_not_hold_up_a_recorder(desk: Desk, store_url: sa.URL) -> None:
    def recording(_what: str, _total: int | None) -> nullcontext[Callable[[int], None]]:
        other = open_engine(store_url)
        with other.begin() as connection:
            connection.execute(schema.store.update().values(version=schema.store.c.version + 1))
        other.dispose()
        return nullcontext(lambda _steps: None)

    assert verify(store_url, desk.archive, recording).differences == 0


def test_an_unreadable_manifest_names_itself(desk: Desk, store_url: sa.URL) -> None:
    path = Path(desk.archive.location) / "captures" / slot_name(SLOT) / "1" / "manifest.json"
    path.write_bytes(b"{")
    with pytest.raises(DamagedError):
        desk.archive.manifest(AttemptKey(SLOT, "1"))

    found = verified(desk, store_url)

    assert found.differences == 1
    assert "manifest" in found.first[0]


def test_a_damaged_attempt_hides_nothing_where_a_sound_one_stands(
    desk: Desk, store_url: sa.URL
) -> None:
    slot = SLOT + STEP
    damage(desk, slot, "2")
    found = verified(desk, store_url)
    assert (found.differences, found.uncompared) == (1, 0)

    here = (schema.quote.c.asset_id == 1) & (schema.quote.c.slot == slot)
    execute(desk, schema.quote.update().where(here).values(price=next_bit(100.5)))
    execute(desk, schema.slot.update().where(schema.slot.c.slot == slot).values(credits=999))
    texts = verified(desk, store_url).first

    assert len(texts) == 3
    assert any("price: store 100.50000000000001, archive 100.5" in text for text in texts)
    assert any("credits: store 999" in text for text in texts)


def test_a_damaged_attempt_that_stands_is_counted_and_leaves_the_rest_compared(
    desk: Desk, store_url: sa.URL
) -> None:
    damage(desk, SLOT, "1")
    found = verified(desk, store_url)
    assert (found.differences, found.uncompared) == (1, 1)

    name = {"asset_id": 1, "from_slot": SLOT + 9, "name": "Asset 1", "symbol": "A1", "slug": "a-1"}
    execute(desk, schema.asset_name.insert(), name)
    row = {"from_slot": SLOT - 7, "interval_seconds": 60, "assets": "top:2"}
    execute(desk, schema.schedule.insert(), {**row, "source": "coinmarketcap"})
    texts = "\n".join(verified(desk, store_url).first)

    assert "no answer at 2026-01-26T18:00:09Z explains its name" in texts
    assert "a schedule from then, and nothing was due before 2026-01-26T18:00:00Z" in texts


def damage(desk: Desk, slot: int, attempt: str) -> None:
    """Cut the last byte off an answer."""
    folder = Path(desk.archive.location) / AttemptKey(slot, attempt).folder
    path = folder / "listings-1.json.gz"
    path.write_bytes(path.read_bytes()[:-1])
