"""The market of the API: the assets of a slot, narrowed, sorted and paged as the page does it."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency

from coinlog.asked import parse_moment
from coinlog.store.listing import Listed, Wanted, read_listing
from coinlog.store.narrowing import BANDS, GAINERS, LOSERS, SORTS
from coinlog.web import answers, query
from coinlog.web.api import TheWatch, envelope, listed_answer
from coinlog.web.api_parameters import DEFAULT_LIMIT, Limit, choice, moment, parameter, several
from coinlog.web.past_slots import exact_slot

_CAPS = ", ".join(BANDS)

Offset = Annotated[
    int, parameter("offset", "How many to pass over first.", 0, ge=0, le=query.MAX_OFFSET)
]
Sort = Annotated[
    str | None,
    choice(
        "sort",
        "Field to sort by, else rank; - in front: descending.",
        "-market_cap",
        [*SORTS, *(f"-{one}" for one in SORTS)],
    ),
]
Search = Annotated[
    str, parameter("q", "Part of a name or symbol, or an id.", "bit", max_length=query.MAX_SEARCH)
]
At = Annotated[
    str | None,
    moment(
        "at", "The market as it was at this recorded slot; else the newest.", "2026-01-26T18:00:00Z"
    ),
]
Only = Annotated[
    str | None,
    choice(
        "only",
        "gainers or losers of the day, most first unless sorted.",
        GAINERS,
        (GAINERS, LOSERS),
    ),
]
Cap = Annotated[
    str | None,
    choice("cap", f"A band of the market cap in USD: one of {_CAPS}.", "1b", [*BANDS]),
]
Ids = Annotated[
    str | None,
    several("ids", "These assets alone.", "1,1027", "[1-9][0-9]{0,8}", query.MAX_LIST),
]


TheWanted = NamedDependency[Wanted]


def wanted_of(  # noqa: PLR0913, PLR0917  one for each parameter of the address
    limit: Limit = DEFAULT_LIMIT,
    offset: Offset = 0,
    sort: Sort = None,
    q: Search = "",
    only: Only = None,
    cap: Cap = None,
    ids: Ids = None,
) -> Wanted:
    """Return what of the market is asked for.

    Raises:
        UsageError: a value cannot be used.
    """
    return Wanted(
        limit=limit,
        offset=offset,
        sort="" if sort is None else query.parse_sort(sort),
        q=q,
        only="" if only is None else query.one_of("only", only, (GAINERS, LOSERS)),
        cap="" if cap is None else query.one_of("cap", cap, tuple(BANDS)),
        ids=None if ids is None else query.parse_known_ids(ids),
    )


@get("/assets", sync_to_thread=True)
def list_assets(watch: TheWatch, wanted: TheWanted, at: At = None) -> answers.AssetsAnswer:
    """List the assets of the newest slot, or of a past one: the market table."""
    time = None if at is None else parse_moment("at", at)
    with watch.moment() as moment:
        newest = moment.head.newest.slot if moment.head.newest else None
        slot = newest if time is None else exact_slot(watch, moment, time)
        total, found = 0, list[Listed]()
        if slot is not None and newest is not None:
            total, found = read_listing(watch.reader, slot, newest, wanted)
    return answers.AssetsAnswer(
        **envelope(moment), assets=[listed_answer(one.asset) for one in found], total=total
    )
