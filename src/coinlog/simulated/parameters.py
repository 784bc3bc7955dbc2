"""The query parameters of the API, checked the way the API checks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from coinlog.errors import UsageError
from coinlog.market import USD
from coinlog.simulated.market import FIRST_TIME, LAST_TIME
from coinlog.slots import DAY, HOUR, MINUTE, iso, parse_time

_CONVERTS = ("convert", "convert_id")
_NAMED = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY}
_INTERVAL = re.compile(r"([1-9]\d{0,2})([mhd])")


class BadParameterError(Exception):
    """A query parameter is unknown or has a value that cannot be used (HTTP 400, code 400)."""


class Parameters:
    """The checked query of one request. Times are seconds since 1970-01-01 UTC."""

    def __init__(self, query: Mapping[str, str], allowed: tuple[str, ...]) -> None:
        self._query = query
        for name in query:
            if name not in (*allowed, *_CONVERTS, "aux", "skip_invalid", "CMC_PRO_API_KEY"):
                raise BadParameterError(f'"{name}" is not allowed')
        if query.get("convert", "USD").upper() != "USD":
            raise BadParameterError('"convert" must be USD in the simulated market')
        if query.get("convert_id", str(USD)) != str(USD):
            raise BadParameterError(f'"convert_id" must be {USD} (USD) in the simulated market')

    @property
    def currency_key(self) -> str:
        """Return the key of a quote: the id if the currency was asked for by its id."""
        return str(USD) if "convert_id" in self._query else "USD"

    @property
    def skip_invalid(self) -> bool:
        """Return whether ids that are not listed are left out rather than refused."""
        return self._query.get("skip_invalid", "true") != "false"

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        text = self._query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"[+-]?\d{1,12}", text):
            raise BadParameterError(f'"{name}" must be an integer')
        if int(text) < low:
            raise BadParameterError(f'"{name}" must be larger than or equal to {low}')
        if int(text) > high:
            raise BadParameterError(f'"{name}" must be less than or equal to {high}')
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of ``choices``; the first is the default."""
        text = self._query.get(name, choices[0])
        if text not in choices:
            raise BadParameterError(f'"{name}" must be one of [{", ".join(choices)}]')
        return text

    def ids(self) -> list[int]:
        """Return the ids asked for, each once, in order."""
        text = self._query.get("id")
        if text is None:
            raise BadParameterError('"value" must contain at least one of [id]')
        if not text:
            raise BadParameterError('"id" is not allowed to be empty')
        if not re.fullmatch(r"\d{1,10}(,\d{1,10})*", text):
            raise BadParameterError('"id" should only include comma-separated numeric ids')
        return list(dict.fromkeys(int(part) for part in text.split(",")))

    def time(self, name: str) -> int | None:
        """Return a time, ``None`` if it was not given."""
        text = self._query.get(name)
        if text is None:
            return None
        try:
            return parse_time(text)
        except UsageError as error:
            raise BadParameterError(f'"{name}" must be a valid ISO 8601 timestamp') from error

    def marks(self, now: int) -> list[int]:
        """Return the times of a history: at most ``count``, none before the market began.

        Named intervals fall on whole hours and days, others are counted from ``time_start``, or
        backwards from ``time_end``.
        """
        step, named = self._interval()
        start, end = self.time("time_start"), min(self.time("time_end") or now, now, LAST_TIME)
        count = self.integer("count", 10, 1, 10_000)
        if start is None:
            last = end // step * step if named else end
            return [t for t in range(last - (count - 1) * step, last + 1, step) if t > FIRST_TIME]
        if "count" not in self._query:
            count = 10_000
        origin = 0 if named else start
        steps = -(-(max(start, FIRST_TIME + MINUTE) - origin) // step)
        return list(range(origin + steps * step, end + 1, step)[:count])

    def _interval(self) -> tuple[int, bool]:
        text = self._query.get("interval", "5m")
        if text in _NAMED:
            return _NAMED[text], True
        match = _INTERVAL.fullmatch(text)
        if not match:
            raise BadParameterError(
                f'"interval" must be one of [{", ".join(_NAMED)}, 5m, 1h, 1d, ...]'
            )
        return int(match[1]) * {"m": MINUTE, "h": HOUR, "d": DAY}[match[2]], False


def parse_query(text: str) -> dict[str, str]:
    """Return the query's parameters; a parameter given twice is refused, as by the API."""
    pairs = parse_qsl(text, keep_blank_values=True)
    query = dict(pairs)
    if len(query) != len(pairs):
        raise BadParameterError("a parameter may be given only once")
    return query


def answer_time(text: str) -> float:
    """Return the time that an ``X-Simulated-Time`` header asks for.

    Raises:
        BadParameterError: it is no time, or one when the made-up market did not exist.
    """
    try:
        time = float(text) if re.fullmatch(r"\d{9,11}\.\d{1,6}", text) else parse_time(text)
    except UsageError as error:
        raise BadParameterError(f"X-Simulated-Time: {error}") from error
    if not FIRST_TIME + MINUTE <= time < LAST_TIME:
        begin, end = iso(FIRST_TIME), iso(LAST_TIME)
        raise BadParameterError(f"X-Simulated-Time {text!r} is not between {begin} and {end}")
    return time
