"""What the templates of the market, the overview and the time machine are given.

The rules of ``views.py`` hold here too: seconds UTC, USD, and ``None`` for the unknown.
"""

from __future__ import annotations

from typing import Literal

from coinlog.market import Quote
from coinlog.web.views import AssetLabel, ChartView, GlobalView, Link, SlotView, View

Line = list[list[tuple[int, float]]]
"""Pieces of ``(slot, value)``, cut where a slot lacks."""


class MarketRow(View, frozen=True, kw_only=True):
    """One asset of the market table; ``sparkline`` holds the seven days up to its slot.

    At a past slot ``left`` is the last slot of an asset that has left since, and ``rank_now`` the
    rank of one that has not.
    """

    asset: AssetLabel
    quote: Quote
    sparkline: Line
    left: int | None = None
    rank_now: int | None = None


class ColumnView(View, frozen=True, kw_only=True):
    """A heading of the market table: where it leads, and how the table is sorted by it now."""

    code: str
    href: str | None = None
    sorted: Literal["ascending", "descending", "none"] = "none"


class ChoiceView(View, frozen=True, kw_only=True):
    """Something to tick, and whether it is ticked."""

    code: str
    chosen: bool


class MarketView(View, frozen=True, kw_only=True):
    """One page of the market table. ``total`` counts all assets that match.

    ``at`` is the slot of its amounts where that is not the newest. ``chosen`` says that the columns
    were; ``kept`` is what forms must repeat to keep the rest of the address.
    """

    slot: int | None
    at: int | None
    path: str
    q: str
    only: str
    cap: str
    offset: int
    total: int
    rows: list[MarketRow]
    columns: list[ColumnView]
    chosen: bool
    choices: list[ChoiceView]
    filters: list[Link]
    caps: list[Link]
    kept: dict[str, str]
    ids: str = ""
    all_href: str
    previous_href: str | None = None
    next_href: str | None = None


class HomeView(View, frozen=True, kw_only=True):
    """The home page: the leading assets' chart, the market table, and the last slots.

    ``strip`` is the ledger of the last 28 slots, oldest first. With an empty store ``chart`` is
    ``None`` and ``last`` is the newest ledger row, if there is one.
    """

    chart: ChartView | None
    market: MarketView
    global_metrics: GlobalView
    strip: list[SlotView]
    last: SlotView | None = None


class NoteView(View, frozen=True, kw_only=True):
    """Why another slot is shown than the one asked for, as a word to translate."""

    code: str
    asked: int
    reason: str | None = None


class JumpView(View, frozen=True, kw_only=True):
    """A way to another recorded slot; without one where none is recorded there."""

    code: str
    slot: int | None = None
    href: str | None = None


class PastView(View, frozen=True, kw_only=True):
    """The market at a recorded slot: ``slot`` is ``None`` in an empty store.

    ``value`` is the slot as an input for date and time holds it; ``steps`` lead to the slots
    before and after, ``jumps`` further back.
    """

    slot: int | None
    newest: int | None
    market: MarketView
    global_metrics: GlobalView
    value: str = ""
    first: str = ""
    last: str = ""
    note: NoteView | None = None
    steps: tuple[JumpView, ...] = ()
    jumps: tuple[JumpView, ...] = ()
    top_href: str | None = None


class TrendView(View, frozen=True, kw_only=True):
    """A figure of the whole market: its value, its change since a day ago, and its line.

    ``missing`` says why there is no change, as a code of ``reason.`` or ``overview.``; ``change``
    over the whole line is in ``over`` (percent); ``since`` is its first slot where the record is
    younger than the span.
    """

    code: str
    value: float | None
    change: float | None
    missing: str | None
    line: Line
    over: float | None
    since: int | None


class MoverView(View, frozen=True, kw_only=True):
    """A gainer or loser of the day."""

    asset: AssetLabel
    rank: int | None
    price: float
    change: float


class TileView(View, frozen=True, kw_only=True):
    """An asset of the map of the market: its place in units of the picture, and its tone."""

    asset: AssetLabel
    market_cap: float
    change: float | None
    x: float
    y: float
    width: float
    height: float


class MapView(View, frozen=True, kw_only=True):
    """The market as tiles, once for a wide screen and once for a tall one.

    ``share`` is what part of the total market cap the wide one holds, in percent.
    """

    wide: list[TileView]
    tall: list[TileView]
    share: float | None


class OverviewView(View, frozen=True, kw_only=True):
    """The market at a glance, all of the newest stored slot; ``slot`` is ``None`` without one.

    ``before`` is the slot exactly a day before, whether recorded or not.
    """

    slot: int | None
    before: int | None
    span: str
    spans: list[Link]
    trends: list[TrendView]
    global_metrics: GlobalView
    gainers: list[MoverView]
    losers: list[MoverView]
    among: int
    map: MapView | None
