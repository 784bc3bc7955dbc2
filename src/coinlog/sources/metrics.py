"""The parts of a slot that are no assets: global metrics, fear and greed."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.market import USD, FearAndGreed, GlobalMetrics
from coinlog.sources.decode import Amount, Count, Envelope, check_numbers, decode
from coinlog.sources.quotes import whole
from coinlog.sources.status import parse_iso

T = TypeVar("T")

_LABEL_LENGTH = 64
_MOST_GREED = 100


class _GlobalQuote(msgspec.Struct):
    id: Any = None
    symbol: Any = None
    total_market_cap: Amount | None = None
    total_volume_24h: Amount | None = None
    altcoin_market_cap: Amount | None = None
    last_updated: Any = None


class _Global(msgspec.Struct):
    quote: dict[str, _GlobalQuote] | list[_GlobalQuote]
    btc_dominance: float | None = None
    eth_dominance: float | None = None
    active_cryptocurrencies: Count = None
    active_exchanges: Count = None
    active_market_pairs: Count = None
    last_updated: Any = None


class _Index(msgspec.Struct):
    value: float | str
    value_classification: str
    update_time: Any = None


_GLOBAL = msgspec.json.Decoder(Envelope[_Global])
_INDEX = msgspec.json.Decoder(Envelope[_Index])


def read_global_metrics(body: bytes) -> GlobalMetrics:
    """Return the whole market's numbers.

    Raises:
        BrokenAnswerError: they cannot be read.
    """
    data = decoded(_GLOBAL, body, "global metrics with a quote in USD")
    usd = _only_usd(data.quote)
    return GlobalMetrics(
        total_market_cap=usd.total_market_cap,
        total_volume_24h=usd.total_volume_24h,
        altcoin_market_cap=usd.altcoin_market_cap,
        bitcoin_dominance=data.btc_dominance,
        ethereum_dominance=data.eth_dominance,
        active_cryptocurrencies=whole(data.active_cryptocurrencies),
        active_exchanges=whole(data.active_exchanges),
        active_market_pairs=whole(data.active_market_pairs),
        last_updated=parse_iso(usd.last_updated) or parse_iso(data.last_updated),
    )


def read_fear_and_greed(body: bytes) -> FearAndGreed:
    """Return the fear and greed index, with the label as given.

    Raises:
        BrokenAnswerError: it cannot be read, or is not from 0 to 100.
    """
    data = decoded(_INDEX, body, "a value and its classification")
    index = index_of(data.value, data.value_classification, parse_iso(data.update_time))
    if index is None:
        raise BrokenAnswerError(
            f"got a fear and greed index of {str(data.value)[:40]!r}: expected a number from 0 to "
            "100; the answer is kept in the archive"
        )
    return index


def index_of(raw: float | str, label: str, updated_at: int | None) -> FearAndGreed | None:
    """Return a fear and greed index, ``None`` where its value is not from 0 to 100."""
    try:
        value = float(raw)
    except ValueError:
        return None
    known = 0 <= value <= _MOST_GREED
    return FearAndGreed(value, label[:_LABEL_LENGTH], updated_at) if known else None


def _only_usd(quotes: dict[str, _GlobalQuote] | list[_GlobalQuote]) -> _GlobalQuote:
    """Return the quote in USD, under whatever name it goes where it is the only one."""
    named = quotes if isinstance(quotes, dict) else {str(each.id): each for each in quotes}
    usd = named.get("USD") or named.get(str(USD))
    if usd is None and len(named) == 1:
        usd = next(iter(named.values()))
    if usd is None:
        raise BrokenAnswerError(
            f"got global metrics in {', '.join(named)[:80] or 'no currency'}: expected USD; the "
            "answer is kept in the archive"
        )
    return usd


def decoded(decoder: msgspec.json.Decoder[Envelope[T]], body: bytes, expected: str) -> T:
    """Return the data of a body.

    Raises:
        BrokenAnswerError: it cannot be decoded.
    """
    check_numbers(body)
    try:
        return decode(decoder, body).data
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(
            f"got JSON of an unknown shape ({error}): expected {expected}; the answer is kept in "
            "the archive"
        ) from error
