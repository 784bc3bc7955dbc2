"""The reckoning: what stands in the store and the archive, against what is true."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from coinlog.archive import Archive, open_archive
from coinlog.errors import DamagedError
from coinlog.loading import sweep
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.fates import read_fates
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader
from coinlog.verify.flow import verify
from market import LISTINGS
from weather.damage import unnamed, unwatched
from weather.source import Asked
from weather.truth import FIAT, FIELDS, STEP, Fate, Truth, fear, number, total_cap
from weather.world import World

LATER = 10 * STEP
"""When the account is made: every slot's grace has passed by then."""


OURS = ("lost", "doubled", "torn", "untrue")
"""The faults of ours that there can be."""


@dataclass
class Found:
    """What there is, by slot, after everything has been settled."""

    fates: dict[int, Fate]
    ledger: dict[int, dict[str, Any]]
    quotes: dict[int, dict[int, dict[str, Any]]]
    rows: Counter[int]
    missing: dict[int, list[dict[str, Any]]]
    caps: dict[int, float | None]
    fears: dict[int, float]
    settled: set[tuple[int, str]]
    kept: set[tuple[int, str]]
    bodies: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    """The SHA-256 of every answer kept in an attempt that stands, by its name."""

    differences: list[str] = field(default_factory=list)


@dataclass
class Line:
    """One fault's line of the table."""

    fault: str
    times: int = 0
    slots: int = 0
    stored: int = 0
    partial: int = 0
    missed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    untrue: int = 0


@dataclass
class Account:
    """What a storm left: a line for each fault, and each fault of ours in words."""

    lines: dict[str, Line] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    left_out: Sequence[str] = ()
    """Faults that cannot be made to happen on this machine."""

    @property
    def clean(self) -> bool:
        """Whether every promise was kept, and there was something to promise."""
        return bool(self.lines) and not self.faults

    def line(self, fault: str) -> Line:
        return self.lines.setdefault(fault, Line(fault))

    def charge(self, fault: str, kind: str, words: str) -> None:
        """Count a fault of ours: ``lost``, ``doubled``, ``torn`` or ``untrue``."""
        line = self.line(fault)
        setattr(line, kind, getattr(line, kind) + 1)
        self.faults.append(f"{kind}, {fault}: {words}")


def reckon(world: World, account: Account) -> None:
    """Settle what is left in a world, look at all of it, and write it into an account."""
    for one in world.worlds():
        found = one.do(look, one.direct_url, one.archive, max(one.book, default=0))
        asked = _by_slot(one.source.asked())
        for slot, entry in sorted(one.book.items()):
            _count(account.line(entry.fault), found.fates.get(slot))
            for kind, words in _judge(slot, entry.truth, found, asked.get(slot, [])):
                if slot in one.damaged and kind == "lost" and "can be read" in words:
                    continue
                account.charge(entry.fault, kind, f"slot {iso(slot)}: {words}")
        for kind, words in _strays(found, one):
            account.charge("at the end", kind, words)
        for fault, words in one.complaints:
            account.charge(fault, "untrue", words)


def look(url: sa.URL, folder: Path, last: int) -> Found:
    """Settle all that is in the archive, verify, and return what there is."""
    engine, archive = open_engine(url), open_archive(str(folder))
    try:
        list(sweep(engine, archive))
        found = _read(engine, archive, last)
        verified = verify(url, archive, unwatched, clock=lambda: float(last + LATER))
    finally:
        engine.dispose()
    found.differences += verified.first
    if (more := verified.differences - len(verified.first)) > 0:
        found.differences.append(f"verify found {more} more")
    return found


