"""Which error an answer is, typed by its remedy: from the HTTP status and the source's own code.

An answer can carry its error inside an HTTP 200, and an HTTP error can come from a CDN or a proxy
that is not the source at all.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

from coinlog.errors import (
    BrokenAnswerError,
    ClockError,
    PlanError,
    QuotaError,
    RateLimitedError,
    RefusedRequestError,
    SourceError,
    UnavailableError,
    WrongKeyError,
)
from coinlog.market import Reason
from coinlog.slots import iso
from coinlog.sources.answers import Answer
from coinlog.sources.status import Status, read_status
from coinlog.sources.texts import first_words

_OK, _BAD_REQUEST, _NOT_FOUND, _SERVER_ERROR = 200, 400, 404, 500
_HEALING_STATUS = {500, 502, 503, 504}
_RATE = {429, 1008, 1011}
_DAY_SPENT, _MONTH_SPENT = 1009, 1010

# The source's own codes, and HTTP's where it gives none of its own.
_REMEDIES: tuple[tuple[set[int], type[SourceError], str], ...] = (
    (
        {401, 1001, 1002, 1005, 1007},
        WrongKeyError,
        "set COINLOG_API_KEY to a valid key, or unset it to ask without one",
    ),
    (
        {402, 403, 1003, 1004, 1006},
        PlanError,
        "the key's plan does not allow this; change the plan or the settings",
    ),
    (_RATE, RateLimitedError, "too many requests in a minute; ask less often"),
)

_OF_REASON: dict[Reason, type[SourceError]] = {
    Reason.WRONG_KEY: WrongKeyError,
    Reason.PLAN: PlanError,
    Reason.QUOTA: QuotaError,
    Reason.RATE_LIMITED: RateLimitedError,
    Reason.REFUSED_REQUEST: RefusedRequestError,
    Reason.CLOCK_SKEW: ClockError,
}


def error_of(answer: Answer) -> SourceError | None:
    """Return the error that an answer stands for, None for one that can be used.

    The answer itself can still turn out to be unreadable: ``read_market`` raises then.
    """
    if answer.reason in (Reason.UNREACHABLE, Reason.TIMEOUT, Reason.SERVER_ERROR):
        return UnavailableError(answer.detail, reason=answer.reason)
    if answer.reason:
        return _OF_REASON.get(answer.reason, BrokenAnswerError)(answer.detail)
    return judge(answer.status, answer.body, answer.server_date or answer.received_at)


def judge(http: int, body: bytes, now: float) -> SourceError | None:
    """Return the error of an HTTP status and body, None where there is none.

    ``now`` (seconds UTC) is for saying until when a quota is spent.
    """
    try:
        status = read_status(body)
    except BrokenAnswerError as error:
        return _without_json(http, body, error)
    if http == _OK and not status.error_code:
        return None
    return _with_json(http, status, now)


def _with_json(http: int, status: Status, now: float) -> SourceError:
    code, said = status.error_code, _said(http, status)
    if code in (_DAY_SPENT, _MONTH_SPENT):
        return QuotaError(f"{said}: {_until(code, now)}")
    # The source's code is finer than HTTP's, and the only one where HTTP says 200.
    for number in (code, http):
        for codes, error, remedy in _REMEDIES:
            if number in codes:
                return error(f"{said}: {remedy}")
    failing = http if http >= _SERVER_ERROR else code
    if failing in range(_SERVER_ERROR, 600):
        return _server_error(f"{said}: the source is failing; try again later", failing)
    if _BAD_REQUEST in (http, code) or http in range(_BAD_REQUEST, _SERVER_ERROR):
        return RefusedRequestError(f"{said}: the request is wrong; check COINLOG_ASSETS")
    return BrokenAnswerError(f"{said}: expected HTTP 200 with error code 0; try again later")


def _without_json(http: int, body: bytes, error: BrokenAnswerError) -> SourceError:
    """Judge an answer that is not the source's: from a CDN, a proxy, or cut off."""
    got = f"got HTTP {http} that is not JSON, beginning with {first_words(body)}"
    if http in _RATE:
        return RateLimitedError(f"{got}: too many requests; ask less often")
    if http >= _SERVER_ERROR:
        return _server_error(f"{got}: the source, or a proxy before it, is failing", http)
    if http == _NOT_FOUND:
        return RefusedRequestError(f"{got}: there is no such address; check COINLOG_CMC_URL")
    if http == _OK:
        return error
    return BrokenAnswerError(
        f"{got}: expected JSON from the source; a CDN, firewall or proxy seems to have answered in "
        "its place: check COINLOG_CMC_URL and the network"
    )


def _server_error(message: str, http: int) -> UnavailableError:
    error = UnavailableError(message, reason=Reason.SERVER_ERROR)
    error.heals = http in _HEALING_STATUS
    return error


def _said(http: int, status: Status) -> str:
    sentence = f" {status.message!r}" if status.message else ""
    return f"got HTTP {http} with error code {status.error_code}{sentence}"


def _until(code: int, now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if code == _DAY_SPENT:
        end = moment + timedelta(days=1)
        return f"the day's credits are spent until {iso(end.timestamp())}; ask for less or wait"
    days = calendar.monthrange(moment.year, moment.month)[1]
    end = moment.replace(day=1) + timedelta(days=days)
    return (
        f"the month's credits are spent until {iso(end.timestamp())} (paid plans: until the "
        "billing date, which `coinlog doctor` reads from key/info); ask for less or wait"
    )
