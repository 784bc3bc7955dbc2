"""What the templates are given: plain values, ready to draw.

All times are whole seconds since 1970-01-01 UTC and all money is USD, as everywhere; the filters
of the templates turn them into words. ``None`` means that the source does not know, and is drawn
as nothing, never as zero.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from coinlog.market import ATTRIBUTION, ATTRIBUTION_URL
from coinlog.web.asset_record import RecordView, SupplyView
from coinlog.web.chart_look import Look, SlotColumns

FreshnessState = Literal["empty", "fresh", "amber", "red"]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all views: immutable, built by name."""


class AssetLabel(View, frozen=True, kw_only=True):
    """What an asset is called. Symbols repeat, so ``shares_symbol`` says when to show the id."""

    id: int
    symbol: str
    name: str
    slug: str
    shares_symbol: bool = False


class FreshnessView(View, frozen=True, kw_only=True):
    """How new the newest stored slot is, and when the next is due.

    ``as_of`` is the source's own time of the newest stored slot. ``missed`` counts the slots due
    since then whose grace has passed: 0 is fresh, 1 amber, more red. ``reason`` and ``detail``
    say why the newest attempt failed, where one failed after the newest stored slot;
    ``failed_at`` is when.
    """

    state: FreshnessState
    as_of: int | None = None
    slot: int | None = None
    next_slot: int | None = None
    interval_seconds: int | None = None
    missed: int = 0
    stale: bool = True
    reason: str | None = None
    detail: str | None = None
    failed_at: int | None = None


class AwayView(View, frozen=True, kw_only=True):
    """The store cannot be read: since when, and when what is shown was made."""

    since: int
    made_at: int


class Link(View, frozen=True, kw_only=True):
    """A choice among several: where it leads and whether it is the one chosen."""

    code: str
    href: str
    current: bool = False


class PageView(View, frozen=True, kw_only=True):
    """What every page has around its content.

    ``prefix`` is put before every link to a page (``""`` or ``"/es"``); ``path`` is the address
    without it, ``any_language`` the one for readers of none of ours. ``static`` maps the plain
    names of the bundle (``"home.js"``) to their addresses. ``version`` is the store's; ``rates``
    holds by slot and currency what one unit was worth in USD. ``edition`` is ``live`` or
    ``published``: the latter has no server behind it. ``origin`` is where the page was asked for
    (``https://coinlog.example``) on pages that name whole addresses, ``kept`` what of the query
    says what they show. ``away`` is there while the store is not.
    """

    kind: str
    language: str
    prefix: str
    path: str
    languages: list[Link]
    freshness: FreshnessView
    simulated: bool
    static: dict[str, str]
    build: str
    any_language: str = ""
    version: int = 0
    rates: dict[int, dict[str, float]] = {}
    edition: str = "live"
    origin: str = ""
    kept: str = ""
    status: int = 200
    away: AwayView | None = None
    attribution: str = ATTRIBUTION
    attribution_url: str = ATTRIBUTION_URL


class GapView(View, frozen=True, kw_only=True):
    """A stretch without a quote, from its first slot to the slot after it, and why."""

    start: int
    end: int
    reason: str


class LineView(View, frozen=True, kw_only=True):
    """One asset's line: equally long columns, oldest first.

    A line is drawn at ``times`` (observed_at). ``values`` holds ``None`` where a quote lacks the
    field. The line breaks between two points whenever a gap starts between their ``slots``;
    ``segments`` has it cut up already, as lists of ``(time, value)``. ``backfilled`` marks points
    fetched later from the source's history. ``volume`` lies under the price of one asset alone.
    """

    asset: AssetLabel
    field: str
    slots: list[int]
    times: list[int]
    values: list[float | None]
    backfilled: list[bool]
    gaps: list[GapView]
    segments: list[list[tuple[int, float]]]
    volume: list[float | None] | None = None
    first_slot: int = 0
    last_slot: int = 0


class ChartView(View, frozen=True, kw_only=True):
    """A chart: its lines over one stretch of time, and the ranges to choose from.

    ``start`` and ``end`` bound the time axis; ``sampled`` says that points were left out (each
    stretch keeps its lowest and highest). ``begins`` is set where the history is young; ``zoomed``
    leads back to the range where a ``window`` was asked for by its ends.
    """

    field: str
    range: str
    ranges: list[Link]
    start: int
    end: int
    lines: list[LineView]
    look: Look = Look()
    fields: list[Link] = []
    zoomed: Link | None = None
    window: tuple[int, int] | None = None
    ledger: SlotColumns | None = None
    sampled: bool = False
    begins: int | None = None


class GlobalView(View, frozen=True, kw_only=True):
    """The whole market at the newest slot, and the fear and greed index."""

    total_market_cap: float | None = None
    total_volume_24h: float | None = None
    bitcoin_dominance: float | None = None
    ethereum_dominance: float | None = None
    active_cryptocurrencies: int | None = None
    fear_and_greed: float | None = None
    fear_and_greed_label: str | None = None


class SlotView(View, frozen=True, kw_only=True):
    """A row of the ledger. ``missing`` lists what a partial slot lacks; times may be ``None``."""

    slot: int
    outcome: str
    reason: str | None = None
    detail: str | None = None
    observed_at: int | None = None
    captured_at: int | None = None
    stored_at: int | None = None
    assets: int = 0
    credits: int = 0
    attempts: int = 0
    duration_ms: int | None = None
    sha256: str | None = None
    notes: list[str] = []
    missing: list[MissingView] = []


class MissingView(View, frozen=True, kw_only=True):
    """Something that a partial slot lacks, and why."""

    what: str
    reason: str
    detail: str
    asset_id: int | None = None


class NameView(View, frozen=True, kw_only=True):
    """What an asset was called from a slot on."""

    from_slot: int
    name: str
    symbol: str
    slug: str


class AssetView(View, frozen=True, kw_only=True):
    """An asset's page.

    ``quote`` holds the newest values by field name; ``listed`` says whether they are of the
    newest stored slot.
    """

    asset: AssetLabel
    is_fiat: bool
    listed: bool
    quote_slot: int | None
    quote: dict[str, float | int | None]
    first_slot: int
    last_slot: int
    names: list[NameView]
    chart: ChartView
    csv_url: str
    json_url: str
    same_symbol: list[AssetLabel] = []
    record: RecordView | None = None
    supply: SupplyView | None = None


class CompareView(View, frozen=True, kw_only=True):
    """Several assets side by side; ``unknown`` lists asked-for ids that the store has not.

    ``without`` leads to the others, for each asset; ``kept`` is what a form carries on.
    """

    assets: list[AssetLabel]
    chart: ChartView | None
    unknown: list[str] = []
    without: list[str] = []
    kept: list[tuple[str, str]] = []


class ErrorView(View, frozen=True, kw_only=True):
    """A page that says what went wrong.

    ``code`` is a word to translate: ``not_found``, ``bad_request``, ``store_unavailable``,
    ``internal`` and so on; ``message`` is what there is to add, in English, or empty;
    ``since`` is when the store went away.
    """

    status: int
    code: str
    message: str
    since: int | None = None