def _read(engine: sa.Engine, archive: Archive, last: int) -> Found:
    reader = Reader(engine)
    fates = read_fates(reader, read_head(reader), last + LATER, 0, last)
    with engine.connect() as connection:
        ledger = {row["slot"]: row for row in _rows(connection, schema.slot)}
        quotes: defaultdict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        rows: Counter[int] = Counter()
        for row in _rows(connection, schema.quote):
            quotes[row["slot"]][row["asset_id"]] = row
            rows[row["slot"]] += 1
        missing = defaultdict(list)
        for row in _rows(connection, schema.missing):
            missing[row["slot"]].append(row)
        metrics = _rows(connection, schema.global_metrics)
        fears = _rows(connection, schema.fear_and_greed)
        settled = {(row["slot"], row["attempt"]) for row in _rows(connection, schema.attempt)}
        differences = _integrity(connection)
    return Found(
        fates={fate.slot: (fate.outcome, fate.reason) for fate in fates},
        ledger=ledger,
        quotes=dict(quotes),
        rows=rows,
        missing=dict(missing),
        caps={row["slot"]: row["total_market_cap"] for row in metrics},
        fears={row["slot"]: row["value"] for row in fears},
        settled=settled,
        kept={(key.slot, key.attempt) for key in archive.attempts()},
        bodies=_bodies(archive, ledger),
        differences=differences,
    )


