"""How long to wait before a further try: what the source asks for, else a backoff with jitter."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from coinlog.errors import RateLimitedError, SourceError

_BACKOFF_SECONDS, _MOST_BACKOFF_SECONDS = 0.5, 8.0
_RATE_SECONDS, _MOST_RATE_SECONDS = 20.0, 60.0
_JITTER = 0.25
_EPOCH_FROM, _MILLISECONDS_FROM = 1e9, 1e12


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a response asks us to wait, None where it does not say.

    Reads Retry-After (seconds or an HTTP date), else x-ratelimit-reset (seconds, or epoch seconds
    or milliseconds). ``now`` is seconds UTC by the clock that the header is meant by.
    """
    text = headers.get("retry-after", "")
    wait = _number(text)
    if wait is None and text:
        date = http_date(text)
        wait = None if date is None else date - now
    if wait is None:
        wait = _number(headers.get("x-ratelimit-reset", ""))
        if wait is not None and wait >= _EPOCH_FROM:
            wait = wait / (1000 if wait >= _MILLISECONDS_FROM else 1) - now
    return None if wait is None else max(0.0, wait)


def wait_seconds(error: SourceError, number: int) -> float:
    """Return how long to wait after failed try ``number`` (from 1).

    Limits count requests per minute, so a rate limit that names no time is waited out in 20 and
    then 40 seconds; anything else doubles from half a second. Jitter of up to a quarter keeps
    recorders from asking in step.
    """
    jitter = 1 + random.random() * _JITTER  # noqa: S311 - spreads load, keeps no secret
    if error.retry_after_seconds is not None:
        return error.retry_after_seconds * 1.01 + 0.2 * jitter
    if isinstance(error, RateLimitedError):
        return min(_RATE_SECONDS * 2.0 ** (number - 1), _MOST_RATE_SECONDS) * jitter
    return min(_BACKOFF_SECONDS * 2.0 ** (number - 1), _MOST_BACKOFF_SECONDS) * jitter


def http_date(text: str) -> int | None:
    """Return the seconds UTC of an HTTP date, None where it is none."""
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _number(text: str) -> float | None:
    digits = text.strip()
    if not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
        return None
    number = float(digits)
    # Of 400 digits there is no such time: as good as nothing said.
    return number if math.isfinite(number) else None
