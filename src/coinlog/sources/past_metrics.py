"""The source's history of what is no asset: global metrics, fear and greed, for backfill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from coinlog.market import USD, FearAndGreed, GlobalMetrics
from coinlog.slots import DAY
from coinlog.sources.answers import Answer
from coinlog.sources.asking import Asks, raise_error_of
from coinlog.sources.decode import Amount, Count, Envelope, decode
from coinlog.sources.history import HistoryWanted
from coinlog.sources.metrics import decoded, index_of
from coinlog.sources.quotes import whole
from coinlog.sources.status import parse_iso

MOST_DAYS = 500
"""Values of fear and greed in one answer; it costs one credit however many they are."""

DAYS_A_REQUEST = MOST_DAYS - 10
"""How many days are asked for at once: the source counts back from today, not quite as we do."""

_GLOBAL = "v1/global-metrics/quotes/historical"
_FEAR = "v3/fear-and-greed/historical"

T = TypeVar("T")


class _PastQuote(msgspec.Struct):
    total_market_cap: Amount | None = None
    total_volume_24h: Amount | None = None
    altcoin_market_cap: Amount | None = None
    timestamp: Any = None


class _PastMetrics(msgspec.Struct):
    quote: dict[str, _PastQuote]
    timestamp: Any = None
    btc_dominance: float | None = None
    eth_dominance: float | None = None
    active_cryptocurrencies: Count = None
    active_exchanges: Count = None
    active_market_pairs: Count = None


class _Quotes(msgspec.Struct):
    quotes: list[msgspec.Raw]


class _PastValue(msgspec.Struct):
    timestamp: str | int
    value: float | str
    value_classification: str


_GLOBAL_DATA = msgspec.json.Decoder(Envelope[_Quotes])
_GLOBAL_ROW = msgspec.json.Decoder(_PastMetrics)
_FEAR_DATA = msgspec.json.Decoder(Envelope[list[msgspec.Raw]])
_FEAR_ROW = msgspec.json.Decoder(_PastValue)


def fetch_global_history(client: Asks, name: str, wanted: HistoryWanted) -> Answer:
    """Ask for the whole market's past, at one credit per 100 points; no asset is named.

    A failure is an answer too.
    """
    return client.get(name, _GLOBAL, wanted.times)


def fetch_fear_history(client: Asks, name: str, start: int, end: int, now: float) -> Answer:
    """Ask for the fear and greed index from ``start`` to ``end`` (seconds UTC), at one credit.

    There is a value a day, and the source counts them back from the newest at ``now``.
    """
    back = max(1, (int(now) - end) // DAY - 1)
    days = min((end - start) // DAY + 5, MOST_DAYS)
    return client.get(name, _FEAR, {"start": str(back), "limit": str(days)})


def read_global_history(answer: Answer) -> tuple[dict[int, GlobalMetrics], list[str]]:
    """Return the whole market's figures by time, oldest first, and why rows were refused.

    Raises:
        SourceError: the answer is a failure or cannot be decoded.
    """
    raise_error_of(answer)
    rows = decoded(_GLOBAL_DATA, answer.body, "history by time").quotes
    return _by_time(rows, lambda raw: _metrics(decode(_GLOBAL_ROW, raw)), "global metrics")


def read_fear_history(answer: Answer) -> tuple[dict[int, FearAndGreed], list[str]]:
    """Return the index by time, oldest first, and why rows were refused.

    Raises:
        SourceError: the answer is a failure or cannot be decoded.
    """
    raise_error_of(answer)
    rows = decoded(_FEAR_DATA, answer.body, "an index by day")
    return _by_time(rows, lambda raw: _mood(decode(_FEAR_ROW, raw)), "fear and greed")


def _by_time(
    rows: Sequence[msgspec.Raw], read: Callable[[bytes], tuple[int, T]], what: str
) -> tuple[dict[int, T], list[str]]:
    """Return what could be read by time, the first of each; and why rows were refused."""
    found: dict[int, T] = {}
    refused: list[str] = []
    for raw in rows:
        try:
            time, value = read(bytes(raw))
        except msgspec.ValidationError as error:
            refused.append(f"{what}: {str(error).replace('`', '')}")
        else:
            found.setdefault(time, value)
    return dict(sorted(found.items())), refused


def _metrics(row: _PastMetrics) -> tuple[int, GlobalMetrics]:
    usd = row.quote.get("USD") or row.quote.get(str(USD))
    time = parse_iso(row.timestamp)
    if usd is None or time is None:
        raise msgspec.ValidationError("it has no quote in USD or no readable timestamp")
    return time, GlobalMetrics(
        total_market_cap=usd.total_market_cap,
        total_volume_24h=usd.total_volume_24h,
        altcoin_market_cap=usd.altcoin_market_cap,
        bitcoin_dominance=row.btc_dominance,
        ethereum_dominance=row.eth_dominance,
        active_cryptocurrencies=whole(row.active_cryptocurrencies),
        active_exchanges=whole(row.active_exchanges),
        active_market_pairs=whole(row.active_market_pairs),
        last_updated=time,
    )


def _mood(row: _PastValue) -> tuple[int, FearAndGreed]:
    """Return a day's index; its time comes as seconds in a text, or as ISO."""
    text = str(row.timestamp)
    time = int(text) if text.isdecimal() and len(text) <= 10 else parse_iso(text)  # noqa: PLR2004
    index = index_of(row.value, row.value_classification, time)
    if time is None or index is None:
        raise msgspec.ValidationError("it has no readable time, or a value outside of 0 to 100")
    return time, index
