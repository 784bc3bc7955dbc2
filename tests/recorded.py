"""The ten recorded polls of the real market, as the attempts that they were."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, Manifest, slot_name
from coinlog.market import Outcome, SourceKind
from coinlog.slots import floor_slot, parse_time
from coinlog.sources.answers import Answer
from market import LISTINGS, encoded
from samples import STEP

Polls = dict[str, list[dict[str, str]]]
"""Rows of polls, by the time at which each was taken."""

IN_QUOTE = (
    *("price", "market_cap", "fully_diluted_market_cap", "volume_24h"),
    *(f"percent_change_{span}" for span in ("1h", "24h", "7d", "30d")),
)
IN_ROW = ("circulating_supply", "total_supply", "max_supply", "num_market_pairs")


def polls(shared: Path) -> Polls:
    """Return the rows of each of the ten recorded polls, by the time at which it was taken."""
    path = shared / "cmc" / "listings_first_10_polls_2026-01-26_to_02-03_top5000.csv.gz"
    found: Polls = {}
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row["snapshot_utc"], []).append(row)
    return found


def poll_body(taken_at: str, rows: list[dict[str, str]]) -> bytes:
    """Return a poll as the answer that it was, as far as its numeric columns tell."""
    keys = ("id", "cmc_rank", "num_market_pairs")
    data = [
        {
            "name": row["symbol"],
            "symbol": row["symbol"],
            "last_updated": row["last_updated"],
            **{key: int(row[key]) for key in keys},
            **{key: float(row[key]) if row[key] else None for key in IN_ROW[:3]},
            "quote": {"USD": {key: float(row[key]) for key in IN_QUOTE if row[key]}},
        }
        for row in rows
    ]
    status = {"timestamp": taken_at, "error_code": 0, "credit_count": 25}
    return encoded({"status": status, "data": data})


def put_poll(archive: Archive, taken_at: str, body: bytes) -> AttemptKey:
    """Put a poll into an archive, as the attempt that it was."""
    moment = parse_time(taken_at)
    key = AttemptKey(floor_slot(moment, STEP), "1")
    answer = Answer("listings-1", LISTINGS, {"limit": "5000"}, 200, body, moment, 1.0)
    archive.finish(
        Manifest(
            slot=slot_name(key.slot),
            attempt=key.attempt,
            outcome=Outcome.STORED,
            reason=None,
            detail="",
            source=SourceKind.COINMARKETCAP,
            interval_seconds=STEP,
            assets="top:5000",
            started_at=moment,
            captured_at=moment,
            credits=25,
            answers=(archive.keep(key, answer),),
            program="another recorder",
        )
    )
    return key
