"""Made-up snapshots, settlements and API bodies for tests."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coinlog.market import Asset, Missing, Outcome, Quote, Reason, Snapshot, SourceKind
from coinlog.slots import Schedule, iso
from coinlog.store.settlements import Settlement

HOUR = 3600
STEP = 6 * HOUR
SLOT = 1_769_450_400
"""2026-01-26T18:00:00Z, a slot of the 6-hour schedule."""


def quote(asset_id: int, price: float = 100.5, **values: object) -> Quote:
    """Return a quote that has little more than a price."""
    return msgspec.convert({"asset_id": asset_id, "price": price, **values}, Quote)


def asset(asset_id: int, name: str | None = None, symbol: str | None = None) -> Asset:
    """Return an asset; ``Asset 7`` (A7) unless it is called otherwise."""
    name = name or f"Asset {asset_id}"
    return Asset(asset_id, name, symbol or f"A{asset_id}", f"asset-{asset_id}")


def snapshot(
    ids: Sequence[int] = (1, 1027),
    *,
    price: float = 100.5,
    observed_at: int = SLOT + 12,
    missing: Sequence[Missing] = (),
    source: SourceKind = SourceKind.COINMARKETCAP,
) -> Snapshot:
    """Return a snapshot with a quote for each id."""
    return Snapshot(
        observed_at=observed_at,
        source=source,
        assets=tuple(asset(asset_id) for asset_id in ids),
        quotes=tuple(quote(asset_id, price) for asset_id in ids),
        missing=tuple(missing),
    )


def settlement(
    slot: int = SLOT,
    attempt: str = "1",
    found: Snapshot | None = None,
    *,
    interval_seconds: int = STEP,
    source: SourceKind = SourceKind.COINMARKETCAP,
) -> Settlement:
    """Return a settlement of a snapshot, or of a failure where there is none."""
    return Settlement(
        slot=slot,
        attempt=attempt,
        outcome=found.outcome if found else Outcome.FAILED,
        reason=None if found else Reason.TIMEOUT,
        detail="" if found else "no answer within 90 s",
        captured_at=slot + 13,
        schedule=Schedule(slot, interval_seconds, "top:2", source),
        credits=3,
        body_bytes=1234,
        duration_ms=900,
        sha256="ab" * 32,
        snapshot=found,
    )


def refused(asset_id: int) -> Missing:
    """Return a refused row of an asset."""
    return Missing("quote", Reason.REFUSED, f"asset {asset_id}: price is null", asset_id)


def listings_body(ids: Sequence[int], at: float, price: float = 100.5) -> bytes:
    """Return a v3 ``listings/latest`` answer with a row for each id, as of ``at``."""
    rows = [
        {
            "id": asset_id,
            "name": f"Asset {asset_id}",
            "symbol": f"A{asset_id}",
            "slug": f"asset-{asset_id}",
            "cmc_rank": rank,
            "num_market_pairs": 5,
            "circulating_supply": 10,
            "total_supply": 10,
            "max_supply": None,
            "last_updated": iso(at),
            "quote": [{"id": 2781, "symbol": "USD", "price": price, "market_cap": price * 10}],
        }
        for rank, asset_id in enumerate(ids, 1)
    ]
    status = {"timestamp": iso(at), "error_code": "0", "error_message": "", "credit_count": 1}
    return msgspec.json.encode({"data": rows, "status": status})
