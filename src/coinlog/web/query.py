"""What a caller may ask: values checked with a sentence that says what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from coinlog import asked
from coinlog.errors import NotFoundError, UsageError
from coinlog.slots import MAX_ASSET_ID, iso
from coinlog.store.narrowing import SORTS
from coinlog.timeline import MANY_FIELDS, MAX_SLOTS, Window, shortened
from coinlog.web.watch import Moment

MAX_LIMIT = 10_000
MAX_OFFSET = 1_000_000
MAX_SEARCH = 100
MAX_COMPARED = 10
MAX_LIST = 2000
"""How long a list of ids in an address is at most: some 300 of them."""

MAX_POINTS = 20_000
USUAL_POINTS = 5_000
"""To how many points a series of more than ``MAX_POINTS`` is thinned unless asked otherwise."""

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


def one_of(name: str, text: str, choices: Sequence[str]) -> str:
    """Return a parameter that is one of several words.

    Raises:
        UsageError: it is none of them.
    """
    if text not in choices:
        raise UsageError(
            f"{name}={text[:40]!r} cannot be used: expected one of {', '.join(choices)}, for "
            f"example {name}={choices[0]}"
        )
    return text


def parse_known_ids(text: str) -> tuple[int, ...]:
    """Return the asset ids in ``text`` (``1,1027``), each once.

    Raises:
        UsageError: there is something else in it, or nothing.
    """
    ids, others = parse_ids(text)
    if others or not ids:
        raise UsageError(
            f"ids={(others or [text])[0][:40]!r} cannot be used: expected CoinMarketCap ids with "
            "commas between, for example ids=1,1027"
        )
    return tuple(ids)


def parse_window(
    moment: Moment, name: str | None, start: str | None, end: str | None, most: int | None = None
) -> Window:
    """Return the stretch of time asked for by a range's name or by its ends.

    A named range that holds more than ``most`` slots is cut to its newest part, as on the pages.

    Raises:
        UsageError: both ways are used, a value cannot be used, or the ends are too far apart.
    """
    window = asked.parse_window(moment.head, moment.now, name, start, end, usual="1y")
    shorter = shortened(moment.head, window, most)
    if start is None and end is None:
        return shorter
    if shorter != window:
        raise UsageError(
            f"this range holds more than {most or MAX_SLOTS} slots: expected a shorter one, for "
            f"example from={iso(shorter.start)}"
        )
    return window


def most_slots(most: int, fields: Sequence[str]) -> int:
    """Return how many slots are read of so many fields, where ``most`` are of a few."""
    return most * MANY_FIELDS // max(MANY_FIELDS, len(fields))


def parse_ids(text: str) -> tuple[list[int], list[str]]:
    """Return the asset ids in ``text`` (``1,1027``), each once, and the parts that are none."""
    parts = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
    ids = [int(part) for part in parts if is_asset_id(part)]
    return ids, [part for part in parts if not is_asset_id(part)]


def is_asset_id(text: str) -> bool:
    """Return whether ``text`` is written as an asset's id."""
    return re.fullmatch(r"[1-9][0-9]{0,9}", text) is not None and int(text) <= MAX_ASSET_ID


def id_in(name: str, kind: str) -> int:
    """Return the id in a picture's name: 1 in ``1.svg``.

    Raises:
        NotFoundError: there is no picture of such a name.
    """
    stem, _, ending = name.rpartition(".")
    if ending != kind or not is_asset_id(stem):
        raise NotFoundError(f"there is no picture {name[:40]!r}: expected an id, as in 1.{kind}")
    return int(stem)
