"""What surrounds every page: languages, freshness, links, the bundle; and reading its query."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from coinlog.errors import UsageError
from coinlog.market import Outcome
from coinlog.slots import parse_time
from coinlog.store.ledger import Head, LedgerRow
from coinlog.store.narrowing import BANDS, GAINERS, LOSERS, SORTS, natural_sort
from coinlog.timeline import RANGES
from coinlog.web import views
from coinlog.web.columns import shown_as, shown_columns
from coinlog.web.i18n import DEFAULT, languages
from coinlog.web.query import MAX_LIST, MAX_OFFSET, MAX_SEARCH
from coinlog.web.rates import Rates
from coinlog.web.watch import Moment

DEFAULT_RANGE = "1y"
DEFAULT_LIMIT = 50
LOG_LIMIT = 100
FAVOURITES = "favourites"
ONLY = (GAINERS, LOSERS, FAVOURITES)
CHART_FIELDS = (
    "price",
    "market_cap",
    "volume_24h",
    "circulating_supply",
    "rank",
    "dominance",
)
SCALES = ("linear", "log", "percent")
FORMS = ("line", "area", "candles")
CURRENCIES = ("USD", "EUR", "COP", "MXN", "BRL", "ARS", "GBP", "JPY", "BTC", "ETH")
PARTS = {
    "/": ("chart", "market"),
    "/market": ("market",),
    "/overview": ("figures",),
    "/assets/": ("chart",),
    "/compare": ("chart",),
    "/log": ("calendar", "slots"),
}
WITHOUT_AMOUNTS = ("calendar", "slots")
"""Parts that no rate concerns."""


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is asked for. What cannot be used falls back: shared links live."""

    range: str = DEFAULT_RANGE
    start: int | None = None
    end: int | None = None
    field: str = CHART_FIELDS[0]
    scale: str | None = None
    form: str = FORMS[0]
    currency: str = CURRENCIES[0]
    q: str = ""
    sort: str = ""
    only: str = ""
    cap: str = ""
    show: str = ""
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    ids: str = ""
    before: int | None = None
    at: int | None = None
    year: int | None = None
    part: str | None = None


_PARAMETERS = {"start": "from", "end": "to"}
"""What fields of a query are called in an address, where that is a keyword of Python or close."""


def read_query(given: Mapping[str, str], parts: tuple[str, ...] = ()) -> PageQuery:
    """Return a page's parameters; unknown ones are ignored, bad values become the defaults."""
    only = _one_of(given.get("only"), ONLY, "")
    sort = _one_of(given.get("sort"), (*SORTS, *(f"-{sort}" for sort in SORTS)), "")
    return PageQuery(
        range=_one_of(given.get("range"), tuple(RANGES), DEFAULT_RANGE),
        start=_time(given.get("from")),
        end=_time(given.get("to")),
        field=_one_of(given.get("field"), CHART_FIELDS, CHART_FIELDS[0]),
        scale=given.get("scale") if given.get("scale") in SCALES else None,
        form=_one_of(given.get("form"), FORMS, FORMS[0]),
        currency=_one_of(given.get("currency"), CURRENCIES, CURRENCIES[0]),
        q=given.get("q", "").strip()[:MAX_SEARCH],
        sort="" if sort == natural_sort(only) else sort,
        only=only,
        cap=_one_of(given.get("cap"), tuple(BANDS), ""),
        show=shown_as(shown_columns(given.get("show", ""))),
        limit=_whole(given.get("limit"), 10, 200, DEFAULT_LIMIT),
        offset=_whole(given.get("offset"), 0, MAX_OFFSET, 0),
        ids=_whole_parts(given.get("ids", "")),
        before=_time(given.get("before")),
        at=_time(given.get("at")),
        year=_whole(given.get("year"), 2009, 2100, 0) or None,
        part=given.get("part") if given.get("part") in parts else None,
    )


def _one_of(text: str | None, choices: tuple[str, ...], default: str) -> str:
    return text if text in choices else default


