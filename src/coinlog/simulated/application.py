"""The ASGI application of the made-up market: requests in, envelopes and faults out."""

from __future__ import annotations

import time
from collections.abc import Mapping

from coinlog.errors import UsageError
from coinlog.simulated.answers import Answers, NotFoundError, error_envelope
from coinlog.simulated.delivery import HTML, Receive, Response, Scope, Send, deliver
from coinlog.simulated.faults import (
    API_ERRORS,
    BODY_FAULTS,
    PASSING,
    Weather,
    check_fault,
    spoil,
)
from coinlog.simulated.parameters import BadParameterError, answer_time, parse_query

WRONG_KEY = "wrong"
"""The one API key that is refused; every other is accepted, and so is none."""

_PAGE = b"<!doctype html><title>Simulated</title><p>Simulated: a page instead of an answer.\n"
_UNAVAILABLE = b"<!doctype html><title>Simulated</title><p>Simulated: 503 Service Unavailable.\n"


class Application:
    """Answers requests as CoinMarketCap would, about a market that it makes up."""

    def __init__(self, *, seed: int, assets: int, faults: Mapping[str, float]) -> None:
        self._answers = Answers(seed, assets)
        self._weather = Weather(seed, faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        now = time.time()
        try:
            now = answer_time(wanted) if (wanted := headers.get("x-simulated-time")) else now
            response = self._respond(scope, headers, now)
        except (BadParameterError, UsageError) as error:
            response = _error(now, 400, str(error))
        compress = "gzip" in headers.get("accept-encoding", "")
        await deliver(response, receive, send, compress=compress)

    def _respond(self, scope: Scope, headers: Mapping[str, str], now: float) -> Response:
        fault = headers.get("x-simulated-fault") or self._weather.next_fault()
        if fault:
            check_fault(fault)
            if (response := _instead(fault, now)) is not None:
                return response
        if scope["method"] not in ("GET", "HEAD"):
            return Response(now, 405, error_envelope(now, 405, "only GET is answered"))
        query = parse_query(scope["query_string"].decode("latin-1"))
        if WRONG_KEY in (headers.get("x-cmc_pro_api_key"), query.get("CMC_PRO_API_KEY")):
            return _error(now, 1001)
        path = scope["path"].removeprefix("/public-api")
        try:
            body = self._answers.envelope(path, query, now)
        except NotFoundError:
            return Response(
                now, 404, error_envelope(now, 404, f"there is no endpoint {path[:80]!r}")
            )
        return Response(now, 200, spoil(body, fault) if fault in BODY_FAULTS else body, fault=fault)


def _error(now: float, code: int, message: str | None = None) -> Response:
    error = API_ERRORS[code]
    body = error_envelope(now, code, message or error.message)
    return Response(now, error.status, body, retry_after_seconds=1 if code in PASSING else None)


def _instead(fault: str, now: float) -> Response | None:
    """Return what a fault puts in place of the answer, ``None`` where the answer is sent."""
    if fault.isdecimal() and int(fault) in API_ERRORS:
        return _error(now, int(fault))
    if fault == "503":
        return Response(now, 503, _UNAVAILABLE, HTML)
    if fault == "html":
        return Response(now, 200, _PAGE, HTML)
    if fault == "200-with-error":
        return Response(now, 200, error_envelope(now, 500, API_ERRORS[500].message))
    return None
