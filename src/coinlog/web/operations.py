"""What machines ask: is the process up, can it serve, what does it count."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from coinlog.errors import StoreError, StoreUnavailableError
from coinlog.freshness import Freshness
from coinlog.slots import iso
from coinlog.store.counting import read_counts
from coinlog.web.api import TheWatch
from coinlog.web.metrics import (
    Family,
    about_ledger,
    about_processes,
    about_requests,
    about_store,
    written,
)
from coinlog.web.problems import RETRY_SECONDS, store_away
from coinlog.web.security import error_body

READY_SECONDS = 3.0
"""Whoever asks whether we are ready does not wait for long."""

JSON = "application/json"
PROMETHEUS = "text/plain; version=0.0.4"


@get("/live")
async def live() -> dict[str, str]:
    """Say that the process is up, without asking anyone: a sick database is no reason to die."""
    return {"status": "up"}


@get("/ready")
async def ready(request: Request[Any, Any, Any], watch: TheWatch) -> Response[Any]:
    """Say whether answers can be made: 503 while the store cannot be read, with why and since when.

    How new the data is, ``/fresh`` says.
    """
    error = watch.error
    try:
        looked = asyncio.shield(request.app.state.cache.look_lately())
        await asyncio.wait_for(looked, READY_SECONDS)
    except TimeoutError:
        error = error or StoreUnavailableError("the database has said nothing")
    else:
        error = watch.error
    if error is not None:
        return _not_well(store_away(error, watch.away_since))
    return Response({"status": "ready"})


@get("/fresh")
async def fresh(watch: TheWatch) -> Response[Any]:
    """Say whether a slot was stored when one was due: 503 once its grace has passed.

    While the store is away, what was last known of it is reckoned with. For who watches the
    recorder, and never for a balancer: a page that shows old data is better than none.
    """
    known = watch.last_known()
    if known is None:
        return _not_well("the database was never read: whether a slot was stored is not known")
    found = known.fresh
    if found.stale:
        return _not_well(_staleness(found), "stale")
    return Response(
        {
            "status": "fresh",
            "as_of": found.as_of,
            "slot": found.slot,
            "next_slot": found.next_slot,
            "missed": found.missed,
        }
    )


def _staleness(found: Freshness) -> str:
    if found.slot is None:
        return "no slot is stored yet: `coinlog up` records"
    if not found.missed:
        return f"the newest slot is {iso(found.slot)}, and no schedule says when the next is due"
    return f"{found.missed} slots were due since {iso(found.slot)}, and none of them was stored"


def _not_well(message: str, code: str | None = None) -> Response[Any]:
    later = {"retry-after": str(RETRY_SECONDS)}
    return Response(error_body(503, message, code), media_type=JSON, status_code=503, headers=later)


@get("/metrics", sync_to_thread=True, media_type="text/plain")
def metrics(request: Request[Any, Any, Any], watch: TheWatch) -> Response[str]:
    """Return what there is to count, in Prometheus' text format, over all workers together."""
    tallies = request.app.state.cache.tallies
    ledger: list[Family] = []
    try:
        with watch.moment() as moment:
            counts = watch.once(
                moment, ("counts",), lambda: read_counts(watch.reader, moment.head, moment.now)
            )
            ledger.extend(about_ledger(counts))
    except StoreError:
        up = False
    else:
        up = True
    families = chain(
        about_store(watch.last_known(), watch.away_since, up=up),
        ledger,
        about_requests(tallies),
        about_processes(tallies),
    )
    return Response(written(families), media_type=PROMETHEUS)


OPERATIONS: list[HTTPRouteHandler] = [live, ready, fresh, metrics]