def _whole(text: str | None, lowest: int, highest: int, default: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 10:  # noqa: PLR2004
        return default
    return min(max(int(text), lowest), highest)


def _whole_parts(text: str) -> str:
    """Return a list as it was given; a long one without the part at which it is cut."""
    return text if len(text) <= MAX_LIST else text[:MAX_LIST].rpartition(",")[0]


def _time(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except UsageError:
        return None


class Address(msgspec.Struct, frozen=True):
    """A page's address without its language, and the parameters that links from it keep."""

    path: str
    language: str
    kept: dict[str, str] = {}

    @property
    def prefix(self) -> str:
        """What stands before a page's path in its language."""
        return prefix_of(self.language)

    def href(self, **changes: str | int | None) -> str:
        """Return a link to this page with some parameters changed; ``None`` drops one."""
        values = {**self.kept, **changes}
        given = {name: str(value) for name, value in values.items() if value is not None}
        query = urlencode(given, safe=",")
        return f"{self.prefix}{self.path}" + (f"?{query}" if query else "")


class Ask(msgspec.Struct, frozen=True):
    """What a page is asked for, and where it is."""

    query: PageQuery
    at: Address


def ask_of(path: str, language: str, asked: PageQuery) -> Ask:
    """Return what is asked and where, keeping in links what differs from the defaults."""
    given = msgspec.structs.asdict(asked)
    defaults = msgspec.structs.asdict(PageQuery())
    kept = {
        _PARAMETERS.get(name, name): str(value)
        for name, value in given.items()
        if value != defaults[name] and name != "part"
    }
    return Ask(asked, Address(path, language, kept))


def prefix_of(language: str) -> str:
    """Return what stands before a page's path in a language."""
    return "" if language == DEFAULT else f"/{language}"


def language_links(address: Address) -> list[views.Link]:
    """Return this page's address in every language.

    The home page in the default language carries ``lang``: it is the only address that would
    otherwise follow the browser's language again.
    """
    links = []
    for code in languages():
        there = Address(address.path, code, address.kept)
        bare = there.path == "/" and code == DEFAULT and not there.kept
        href = there.href(lang=code) if bare else there.href()
        links.append(views.Link(code=code, href=href, current=code == address.language))
    return links


def freshness_view(moment: Moment) -> views.FreshnessView:
    """Return how new the store is, and why the newest attempt failed, if it did."""
    fresh, head = moment.fresh, moment.head
    schedule = head.schedule(moment.now)
    failed = _newest_failure(head)
    return views.FreshnessView(
        state=fresh.state,
        as_of=fresh.as_of,
        slot=fresh.slot,
        next_slot=fresh.next_slot,
        interval_seconds=schedule.interval_seconds if schedule else None,
        missed=fresh.missed,
        stale=fresh.stale,
        reason=failed.reason if failed else None,
        detail=failed.detail if failed else None,
        failed_at=failed.captured_at if failed else None,
    )


def _newest_failure(head: Head) -> LedgerRow | None:
    last = head.last
    return last if last and last.outcome is Outcome.FAILED else None


UNKNOWN_FRESHNESS = views.FreshnessView(state="empty")


LIVE, PUBLISHED = "live", "published"


class Bundle(msgspec.Struct, frozen=True):
    """The page's scripts and styles by plain name, and what tells builds apart.

    ``edition`` says whether a server answers what the page asks, or files alone.
    """

    static: dict[str, str]
    build: str
    edition: str = LIVE


def page_view(  # noqa: PLR0913  what surrounds a page
    kind: str,
    at: Address,
    bundle: Bundle,
    moment: Moment | None = None,
    *,
    status: int = 200,
    rates: Rates | None = None,
    origin: str = "",
) -> views.PageView:
    """Return what surrounds a page; without a moment when the store cannot be read."""
    return views.PageView(
        kind=kind,
        language=at.language,
        prefix=at.prefix,
        path=at.path,
        languages=language_links(at),
        any_language=Address(at.path, DEFAULT, at.kept).href(),
        freshness=freshness_view(moment) if moment else UNKNOWN_FRESHNESS,
        simulated=moment.simulated if moment else False,
        version=moment.head.version if moment else 0,
        rates=rates or {},
        static=bundle.static,
        build=bundle.build,
        edition=bundle.edition,
        origin=origin,
        kept=at.href().partition("?")[2],
        status=status,
    )
