"""The words of the field as types: asset, quote, snapshot, outcome, reason.

All times are whole seconds since 1970-01-01 UTC; all money is in US dollars (USD).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

USD = 2781
BITCOIN = 1
ETHEREUM = 1027

FIAT_IDS = {
    "USD": USD,
    "EUR": 2790,
    "GBP": 2791,
    "JPY": 2797,
    "COP": 2820,
    "MXN": 2799,
    "BRL": 2783,
    "ARS": 2821,
}
"""CoinMarketCap ids of the display currencies: fiat currencies are assets of the source."""

ATTRIBUTION = "Data: CoinMarketCap"
ATTRIBUTION_URL = "https://coinmarketcap.com"


class SourceKind(StrEnum):
    """Where numbers come from. The two never share a store."""

    COINMARKETCAP = "coinmarketcap"
    SIMULATED = "simulated"


class Outcome(StrEnum):
    """What became of a slot. ``missed`` is derived when reading: due, and no row."""

    STORED = "stored"
    PARTIAL = "partial"
    FAILED = "failed"
    MISSED = "missed"

    @property
    def height(self) -> int:
        """Outcomes only rise: a slot's outcome is replaced by a higher one alone."""
        return ("missed", "failed", "partial", "stored").index(self.value)


class Reason(StrEnum):
    """Why a slot, a quote or a stretch of a series is not there: the one list of codes."""

    WRONG_KEY = "wrong_key"
    PLAN = "plan"
    QUOTA = "quota"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    BROKEN_ANSWER = "broken_answer"
    REFUSED_REQUEST = "refused_request"
    CLOCK_SKEW = "clock_skew"
    DAMAGED = "damaged"
    NOT_KEPT = "not_kept"
    INCOMPLETE = "incomplete"
    MISSED = "missed"
    NOT_DUE = "not_due"
    NOT_LISTED = "not_listed"
    REFUSED = "refused"
    NOT_ANSWERED = "not_answered"


class Origin(StrEnum):
    """How a quote came: seen at its slot, or fetched later from the source's history."""

    OBSERVED = "observed"
    BACKFILLED = "backfilled"


class Asset(msgspec.Struct, frozen=True):
    """A cryptocurrency or fiat currency, identified by its CoinMarketCap id alone."""

    id: int
    name: str
    symbol: str
    slug: str
    is_fiat: bool = False


class Quote(msgspec.Struct, frozen=True):
    """One asset at a slot, in USD. ``None`` means that the source does not know.

    Supplies count coins; volumes and caps are USD; changes are percent; ``last_updated`` is
    the source's own time for this row, which can be long before the slot.
    """

    asset_id: int
    price: float
    market_cap: float | None = None
    fully_diluted_market_cap: float | None = None
    volume_24h: float | None = None
    circulating_supply: float | None = None
    total_supply: float | None = None
    max_supply: float | None = None
    rank: int | None = None
    num_market_pairs: int | None = None
    percent_change_1h: float | None = None
    percent_change_24h: float | None = None
    percent_change_7d: float | None = None
    percent_change_30d: float | None = None
    last_updated: int | None = None


QUOTE_FIELDS = tuple(field for field in Quote.__struct_fields__ if field != "asset_id")


class GlobalMetrics(msgspec.Struct, frozen=True):
    """The whole market at a slot: USD, percent and counts as the source gave them."""

    total_market_cap: float | None = None
    total_volume_24h: float | None = None
    altcoin_market_cap: float | None = None
    bitcoin_dominance: float | None = None
    ethereum_dominance: float | None = None
    active_cryptocurrencies: int | None = None
    active_exchanges: int | None = None
    active_market_pairs: int | None = None
    last_updated: int | None = None


class FearAndGreed(msgspec.Struct, frozen=True):
    """The source's fear and greed index: 0 (fear) to 100 (greed), and its label."""

    value: float
    classification: str
    updated_at: int | None = None


class Missing(msgspec.Struct, frozen=True):
    """Something asked for that a snapshot lacks, and why.

    ``asset_id`` is ``None`` where a whole part (global metrics, say) is lacking or a row has
    no readable id.
    """

    what: str
    reason: Reason
    detail: str
    asset_id: int | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """The market at a slot: an attempt, parsed and checked. One quote an asset, ids unique."""

    observed_at: int
    source: SourceKind
    assets: tuple[Asset, ...]
    quotes: tuple[Quote, ...]
    global_metrics: GlobalMetrics | None = None
    fear_and_greed: FearAndGreed | None = None
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """``partial`` where anything asked for is missing or refused, else ``stored``."""
        return Outcome.PARTIAL if self.missing else Outcome.STORED
