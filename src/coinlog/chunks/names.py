"""The names of all files under ``/data/``, and the arithmetic of the months in them (UTC)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from coinlog.slots import MAX_ASSET_ID

LATEST = "latest.json"
MARKET = "market.json"

_MONTH = r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])"
_ID = r"(?P<id>[1-9][0-9]{0,9})"
_PATHS = {
    "month": re.compile(rf"assets/{_ID}/{_MONTH}\.json"),
    "days": re.compile(rf"assets/{_ID}/{_MONTH}\.days\.json"),
    "year": re.compile(rf"assets/{_ID}/(?P<year>20[0-9]{{2}})\.json"),
    "totals": re.compile(rf"totals/{_MONTH}\.json"),
    "log": re.compile(rf"log/{_MONTH}\.json"),
    "slot": re.compile(r"slots/(?P<slot>[1-9][0-9]{0,11})\.json"),
    "latest": re.compile(re.escape(LATEST)),
    "market": re.compile(re.escape(MARKET)),
}


class Month(msgspec.Struct, frozen=True, order=True):
    """A month of the calendar, UTC."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """The month as it is written in names: ``2026-01``."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def start(self) -> int:
        """Its first second."""
        return int(datetime(self.year, self.number, 1, tzinfo=UTC).timestamp())

    @property
    def end(self) -> int:
        """The first second after it."""
        return self.following.start

    @property
    def following(self) -> Month:
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


def month_of(time: float) -> Month:
    """Return the month that a time (seconds UTC) belongs to."""
    then = datetime.fromtimestamp(time, UTC)
    return Month(then.year, then.month)


def months_between(first: Month, last: Month) -> Iterator[Month]:
    """Yield the months from ``first`` to ``last``, both included."""
    month = first
    while month <= last:
        yield month
        month = month.following


def months_of(year: int) -> list[Month]:
    """Return the months of a year."""
    return [Month(year, number) for number in range(1, 13)]


def month_path(asset_id: int, month: Month) -> str:
    """Return the name of an asset's month with every point."""
    return f"assets/{asset_id}/{month.name}.json"


def days_path(asset_id: int, month: Month) -> str:
    """Return the name of an asset's month thinned to its days."""
    return f"assets/{asset_id}/{month.name}.days.json"


def year_path(asset_id: int, year: int) -> str:
    """Return the name of an asset's year of days."""
    return f"assets/{asset_id}/{year:04}.json"


def totals_path(month: Month) -> str:
    """Return the name of a month of the whole market's figures."""
    return f"totals/{month.name}.json"


def log_path(month: Month) -> str:
    """Return the name of a month of the ledger."""
    return f"log/{month.name}.json"


def slot_path(slot: int) -> str:
    """Return the name of the market as it was at a slot."""
    return f"slots/{slot}.json"


class Named(msgspec.Struct, frozen=True):
    """What a name asks for: a kind of file, and of what."""

    kind: str
    asset_id: int = 0
    year: int = 0
    month: Month | None = None
    slot: int = 0


def parse(path: str) -> Named | None:
    """Return what the name of a file below ``/data/`` asks for; ``None`` where it is no such name.

    Every file has one name alone: no leading zeros, no other spelling.
    """
    for kind, pattern in _PATHS.items():
        match = pattern.fullmatch(path)
        if match:
            return _named(kind, {name: int(text) for name, text in match.groupdict().items()})
    return None


def _named(kind: str, given: dict[str, int]) -> Named | None:
    asset_id = given.get("id", 0)
    if asset_id > MAX_ASSET_ID:
        return None
    year, number = given.get("year", 0), given.get("month")
    return Named(
        kind,
        asset_id=asset_id,
        year=year,
        month=Month(year, number) if number else None,
        slot=given.get("slot", 0),
    )
