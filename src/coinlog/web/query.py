"""What a caller may ask: values checked with a sentence that says what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from coinlog.errors import UsageError
from coinlog.market import QUOTE_FIELDS
from coinlog.slots import MAX_ASSET_ID, iso, parse_time
from coinlog.store.reader import SORTS
from coinlog.timeline import MAX_SLOTS, RANGES, Window, shortened, window_of
from coinlog.web.watch import Moment

MAX_LIMIT = 10_000
MAX_OFFSET = 1_000_000
MAX_SEARCH = 100
MAX_COMPARED = 10
MAX_POINTS = 20_000
DEFAULT_FIELDS = ("price", "market_cap", "volume_24h")


def refuse_unknown(given: Sequence[tuple[str, str]], known: Iterable[str]) -> None:
    """Refuse parameters that the address does not have, and those given twice.

    Raises:
        UsageError: there is one.
    """
    names = [name for name, _ in given]
    known = sorted(known)
    for name in names:
        if name not in known:
            expected = ", ".join(known) or "no parameters here"
            raise UsageError(f"the parameter {name[:40]!r} is unknown: expected {expected}")
        if names.count(name) > 1:
            raise UsageError(f"the parameter {name!r} is given {names.count(name)} times: give one")


def parse_sort(text: str) -> str:
    """Return a sort order: a field, with ``-`` in front for descending.

    Raises:
        UsageError: there is no such field.
    """
    if text.removeprefix("-") not in SORTS:
        raise UsageError(
            f"sort={text[:40]!r} cannot be used: expected one of {', '.join(SORTS)}, with - in "
            "front for descending, for example sort=-market_cap"
        )
    return text


def parse_fields(text: str | None) -> tuple[str, ...]:
    """Return the names of the fields asked for, each once.

    Raises:
        UsageError: a quote has no such field.
    """
    fields = tuple(dict.fromkeys(text.split(","))) if text is not None else DEFAULT_FIELDS
    unknown = [field for field in fields if field not in QUOTE_FIELDS]
    if unknown:
        raise UsageError(
            f"fields={unknown[0][:40]!r} cannot be used: expected some of "
            f"{', '.join(QUOTE_FIELDS)}, for example fields=price,market_cap"
        )
    return fields


def parse_window(moment: Moment, name: str | None, start: str | None, end: str | None) -> Window:
    """Return the stretch of time asked for by a range's name or by its ends.

    A named range that holds too many slots is cut to its newest part, as on the pages.

    Raises:
        UsageError: both ways are used, a value cannot be used, or the ends are too far apart.
    """
    window = _parse_window(moment, name, start, end)
    shorter = shortened(moment.head, window)
    if start is None and end is None:
        return shorter
    if shorter != window:
        raise UsageError(
            f"this range holds more than {MAX_SLOTS} slots: expected a shorter one, for example "
            f"from={iso(shorter.start)}"
        )
    return window


def _parse_window(moment: Moment, name: str | None, start: str | None, end: str | None) -> Window:
    if name is None and start is None and end is None:
        name = "1y"
    if name is not None:
        if start is not None or end is not None:
            raise UsageError("range and from/to exclude each other: give range=30d or from=&to=")
        if name not in RANGES:
            raise UsageError(
                f"range={name[:40]!r} cannot be used: expected one of {', '.join(RANGES)}, "
                "for example range=30d"
            )
        return window_of(moment.head, moment.now, name)
    newest = moment.head.current_slot(moment.now) or int(moment.now)
    first = 0 if start is None else parse_moment("from", start)
    last = newest if end is None else parse_moment("to", end)
    if end is not None and first > last:
        raise UsageError(f"from={start} is after to={end}: expected the earlier time in from")
    # Later slots are still to come: all who ask for them share one answer.
    return Window(first, min(last, newest))


def parse_moment(name: str, text: str) -> int:
    """Return the seconds of a time given as a parameter.

    Raises:
        UsageError: it is no time.
    """
    try:
        return parse_time(text)
    except UsageError as error:
        raise UsageError(f"{name}={error}") from None


def parse_ids(text: str) -> tuple[list[int], list[str]]:
    """Return the asset ids in ``text`` (``1,1027``), each once, and the parts that are none."""
    parts = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
    ids = [int(part) for part in parts if is_asset_id(part)]
    return ids, [part for part in parts if not is_asset_id(part)]


def is_asset_id(text: str) -> bool:
    """Return whether ``text`` is written as an asset's id."""
    return re.fullmatch(r"[1-9][0-9]{0,9}", text) is not None and int(text) <= MAX_ASSET_ID
