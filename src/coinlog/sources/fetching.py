"""One try of one request: what came back, or why nothing did."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping

import httpx
import msgspec

from coinlog.errors import BrokenAnswerError, SourceError, UnavailableError
from coinlog.market import Reason
from coinlog.sources.deadline import Deadline
from coinlog.sources.hiding import Hide
from coinlog.sources.inflate import Inflater
from coinlog.sources.remedies import judge
from coinlog.sources.texts import one_line
from coinlog.sources.waiting import asked_wait, http_date

_EVIDENCE_BYTES = 64 * 1024


class Got(msgspec.Struct):
    """What one try got. ``status`` is 0 and ``body`` empty where nothing came."""

    status: int = 0
    body: bytes = b""
    server_date: int | None = None
    error: SourceError | None = None


def fetch_once(  # noqa: PLR0913  a request, and by what it is bound
    http: httpx.Client,
    url: str,
    params: Mapping[str, str],
    *,
    limit_bytes: int,
    deadline: Deadline,
    hide: Hide,
) -> Got:
    """Make one request; a failure of any kind is in ``error``.

    ``hide`` takes out of an answer what must not be kept or told, before it is looked at.
    """
    got = Got()
    try:
        with http.stream("GET", url, params=params) as response:
            got.status = response.status_code
            got.server_date = _server_date(response.headers)
            _refuse_redirect(response, hide)
            _read_body(response, got, limit_bytes, hide)
            got.error = _judged(response, got)
    except SourceError as error:
        got.error = error
    except httpx.TimeoutException as error:
        got.error = UnavailableError(_too_slow(error, deadline), reason=Reason.TIMEOUT)
    except httpx.HTTPError as error:
        got.error = _unreachable(error)
    return got


def _read_body(response: httpx.Response, got: Got, limit_bytes: int, hide: Hide) -> None:
    """Read the body into ``got``, as far as it comes: a cut-off one is evidence too."""
    inflater = Inflater(response.headers.get("content-encoding", ""), limit_bytes)
    try:
        for chunk in response.iter_raw():
            inflater.feed(chunk)
        inflater.finish()
    except BrokenAnswerError:
        del inflater.body[_EVIDENCE_BYTES:]
        raise
    finally:
        got.body = hide(bytes(inflater.body))


def _judged(response: httpx.Response, got: Got) -> SourceError | None:
    now = got.server_date or time.time()
    error = judge(got.status, got.body, now)
    if error and error.heals:
        error.retry_after_seconds = asked_wait(response.headers, now)
    return error


def _refuse_redirect(response: httpx.Response, hide: Hide) -> None:
    if response.is_redirect:
        location = hide(response.headers.get("location", "").encode()).decode()
        target = one_line(location.partition("?")[0], 120)
        raise BrokenAnswerError(
            f"got HTTP {response.status_code}, a redirect to {target!r}, and did not follow it: "
            "the key and the numbers belong to one host; check COINLOG_CMC_URL"
        )


def _server_date(headers: Mapping[str, str]) -> int | None:
    """Return the server's clock: a cache keeps the Date of old and counts its Age beside it."""
    date = http_date(headers.get("date", ""))
    age = headers.get("age", "")
    return date + int(age) if date and age.isdecimal() and len(age) < 10 else date  # noqa: PLR2004


def _too_slow(error: httpx.TimeoutException, deadline: Deadline) -> str:
    if deadline.left() <= 0:
        return (
            f"no whole answer within the deadline of {deadline.seconds:g} s: the source or the "
            "network is slow; try again later"
        )
    step = "a connection" if isinstance(error, httpx.ConnectTimeout) else "the next bytes"
    return f"waited too long for {step}: the source or the network is slow; try again later"


def _unreachable(error: httpx.HTTPError) -> UnavailableError:
    why = one_line(str(error)) or type(error).__name__
    if _is_certificate(error):
        failure = UnavailableError(
            f"the server's certificate is not to be trusted ({why}): expected the source itself; "
            "something may be reading along, or this machine's clock or CA list is wrong"
        )
        failure.heals = False
        return failure
    return UnavailableError(
        f"the source could not be reached or broke off ({why}): check the network; `coinlog up` "
        "asks again by itself"
    )


def _is_certificate(error: BaseException | None) -> bool:
    while error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
