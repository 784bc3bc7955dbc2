"""Times as people wrote them, read to seconds UTC or refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coinlog.errors import UsageError
from coinlog.slots import YEAR_2009, iso

# Seconds have 9 or 10 digits; three more are thousandths, six more millionths and so on.
_EPOCH = re.compile(r"([0-9]{9,10}|[0-9]{12,13}|[0-9]{15,16}|[0-9]{18,19})(?:\.[0-9]*)?")
_NEWEST_TIMES = 8_192


def open_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"--timezone {name[:40]!r} is not known: expected a name of the IANA list, for example "
            "UTC, Europe/Madrid or America/Bogota"
        ) from error


class Clock:
    """Reads times: epoch seconds or finer, ISO 8601, or a format of ``strptime``.

    A time without a zone is taken as one of ``zone``. One of ``before`` or later is refused: its
    slot is not over.
    """

    def __init__(self, zone: ZoneInfo, before: int, form: str | None = None) -> None:
        self.zone = zone
        self.before = before
        self._form = form
        # Rows come in runs of equal times, and reading one costs more than all else of a row.
        self._cached = lru_cache(_NEWEST_TIMES)(self._read)

    def in_zone(self, zone: ZoneInfo) -> Clock:
        """Return the same clock for times of another zone."""
        return Clock(zone, self.before, self._form)

    def read(self, text: str) -> int:
        """Return the whole seconds UTC of a text.

        Raises:
            ValueError: it is no time, or one that cannot be imported.
        """
        return self._cached(text)

    def check(self, seconds: int) -> int:
        """Return a time again.

        Raises:
            ValueError: nothing can have been recorded then.
        """
        if seconds < YEAR_2009:
            raise ValueError(f"its time {iso(max(seconds, 0))} is before 2009")
        if seconds >= self.before:
            raise ValueError(
                f"its time {iso(min(seconds, 2**37))} is not before {iso(self.before)}: that slot "
                "is not over yet"
            )
        return seconds

    def _read(self, text: str) -> int:
        return self.check(self._seconds(text.strip()))

    def _seconds(self, text: str) -> int:
        if self._form is None and (match := _EPOCH.fullmatch(text)):
            return int(int(match[1]) // 1_000 ** ((len(match[1]) - 9) // 3))
        moment = self._moment(text)
        if moment.tzinfo is None:
            moment = self._placed(moment, text)
        return int(moment.timestamp() // 1)

    def _moment(self, text: str) -> datetime:
        try:
            if self._form is not None:
                return datetime.strptime(text, self._form)  # noqa: DTZ007  its zone comes after
            return datetime.fromisoformat(text.removesuffix(" UTC") + "Z" * text.endswith(" UTC"))
        except ValueError:
            expected = (
                f"the form {self._form!r}"
                if self._form
                else "ISO 8601 or epoch seconds (or say its form with --time-format)"
            )
            raise ValueError(f"{text[:40]!r} is no time: expected {expected}") from None

    def _placed(self, moment: datetime, text: str) -> datetime:
        """Return a time in the zone, where it is there once and once only."""
        early, late = (moment.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() == late.utcoffset():
            return early
        there = early.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) == moment
        times = "came twice" if there else "never came"
        raise ValueError(
            f"{text[:40]!r} {times} in {self.zone.key}, where clocks were changed that night"
        )