def _rows(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def _integrity(connection: sa.Connection) -> list[str]:
    """Return what the database itself finds wrong with its tables."""
    if connection.dialect.name == "sqlite":
        said = connection.execute(sa.text("PRAGMA integrity_check")).scalars().all()
        return [] if said == ["ok"] else [str(line) for line in said]
    names = ", ".join(table.name for table in schema.metadata.sorted_tables)
    checked = connection.execute(sa.text(f"CHECK TABLE {names}")).fetchall()
    return [str(tuple(row)) for row in checked if row.Msg_text != "OK"]


def _bodies(
    archive: Archive, ledger: dict[int, dict[str, Any]]
) -> dict[tuple[int, str], dict[str, str]]:
    """Return the hashes of what the standing attempts keep, unpacked and reckoned anew."""
    found = {}
    for key in archive.attempts():
        if ledger.get(key.slot, {}).get("attempt") != key.attempt:
            continue
        try:
            answers = archive.answers(key, archive.manifest(key)[0])
        except DamagedError:
            continue
        hashes = {one.name: hashlib.sha256(one.body).hexdigest() for one in answers}
        found[key.slot, key.attempt] = hashes
    return found


def _by_slot(asked: Sequence[Asked]) -> dict[int, list[Asked]]:
    found: defaultdict[int, list[Asked]] = defaultdict(list)
    for one in asked:
        found[one.slot].append(one)
    return found


def _count(line: Line, fate: Fate | None) -> None:
    line.slots += 1
    outcome, reason = fate or ("missed", None)
    if outcome == "failed":
        line.failed[str(reason)] += 1
    else:
        setattr(line, outcome, getattr(line, outcome) + 1)


def _judge(
    slot: int, truth: Truth, found: Found, asked: Sequence[Asked]
) -> Iterator[tuple[str, str]]:
    """Yield each fault of ours at a slot: its kind and words."""
    fate = found.fates.get(slot)
    if fate not in truth.fates:
        kind = "lost" if fate is None or fate[0] == "missed" else "untrue"
        yield kind, f"it is {fate}, and may be {sorted(truth.fates, key=str)}: {_said(found, slot)}"
    elif fate[0] != "stored" and truth.said not in _said(found, slot):
        yield "untrue", f"{_said(found, slot)!r} does not say {truth.said!r}"
    calls = sum(one.path == LISTINGS for one in asked)
    if truth.most_calls is not None and calls > truth.most_calls:
        yield "doubled", f"the source was asked {calls} times, and {truth.most_calls} were enough"
    yield from _judge_quotes(slot, truth, found)
    if fate and fate[0] in {"stored", "partial"}:
        yield from _judge_parts(slot, truth, found, fate[0])
        yield from _judge_archive(slot, found, asked, whole=fate[0] == "stored")


def _said(found: Found, slot: int) -> str:
    row = found.ledger.get(slot, {})
    details = [str(line["detail"]) for line in found.missing.get(slot, [])]
    return "; ".join([str(row.get("detail") or ""), *details])


def _judge_quotes(slot: int, truth: Truth, found: Found) -> Iterator[tuple[str, str]]:
    outcome = found.fates.get(slot, ("missed", None))[0]
    held = found.quotes.get(slot, {})
    named = {
        line["asset_id"]: line["reason"]
        for line in found.missing.get(slot, [])
        if line["asset_id"] is not None
    }
    lacking = named if truth.lacking is None else truth.lacking
    lacking = lacking if outcome == "partial" else {}
    expected = set(truth.assets) - lacking.keys() if outcome in {"stored", "partial"} else set()
    if lost := expected - held.keys():
        yield "torn", f"it is {outcome} and has no quote of {sorted(lost)[:5]}"
    if more := held.keys() - expected:
        yield "untrue", f"it is {outcome} and has quotes of {sorted(more)[:5]}"
    if found.rows[slot] > len(held):
        yield "doubled", f"it has {found.rows[slot]} quotes of {len(held)} assets"
    if outcome == "partial" and truth.lacking is not None and named != dict(truth.lacking):
        yield "untrue", f"it lacks {dict(truth.lacking)}, and the ledger says {named}"
    yield from _judge_numbers(slot, found, held)


def _judge_numbers(
    slot: int, found: Found, held: dict[int, dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    observed_at = found.ledger.get(slot, {}).get("observed_at")
    for asset_id, row in held.items():
        moment = slot if asset_id in FIAT or observed_at is None else observed_at
        for name in FIELDS:
            if row[name] != (served := number(name, asset_id, moment)):
                yield "untrue", f"asset {asset_id}: {name} is {row[name]!r}, served {served!r}"
                return


def _judge_parts(slot: int, truth: Truth, found: Found, outcome: str) -> Iterator[tuple[str, str]]:
    lacks = {line["what"] for line in found.missing.get(slot, []) if line["what"] != "quote"}
    lacks = {what for what in lacks if not what.startswith(("quotes-", "listings-"))}
    if truth.lacking is not None and lacks != (truth.parts if outcome == "partial" else set()):
        yield "untrue", f"it lacks {sorted(truth.parts)}, and the ledger says {sorted(lacks)}"
    if "global-metrics" not in lacks and found.caps.get(slot) != total_cap(slot):
        yield "untrue", f"the market's cap is {found.caps.get(slot)!r}, served {total_cap(slot)!r}"
    if "fear-and-greed" not in lacks and found.fears.get(slot) != fear(slot):
        yield "untrue", f"fear is {found.fears.get(slot)!r}, served {fear(slot)!r}"


def _judge_archive(
    slot: int, found: Found, asked: Sequence[Asked], *, whole: bool
) -> Iterator[tuple[str, str]]:
    """Compare what the archive keeps with what was served, by hash."""
    attempt = str(found.ledger[slot]["attempt"])
    bodies = found.bodies.get((slot, attempt))
    served = {one.sha256 for one in asked}
    if bodies is None:
        yield "lost", f"the archive has no attempt {attempt} that can be read"
    elif whole and (altered := [name for name, body in bodies.items() if body not in served]):
        yield "untrue", f"{altered} in the archive are not as they were served"


def _strays(found: Found, world: World) -> Iterator[tuple[str, str]]:
    """Yield what is wrong at no slot of the book, or with the whole."""
    for slot, attempt in sorted(found.kept - found.settled):
        yield "lost", f"attempt {attempt} of slot {iso(slot)} is in the archive and not settled"
    for slot in sorted((found.quotes.keys() | found.ledger.keys()) - world.book.keys()):
        yield "untrue", f"slot {iso(slot)} is in the store and was never to be recorded"
    for slot in sorted(found.quotes.keys() - found.ledger.keys()):
        yield "torn", f"slot {iso(slot)} has quotes and no row in the ledger"
    yield from unnamed(found.differences, world.damaged)
