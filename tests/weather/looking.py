"""What stands in the store and the archive when a storm is over, read and not judged."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from coinlog.archive import Archive, open_archive
from coinlog.errors import DamagedError
from coinlog.loading import sweep
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.fates import read_fates
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader
from coinlog.verify.flow import verify
from weather.damage import unwatched
from weather.truth import STEP, Fate

LATER = 10 * STEP
"""When the account is made: every slot's grace has passed by then."""

Attempt = tuple[int, str]
"""A slot and the name of an attempt at it."""

Bodies = dict[str, str]
"""The SHA-256 of every answer of an attempt, by the name of the answer."""


@dataclass
class Found:
    """What there is, by slot."""

    fates: dict[int, Fate]
    ledger: dict[int, dict[str, Any]]
    quotes: dict[int, dict[int, dict[str, Any]]]
    missing: dict[int, list[dict[str, Any]]]
    caps: dict[int, float | None]
    fears: dict[int, float]
    kept: dict[int, dict[str, Bodies | None]]
    """What each attempt in the archive keeps, by its name; ``None`` where it cannot be read."""

    unsettled: set[Attempt] = field(default_factory=set)
    """Attempts that lay in the archive and that no recorder had settled."""

    differences: list[str] = field(default_factory=list)
    bill: dict[str, int] = field(default_factory=dict)
    """The credits that the source has charged for each answer, by its hash."""


def look(url: sa.URL, folder: Path, last: int) -> Found:
    """Return what there is, first what the recorders left unsettled; then settle and verify it."""
    engine, archive = open_engine(url), open_archive(str(folder))
    try:
        unsettled = _unsettled(engine, archive)
        list(sweep(engine, archive))
        found = _read(engine, archive, last)
        verified = verify(url, archive, unwatched, clock=lambda: float(last + LATER))
    finally:
        engine.dispose()
    found.unsettled = unsettled
    found.differences += verified.first
    if (more := verified.differences - len(verified.first)) > 0:
        found.differences.append(f"verify found {more} more")
    return found


def _unsettled(engine: sa.Engine, archive: Archive) -> set[Attempt]:
    with engine.connect() as connection:
        settled = {(row["slot"], row["attempt"]) for row in _rows(connection, schema.attempt)}
    return {(key.slot, key.attempt) for key in archive.attempts()} - settled


def _read(engine: sa.Engine, archive: Archive, last: int) -> Found:
    reader = Reader(engine)
    fates = read_fates(reader, read_head(reader), last + LATER, 0, last)
    with engine.connect() as connection:
        ledger = {row["slot"]: row for row in _rows(connection, schema.slot)}
        quotes: defaultdict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        for row in _rows(connection, schema.quote):
            quotes[row["slot"]][row["asset_id"]] = row
        missing = defaultdict(list)
        for row in _rows(connection, schema.missing):
            missing[row["slot"]].append(row)
        metrics = _rows(connection, schema.global_metrics)
        fears = _rows(connection, schema.fear_and_greed)
        differences = _integrity(connection)
    return Found(
        fates={fate.slot: (fate.outcome, fate.reason) for fate in fates},
        ledger=ledger,
        quotes=dict(quotes),
        missing=dict(missing),
        caps={row["slot"]: row["total_market_cap"] for row in metrics},
        fears={row["slot"]: row["value"] for row in fears},
        kept=_kept(archive),
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


def _kept(archive: Archive) -> dict[int, dict[str, Bodies | None]]:
    """Return what each attempt keeps, unpacked and its hashes reckoned anew."""
    kept: defaultdict[int, dict[str, Bodies | None]] = defaultdict(dict)
    for key in archive.attempts():
        hashes = None
        with suppress(DamagedError):
            answers = archive.answers(key, archive.manifest(key)[0])
            hashes = {one.name: hashlib.sha256(one.body).hexdigest() for one in answers}
        kept[key.slot][key.attempt] = hashes
    return dict(kept)
