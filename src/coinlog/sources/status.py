"""The ``status`` of an answer, read tolerantly: by name, whatever types came."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.sources.decode import decode
from coinlog.sources.texts import one_line

_EARLIEST, _LATEST = 1_230_768_000, 4_133_980_800
_MOST_CREDITS = 2**31


class Status(msgspec.Struct, frozen=True):
    """What the source says about its answer. ``error_code`` is 0 where there is no error.

    ``timestamp`` is the source's clock in seconds UTC, ``credits`` what the answer cost.
    """

    timestamp: int | None = None
    error_code: int = 0
    message: str = ""
    notice: str = ""
    credits: int = 0
    simulated: bool = False


class _StatusOnly(msgspec.Struct):
    status: Any = None


# What is skipped is parsed all the same: a body that is cut off is found here.
_STATUS = msgspec.json.Decoder(_StatusOnly)


def read_status(body: bytes) -> Status:
    """Return the status of a body.

    Raises:
        BrokenAnswerError: the body is not a JSON object.
    """
    try:
        return status_of(decode(_STATUS, body).status)
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(
            f"got JSON that is no answer ({error}): expected an object with status and data"
        ) from error


def status_of(raw: object) -> Status:
    """Return the status in a decoded JSON value; what is missing or odd keeps its default."""
    if not isinstance(raw, dict):
        return Status()
    return Status(
        timestamp=parse_iso(raw.get("timestamp")),
        error_code=_code(raw.get("error_code")),
        message=_text(raw.get("error_message")),
        notice=_text(raw.get("notice")),
        credits=_credits(raw.get("credit_count")),
        simulated=raw.get("simulated") is True,
    )


def parse_iso(value: object) -> int | None:
    """Return the seconds of an ISO time such as ``2026-01-26T20:42:00.000Z``, else None.

    A time that is unreadable or outside the years 2009 to 2100 is unknown, not an error.
    """
    return _parse_iso(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _parse_iso(text: str) -> int | None:
    # The rows of one answer share a few minutes: nearly all of 5,000 are found in the cache.
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _code(value: object) -> int:
    """Return an error code given as 0, "0", null or nothing; -1 where it is no number."""
    return 0 if value in (None, "", False) else _int(value, -1)


def _credits(value: object) -> int:
    credits_ = _int(value, 0)
    return credits_ if 0 <= credits_ < _MOST_CREDITS else 0


def _int(value: object, otherwise: int) -> int:
    try:
        return int(value) if isinstance(value, int | float | str) else otherwise
    except (ValueError, OverflowError):
        return otherwise


def _text(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""
