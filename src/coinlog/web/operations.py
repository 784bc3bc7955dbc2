"""What machines ask: is the process up, can it serve, what does it count."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from litestar import Request, Response, get

from coinlog.errors import StoreError
from coinlog.store.ledger import count_outcomes
from coinlog.web.api import TheWatch
from coinlog.web.problems import STORE_AWAY
from coinlog.web.security import error_body
from coinlog.web.watch import Moment

READY_SECONDS = 3.0
JSON = "application/json"
PROMETHEUS = "text/plain; version=0.0.4"


@get("/live")
async def live() -> dict[str, str]:
    """Say that the process is up, without asking anyone: a sick database is no reason to die."""
    return {"status": "up"}


@get("/ready")
async def ready(watch: TheWatch) -> Response[Any]:
    """Say whether answers can be made: 503 while the store cannot be read."""
    try:
        await asyncio.wait_for(asyncio.to_thread(watch.look), READY_SECONDS)
    except TimeoutError:
        away = True
    else:
        away = watch.error is not None
    if away:
        return Response(error_body(503, STORE_AWAY), media_type=JSON, status_code=503)
    return Response({"status": "ready"})


@get("/metrics", sync_to_thread=True, media_type="text/plain")
def metrics(request: Request[Any, Any, Any], watch: TheWatch) -> Response[str]:
    """Return what there is to count, in Prometheus' text format."""
    cache = request.app.state.cache
    worker = f'{{worker="{os.getpid()}"}}'
    lines = [
        _metric("coinlog_cache_hits_total", "counter", cache.hits, worker),
        _metric("coinlog_cache_misses_total", "counter", cache.misses, worker),
        _metric("coinlog_cache_bytes", "gauge", cache.entries.bytes, worker),
    ]
    try:
        with watch.moment() as moment:
            lines += _store_metrics(moment, count_outcomes(watch.reader))
    except StoreError:
        lines.append(_metric("coinlog_store_up", "gauge", 0))
    return Response("".join(lines), media_type=PROMETHEUS)


def _store_metrics(moment: Moment, outcomes: dict[str, int]) -> list[str]:
    fresh = moment.fresh
    counts = "".join(
        f'coinlog_slots{{outcome="{outcome}"}} {count}\n' for outcome, count in outcomes.items()
    )
    return [
        _metric("coinlog_store_up", "gauge", 1),
        _metric("coinlog_store_version", "counter", moment.head.version),
        _metric("coinlog_stale", "gauge", int(fresh.stale)),
        _metric("coinlog_missed_slots", "gauge", fresh.missed),
        _metric("coinlog_newest_slot_seconds", "gauge", fresh.slot or 0),
        _metric("coinlog_observed_at_seconds", "gauge", fresh.as_of or 0),
        _metric("coinlog_next_slot_seconds", "gauge", fresh.next_slot or 0),
        _metric("coinlog_simulated", "gauge", int(moment.simulated)),
        f"# TYPE coinlog_slots gauge\n{counts}",
    ]


def _metric(name: str, kind: str, value: int, labels: str = "") -> str:
    return f"# TYPE {name} {kind}\n{name}{labels} {value}\n"
