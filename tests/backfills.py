"""Backfilled answers put into an archive by hand: of an asset, of the market, of its mood.

And what is in a store once they are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import slot_name
from coinlog.backfill.kept import BackfillKey, BackfillManifest, finish
from coinlog.loading import sweep
from coinlog.market import Asset, Outcome, SourceKind
from coinlog.slots import iso
from coinlog.sources.answers import Answer
from coinlog.store import schema
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS
from market import Desk, encoded
from samples import STEP, asset

Points = Mapping[int, float]


def put_asset_history(
    archive: Archive, asset_id: int, points: Points, resolution: int, number: int = 1
) -> None:
    """Put the prices of an asset, by their times, into an archive; number 2 came after 1."""
    rows = [
        {"timestamp": iso(time), "quote": {"USD": {"price": price, "timestamp": iso(time)}}}
        for time, price in points.items()
    ]
    data = {str(asset_id): {"id": asset_id, "quotes": rows}}
    about = asset(asset_id)
    _put(archive, f"asset-{asset_id}", about, points, resolution, data, number)


def put_market_history(archive: Archive, points: Points, resolution: int) -> None:
    """Put Bitcoin's share of the market, by its times, into an archive."""
    rows = [
        {"timestamp": iso(time), "btc_dominance": share, "quote": {"USD": {}}}
        for time, share in points.items()
    ]
    _put(archive, GLOBAL_METRICS, None, points, resolution, {"quotes": rows})


def put_mood_history(archive: Archive, points: Points, resolution: int) -> None:
    """Put values of fear and greed, by their times, into an archive."""
    rows = [
        {"timestamp": str(time), "value": value, "value_classification": "Fear"}
        for time, value in points.items()
    ]
    _put(archive, FEAR_AND_GREED, None, points, resolution, rows)


def stored(desk: Desk, asset_id: int) -> dict[int, sa.Row[Any]]:
    """Return the quotes of an asset by slot."""
    table = schema.quote
    return {row.slot: row for row in desk.rows(table, table.c.asset_id == asset_id)}


def prices(desk: Desk, asset_id: int) -> dict[int, float]:
    """Return the prices of an asset by slot."""
    return {slot: row.price for slot, row in stored(desk, asset_id).items()}


def load_all(desk: Desk) -> None:
    """Settle all that waits in an archive."""
    list(sweep(desk.engine, desk.archive, clock=desk.clock))


def _put(  # noqa: PLR0913, PLR0917  a request and its answer
    archive: Archive,
    target: str,
    about: Asset | None,
    points: Points,
    resolution: int,
    data: object,
    number: int = 1,
) -> None:
    start, end = min(points), max(points)
    name = f"{slot_name(start)}-{slot_name(end)}-{resolution}-{number}"
    key = BackfillKey(target, name)
    now = end + 86_400.0 + number
    body = encoded({"status": {"error_code": 0, "credit_count": 1}, "data": data})
    kept = archive.keep(key, Answer("history-1", f"history/{target}", {}, 200, body, now, 0.2))
    manifest = BackfillManifest(
        target=target,
        attempt=key.attempt,
        asset=about,
        from_time=start,
        to_time=end,
        resolution=resolution,
        interval_seconds=STEP,
        outcome=Outcome.STORED,
        reason=None,
        detail="",
        source=SourceKind.COINMARKETCAP,
        captured_at=now,
        credits=1,
        answers=(kept,),
        program="test",
    )
    assert finish(archive, manifest)
