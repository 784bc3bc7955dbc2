"""The answers of the API as types: what its schema describes is what it sends.

All times are whole seconds since 1970-01-01 UTC, all money is USD, numbers have full precision,
and ``null`` means that the source does not know.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from coinlog.gaps import Gap
from coinlog.market import ATTRIBUTION, ATTRIBUTION_URL, Quote

CURRENCY = "USD"


class Attribution(msgspec.Struct, frozen=True):
    """Whom the numbers come from."""

    text: str = ATTRIBUTION
    url: str = ATTRIBUTION_URL


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer says of its data.

    ``as_of`` is the source's own time of the newest stored slot; ``stale`` is true when a slot
    has been missed since; ``simulated`` is true when the market is made up.
    """

    as_of: int | None
    stale: bool
    next_slot: int | None
    simulated: bool
    attribution: Attribution


class QuoteAnswer(msgspec.Struct, frozen=True):
    """An asset's numbers at a slot. ``rank`` is beside the quote, not in it."""

    price: float
    market_cap: float | None
    fully_diluted_market_cap: float | None
    volume_24h: float | None
    circulating_supply: float | None
    total_supply: float | None
    max_supply: float | None
    num_market_pairs: int | None
    percent_change_1h: float | None
    percent_change_24h: float | None
    percent_change_7d: float | None
    percent_change_30d: float | None
    last_updated: int | None


QUOTE_ANSWER_FIELDS = QuoteAnswer.__struct_fields__


def quote_answer(quote: Quote) -> QuoteAnswer:
    """Return a quote as the API sends it."""
    return QuoteAnswer(*(getattr(quote, field) for field in QUOTE_ANSWER_FIELDS))


class AssetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An asset with its newest quote, and the slot that it is of."""

    id: int
    symbol: str
    name: str
    slug: str
    rank: int | None
    slot: int
    quote: QuoteAnswer


class AssetsAnswer(Envelope, frozen=True, kw_only=True):
    """A page of the market table; ``total`` counts all assets that match."""

    assets: list[AssetAnswer]
    total: int
    currency: str = CURRENCY


class AssetIdentity(msgspec.Struct, frozen=True):
    """What an asset is called. Only the id identifies it: symbols repeat and change."""

    id: int
    symbol: str
    name: str
    slug: str


class NameAnswer(msgspec.Struct, frozen=True):
    """What an asset was called from a slot on."""

    from_slot: int
    name: str
    symbol: str
    slug: str


class RecordAnswer(msgspec.Struct, frozen=True):
    """An asset's highest and lowest recorded price, each with its first slot, and its quotes.

    All of it is of the time from ``since`` on, the slot of the first quote that counts here.
    """

    high: float
    high_slot: int
    low: float
    low_slot: int
    quotes: int
    since: int


class OneAssetAnswer(Envelope, frozen=True, kw_only=True):
    """One asset: its newest quote, its names so far, its first and last slot, its extremes.

    ``listed`` says whether it is in the newest stored slot. ``record`` spans the newest 110,000
    slots at most, of what is recorded and backfilled: that need not be all of its history.
    """

    id: int
    symbol: str
    name: str
    slug: str
    rank: int | None
    is_fiat: bool
    listed: bool
    slot: int
    quote: QuoteAnswer
    first_slot: int
    last_slot: int
    names: list[NameAnswer]
    record: RecordAnswer | None
    currency: str = CURRENCY


Column = list[float | None] | UnsetType


class SeriesAnswer(Envelope, frozen=True, kw_only=True):
    """An asset's history as equally long columns, oldest first.

    Only the fields asked for are there. ``origin`` says of each point whether it was observed at
    its slot or backfilled. ``gaps`` are half-open: ``from`` is the first slot without a quote,
    ``to`` the slot after the last. ``sampled`` is true when points were left out; the lowest and
    the highest of every stretch stay.
    """

    asset: AssetIdentity
    slots: list[int]
    observed_at: list[int]
    origin: list[str]
    gaps: list[Gap]
    sampled: bool
    currency: str = CURRENCY
    price: Column = UNSET
    market_cap: Column = UNSET
    fully_diluted_market_cap: Column = UNSET
    volume_24h: Column = UNSET
    circulating_supply: Column = UNSET
    total_supply: Column = UNSET
    max_supply: Column = UNSET
    rank: Column = UNSET
    num_market_pairs: Column = UNSET
    percent_change_1h: Column = UNSET
    percent_change_24h: Column = UNSET
    percent_change_7d: Column = UNSET
    percent_change_30d: Column = UNSET
    last_updated: Column = UNSET


class CandlesAnswer(Envelope, frozen=True, kw_only=True):
    """An asset's price as candles in equally long columns, oldest first.

    ``open`` and ``close`` are the prices at ``first_slot`` and ``last_slot``, ``points`` counts the
    quotes, ``ends`` are excluded. An interval without a quote has no candle. ``complete`` is false
    where the range ends before the candle does.
    """

    asset: AssetIdentity
    interval: str
    starts: list[int]
    ends: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    points: list[int]
    first_slot: list[int]
    last_slot: list[int]
    complete: list[bool]
    currency: str = CURRENCY


class MissingAnswer(msgspec.Struct, frozen=True):
    """Something that a partial slot lacks, and why."""

    what: str
    asset_id: int | None
    reason: str
    detail: str


class SlotAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger. A missed slot has only its slot, outcome and reason.

    ``sha256`` is the hash of the manifest of the attempt that counts, ``credits`` what all
    attempts of the slot cost.
    """

    slot: int
    outcome: str
    reason: str | None
    detail: str | None
    source: str | None
    attempt: str | None
    attempts: int
    observed_at: int | None
    captured_at: int | None
    stored_at: int | None
    assets: int
    credits: int
    body_bytes: int
    duration_ms: int | None
    sha256: str | None
    notes: list[str]
    missing: list[MissingAnswer]


class AttemptAnswer(msgspec.Struct, frozen=True):
    """An attempt that the store has settled; ``settled_at`` is our clock at its commit."""

    attempt: str
    outcome: str
    reason: str | None
    captured_at: int
    credits: int
    sha256: str
    settled_at: int


class OneSlotAnswer(SlotAnswer, frozen=True, kw_only=True):
    """One slot: its row of the ledger, all of its attempts, and the slots beside it.

    ``folder`` is where in the archive the attempt that counts lies, with its manifest and the raw
    answers as received. ``before`` and ``after`` are slots that have an outcome. The rest is what
    every answer says of its data.
    """

    as_of: int | None
    stale: bool
    next_slot: int | None
    simulated: bool
    attribution: Attribution
    folder: str | None
    settled: list[AttemptAnswer]
    before: int | None
    after: int | None


class LogAnswer(Envelope, frozen=True, kw_only=True):
    """The ledger, newest first."""

    slots: list[SlotAnswer]


class ErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong: an HTTP status, a code for programs and a sentence for people."""

    status: int
    code: str
    message: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The one shape of every error."""

    error: ErrorDetail


CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    429: "too_many",
    431: "too_large",
    500: "internal",
    503: "store_unavailable",
}


def error_answer(status: int, message: str, code: str | None = None) -> ErrorAnswer:
    """Return an error in the one shape; the code follows from the status unless given."""
    return ErrorAnswer(ErrorDetail(status, code or CODES.get(status, "error"), message))
