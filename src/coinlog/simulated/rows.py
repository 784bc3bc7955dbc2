"""An asset as it stands in an answer: its figures put into the API's row."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from coinlog.market import ETHEREUM, USD
from coinlog.simulated.fiat import Currency
from coinlog.simulated.figures import Figures
from coinlog.simulated.noise import digest
from coinlog.simulated.positions import FIRST_DAY, is_decentralized, supply_unknown
from coinlog.simulated.profiles import Profile
from coinlog.simulated.shapes import Row, RowQuote, Style, coins, milliseconds, percent
from coinlog.slots import DAY, MINUTE


@lru_cache(maxsize=16384)
def _raw_tags(profile: Profile, *, objects: bool) -> msgspec.Raw:
    named = [{"slug": slug, "name": name, "category": kind} for slug, name, kind in profile.tags]
    return msgspec.Raw(msgspec.json.encode(named if objects else [tag["slug"] for tag in named]))


@lru_cache(maxsize=16384)
def _raw_platform(token_address: str | None) -> msgspec.Raw:
    if token_address is None:
        return msgspec.Raw(b"null")
    chain: dict[str, Any] = {
        "id": ETHEREUM,
        "name": "Ethereum",
        "symbol": "ETH",
        "slug": "ethereum",
    }
    return msgspec.Raw(msgspec.json.encode(chain | {"token_address": token_address}))


class Traits(NamedTuple):
    """What never changes in an asset's row; ``lag`` is in seconds, ``dex_share`` from 0 to 1."""

    added: str
    pairs: int
    tags: msgspec.Raw
    platform: msgspec.Raw
    max_supply: float | None
    supply_unknown: bool
    defi: bool
    dex_share: float
    lag: int


@lru_cache(maxsize=16384)
def _traits(profile: Profile, *, tag_objects: bool) -> Traits:
    luck = digest("row", profile.id, size=3)
    pairs = 11_000 / (profile.position + 1) ** 0.8 * (0.7 + 0.6 * luck[0] / 255)
    return Traits(
        added=milliseconds(profile.listed_day * DAY),
        pairs=1 + int(pairs),
        tags=_raw_tags(profile, objects=tag_objects),
        platform=_raw_platform(profile.token_address),
        max_supply=None if profile.infinite else coins(profile.final_supply),
        supply_unknown=supply_unknown(profile.position),
        defi=is_decentralized(profile.position),
        dex_share=0.02 + 0.3 * luck[1] / 255 if profile.token_address else 0.0,
        lag=luck[2] % 2 * MINUTE,
    )


def row(figures: Figures, rank: int, total_cap: float, at: int, style: Style) -> Row:
    """Return an asset's row at a market time in seconds; ``total_cap`` is the market's."""
    profile, price, cap, supply = figures[:4]
    day, listed = at // DAY, style.listed
    _, name, symbol, slug = profile.name_on(day)
    traits = _traits(profile, tag_objects=style.full and listed)
    unknown = traits.supply_unknown
    worth = _quote(figures, traits.dex_share, total_cap, listed=listed)
    worth.tvl = tvl = cap * (0.2 + traits.dex_share) if cap and traits.defi else None
    worth.last_updated = updated = milliseconds(at - traits.lag)
    flags = (1, 0, 0 if unknown else 1) if style.full or listed else (UNSET, UNSET, UNSET)
    return Row(
        profile.id,
        name,
        symbol,
        slug,
        traits.pairs + (day + profile.id) % 7,
        traits.added,
        traits.tags,
        traits.max_supply,
        0 if unknown else coins(supply),
        coins(figures.total_supply),
        profile.infinite,
        traits.platform,
        rank,
        coins(supply) if unknown else None,
        price * supply if unknown else None,
        percent(cap / tvl) if tvl else None,
        updated,
        [worth] if listed else {style.currency_key: worth},
        *flags,
    )


def _quote(figures: Figures, dex_share: float, total_cap: float, *, listed: bool) -> RowQuote:
    _, price, cap, _, volume, before, changes = figures
    hour, day, week, month, two_months, quarter = changes
    return RowQuote(
        USD if listed else UNSET,
        "USD" if listed else UNSET,
        price,
        volume,
        percent((volume / before - 1) * 100) if before else 0.0,
        volume * (1 - dex_share),
        volume * dex_share,
        percent(hour),
        percent(day),
        percent(week),
        percent(month),
        percent(two_months),
        percent(quarter),
        cap,
        percent(cap / total_cap * 100),
        price * figures.final_supply,
        price * figures.total_supply,
        None,
        "",
    )


def fiat_row(currency: Currency, prices: list[float], at: int, style: Style) -> Row:
    """Return a fiat currency's row; ``prices`` are those now and before each stretch of change.

    As in the API, it has no rank, and its supply and market cap are 0.
    """
    updated = milliseconds(at)
    listed = style.listed
    worth = _fiat_quote(prices, listed=listed)
    worth.last_updated = updated
    tags = b'[{"slug":"fiat","name":"Fiat","category":"OTHERS"}]' if listed else b'["fiat"]'
    return Row(
        id=currency.id,
        name=currency.name,
        symbol=currency.symbol,
        slug=currency.slug,
        num_market_pairs=0,
        date_added=milliseconds(FIRST_DAY * DAY),
        tags=msgspec.Raw(tags),
        max_supply=None,
        circulating_supply=0,
        total_supply=0,
        infinite_supply=False,
        platform=_raw_platform(None),
        cmc_rank=None,
        self_reported_circulating_supply=None,
        self_reported_market_cap=None,
        tvl_ratio=None,
        last_updated=updated,
        quote=[worth] if listed else {style.currency_key: worth},
        is_active=1,
        is_fiat=1,
        is_market_cap_included_in_calc=0,
    )


def _fiat_quote(prices: list[float], *, listed: bool) -> RowQuote:
    hour, day, week, month, two_months, quarter = (
        percent((prices[0] / past - 1) * 100) for past in prices[1:]
    )
    return RowQuote(
        id=USD if listed else UNSET,
        symbol="USD" if listed else UNSET,
        price=prices[0],
        volume_24h=0.0,
        volume_change_24h=0.0,
        cex_volume_24h=0.0,
        dex_volume_24h=0.0,
        percent_change_1h=hour,
        percent_change_24h=day,
        percent_change_7d=week,
        percent_change_30d=month,
        percent_change_60d=two_months,
        percent_change_90d=quarter,
        market_cap=0.0,
        market_cap_dominance=0.0,
        fully_diluted_market_cap=0.0,
        minted_market_cap=0.0,
        tvl=None,
        last_updated="",
    )
