"""The source's own history of quotes: quotes/historical, for backfill.

A key is needed, and the plan says how far back it reaches (Basic: a month of intraday, a year of
daily quotes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.market import USD, Quote
from coinlog.slots import iso
from coinlog.sources.answers import Answer
from coinlog.sources.asking import Asks, raise_error_of
from coinlog.sources.decode import Amount, AssetId, Envelope, Refused, check_numbers, decode
from coinlog.sources.quotes import known_cap
from coinlog.sources.status import parse_iso

_HISTORICAL = "v3/cryptocurrency/quotes/historical"
_MOST_POINTS = 10_000

INTERVALS = {
    300: "5m",
    600: "10m",
    900: "15m",
    1800: "30m",
    3600: "1h",
    7200: "2h",
    10_800: "3h",
    14_400: "4h",
    21_600: "6h",
    43_200: "12h",
    86_400: "24h",
}
"""What the source calls its intervals, by their seconds; ``24h`` counts from the start asked for,
while its ``daily`` would be the first quote of each day."""


class HistoricQuote(msgspec.Struct, frozen=True):
    """One asset at a past moment (seconds UTC), as the source remembers it."""

    time: int
    quote: Quote


class History(msgspec.Struct, frozen=True):
    """What an answer tells of the past: points per asset id in order of time, and refusals."""

    points: dict[int, tuple[HistoricQuote, ...]]
    refused: tuple[Refused, ...] = ()


class _PastQuote(msgspec.Struct):
    price: Amount
    market_cap: Amount | None = None
    fully_diluted_market_cap: Amount | None = None
    volume_24h: Amount | None = None
    volume_24hr: Amount | None = None
    circulating_supply: Amount | None = None
    total_supply: Amount | None = None
    percent_change_1h: float | None = None
    percent_change_24h: float | None = None
    percent_change_7d: float | None = None
    percent_change_30d: float | None = None
    timestamp: Any = None


class _PastRow(msgspec.Struct):
    quote: dict[str, _PastQuote]
    timestamp: Any = None


class _Past(msgspec.Struct):
    id: AssetId
    quotes: list[msgspec.Raw]


_DATA = msgspec.json.Decoder(Envelope[msgspec.Raw])
_PAST = msgspec.json.Decoder(_Past)
_Several = dict[str, _Past | list[_Past]] | list[_Past]
_SEVERAL: msgspec.json.Decoder[_Several] = msgspec.json.Decoder(_Several)
_PAST_ROW = msgspec.json.Decoder(_PastRow)


class HistoryWanted(msgspec.Struct, frozen=True):
    """Which history: of these assets, from ``start`` to ``end`` (seconds UTC), every so often.

    ``interval`` is the source's word: see ``INTERVALS``. More than ``most_points`` of an asset are
    not answered, and so not paid.
    """

    asset_ids: Sequence[int]
    start: int
    end: int
    interval: str
    most_points: int = _MOST_POINTS

    @property
    def times(self) -> dict[str, str]:
        """The parameters but for the assets; money is in USD."""
        return {
            "time_start": iso(self.start),
            "time_end": iso(self.end),
            "interval": self.interval,
            "count": str(min(self.most_points, _MOST_POINTS)),
            "convert": "USD",
        }


def fetch_history(client: Asks, name: str, wanted: HistoryWanted) -> Answer:
    """Ask for history in USD, at one credit per 100 points.

    A failure is an answer too: ``read_history`` raises it.
    """
    ids = ",".join(str(asset_id) for asset_id in wanted.asset_ids)
    return client.get(name, _HISTORICAL, {"id": ids, **wanted.times})


def read_history(answer: Answer) -> History:
    """Return the points in an answer; those that are wrong in themselves are refused alone.

    Shapes of v1 (one asset, flat), v2 and v3 (by id, by symbol) are read alike.

    Raises:
        SourceError: the answer is a failure or cannot be decoded.
    """
    raise_error_of(answer)
    check_numbers(answer.body)
    refused: list[Refused] = []
    points: dict[int, tuple[HistoricQuote, ...]] = {}
    for past in _assets_in(answer.body):
        points[past.id] = _points(past, refused)
    return History(points, tuple(refused))


def _assets_in(body: bytes) -> list[_Past]:
    try:
        data = bytes(decode(_DATA, body).data)
        several = _flat_or_several(data)
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(
            f"got JSON of an unknown shape ({error}): expected quotes by asset; the answer is kept"
        ) from error
    groups = several.values() if isinstance(several, dict) else several
    return [past for group in groups for past in (group if isinstance(group, list) else [group])]


def _flat_or_several(data: bytes) -> _Several:
    try:
        return [decode(_PAST, data)]
    except msgspec.ValidationError:
        return decode(_SEVERAL, data)


def _points(past: _Past, refused: list[Refused]) -> tuple[HistoricQuote, ...]:
    """Return the points of one asset in order of time, each time once: the first."""
    found: dict[int, HistoricQuote] = {}
    for raw in past.quotes:
        try:
            point = _point(past.id, decode(_PAST_ROW, bytes(raw)))
        except msgspec.ValidationError as error:
            refused.append(Refused(past.id, str(error).replace("`", "")))
        else:
            found.setdefault(point.time, point)
    return tuple(found[time] for time in sorted(found))


def _point(asset_id: int, row: _PastRow) -> HistoricQuote:
    usd = row.quote.get("USD") or row.quote.get(str(USD))
    if usd is None:
        raise msgspec.ValidationError("it has no quote in USD")
    time = parse_iso(row.timestamp) or parse_iso(usd.timestamp)
    if time is None:
        raise msgspec.ValidationError("it has no readable timestamp")
    quote = Quote(
        asset_id=asset_id,
        price=usd.price,
        market_cap=known_cap(usd.market_cap, usd.circulating_supply),
        fully_diluted_market_cap=usd.fully_diluted_market_cap,
        volume_24h=usd.volume_24hr if usd.volume_24h is None else usd.volume_24h,
        circulating_supply=usd.circulating_supply,
        total_supply=usd.total_supply,
        percent_change_1h=usd.percent_change_1h,
        percent_change_24h=usd.percent_change_24h,
        percent_change_7d=usd.percent_change_7d,
        percent_change_30d=usd.percent_change_30d,
        last_updated=time,
    )
    return HistoricQuote(time, quote)
