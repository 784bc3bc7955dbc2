"""From the typed rows of an answer to the market's own words: asset and quote."""

from __future__ import annotations

from coinlog.market import FIAT_IDS, USD, Asset, Quote
from coinlog.sources.decode import AssetRow, Count, QuoteRow
from coinlog.sources.status import parse_iso

NAME_LENGTH, SYMBOL_LENGTH, SLUG_LENGTH = 255, 64, 255
"""How many characters the store keeps; real ones have up to 61, 14 and 59."""

_FIAT = frozenset(FIAT_IDS.values())
_LARGEST = 2**31 - 1


def asset_of(row: AssetRow) -> Asset:
    """Return who a row is about. Names are foreign text and stay as they are, but not longer."""
    return Asset(
        row.id,
        row.name[:NAME_LENGTH],
        row.symbol[:SYMBOL_LENGTH],
        row.slug[:SLUG_LENGTH],
        bool(row.is_fiat) or row.id in _FIAT,
    )


def quote_of(row: AssetRow) -> Quote | None:
    """Return what a row says in USD, ``None`` where it says nothing in USD.

    Numbers stay as given to the last bit, a price of 0 and supplies of 0 too. Only a market cap
    of 0 with a supply of 0 means that the source does not know it: None. So does a rank or a
    number of pairs that is no whole number from 0 to 2**31 - 1.
    """
    usd = usd_quote(row.quote)
    if usd is None:
        return None
    return Quote(
        asset_id=row.id,
        price=usd.price,
        market_cap=known_cap(usd.market_cap, row.circulating_supply),
        fully_diluted_market_cap=usd.fully_diluted_market_cap,
        volume_24h=usd.volume_24h,
        circulating_supply=row.circulating_supply,
        total_supply=row.total_supply,
        max_supply=row.max_supply,
        rank=whole(row.cmc_rank),
        num_market_pairs=whole(row.num_market_pairs),
        percent_change_1h=usd.percent_change_1h,
        percent_change_24h=usd.percent_change_24h,
        percent_change_7d=usd.percent_change_7d,
        percent_change_30d=usd.percent_change_30d,
        last_updated=parse_iso(usd.last_updated) or parse_iso(row.last_updated),
    )


def usd_quote(quotes: dict[str, QuoteRow] | list[QuoteRow]) -> QuoteRow | None:
    """Return the quote in USD out of v1's dict or v3's list, never another currency's."""
    if isinstance(quotes, dict):
        return quotes.get("USD") or quotes.get(str(USD))
    return next((each for each in quotes if each.id == USD or each.symbol == "USD"), None)


def known_cap(market_cap: float | None, supply: float | None) -> float | None:
    """Return a market cap, ``None`` for the 0 that the source writes where it knows no supply."""
    return market_cap if market_cap or supply else None


def whole(value: Count) -> int | None:
    """Return a count as a whole number that the store can hold, else None."""
    if value is None or not 0 <= value <= _LARGEST or value != int(value):
        return None
    return int(value)
