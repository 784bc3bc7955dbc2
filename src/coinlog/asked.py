"""What people ask for, checked: fields, stretches of time, assets; refused in a sentence.

The API, ``coinlog export`` and ``import coinlog`` share these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import index

from coinlog.errors import UsageError
from coinlog.market import QUOTE_FIELDS
from coinlog.slots import MAX_ASSET_ID, AssetSelection, iso, parse_assets, parse_time
from coinlog.sources.texts import one_line
from coinlog.store.finding import all_ids, find_assets
from coinlog.store.ledger import Head
from coinlog.store.listing import read_leading
from coinlog.store.reader import Reader, StoredAsset
from coinlog.timeline import RANGES, Window, window_of

CANDIDATES_NAMED = 8


def parse_fields(text: str) -> tuple[str, ...]:
    """Return the names of the fields in ``price,market_cap``, each once.

    Raises:
        UsageError: a quote has no such field.
    """
    fields = tuple(dict.fromkeys(text.split(",")))
    unknown = [field for field in fields if field not in QUOTE_FIELDS]
    if unknown:
        raise UsageError(
            f"fields={unknown[0][:40]!r} cannot be used: expected some of "
            f"{', '.join(QUOTE_FIELDS)}, for example fields=price,market_cap"
        )
    return fields


def parse_window(  # noqa: PLR0913  a stretch can be asked for in three ways
    head: Head, now: float, name: str | None, start: str | None, end: str | None, *, usual: str
) -> Window:
    """Return the stretch asked for by a range's name or by its ends; ``usual`` if by neither.

    Raises:
        UsageError: both ways are used, or a value cannot be used.
    """
    if name is None and start is None and end is None:
        name = usual
    if name is not None:
        if start is not None or end is not None:
            raise UsageError(
                "range and from/to exclude each other: give one of them, for example range=30d"
            )
        if name not in RANGES:
            raise UsageError(
                f"range={name[:40]!r} cannot be used: expected one of {', '.join(RANGES)}, "
                "for example range=30d"
            )
        return window_of(head, now, name)
    newest = head.current_slot(now) or int(now)
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


def parse_selection(text: str) -> AssetSelection | None:
    """Return the assets written as ``id:1,1027`` or ``top:50``; ``None`` means all there are.

    Raises:
        UsageError: it is written otherwise.
    """
    if text.strip() == "all":
        return None
    try:
        return parse_assets(text)
    except UsageError as error:
        raise UsageError(f"{error}; or all") from None


def selected_ids(reader: Reader, head: Head, selection: AssetSelection | None) -> list[int]:
    """Return the ids of the assets selected, ascending; the top ones are those of the newest slot.

    Raises:
        UsageError: an id listed has never been recorded.
    """
    if selection is None:
        return all_ids(reader)
    top: Sequence[int] = ()
    if selection.top and head.newest is not None:
        top = [asset.id for asset in read_leading(reader, head.newest.slot, selection.top)]
    known = {asset.id for asset in reader.assets(selection.ids)} if selection.ids else set()
    unknown = [asset_id for asset_id in selection.ids if asset_id not in known]
    if unknown:
        raise UsageError(
            f"no asset with the id {unknown[0]} has been recorded: `coinlog export - --what assets`"
            " lists those that have"
        )
    return sorted({*top, *selection.ids})


def one_asset(reader: Reader, wanted: int | str) -> StoredAsset:
    """Return the one asset with this id, slug, name or symbol: never a guess.

    An exact slug comes first: it is the source's own name for one asset. Names and symbols are
    shared by many, so one of those must be the only one, whatever its case.

    Raises:
        UsageError: there is none, or there are several, which are then listed.
    """
    if not isinstance(wanted, str):
        found = reader.assets([_id_of(wanted)])
    else:
        called = find_assets(reader, wanted.strip())
        found = [asset for asset in called if asset.slug == wanted.strip()] or called
        if not found and re.fullmatch(r"[0-9]{1,9}", wanted.strip()):
            found = reader.assets([int(wanted)])
    if not found:
        raise UsageError(
            f"no asset is called {str(wanted)[:60]!r}: expected an id (1), a slug (bitcoin), or a "
            "name or symbol that one asset alone carries"
        )
    if len(found) > 1:
        raise UsageError(_several(reader, str(wanted), found))
    return found[0]


def _id_of(wanted: object) -> int:
    """Return an id that is a whole number of any kind, numpy's too."""
    try:
        asset_id = index(wanted)  # type: ignore[arg-type]  # that is what is being found out
    except TypeError:
        asset_id = 0
    if not 0 < asset_id <= MAX_ASSET_ID:
        raise UsageError(
            f"{str(wanted)[:60]!r} is no asset: expected an id (1), a slug (bitcoin), or a name or "
            "symbol that one asset alone carries"
        )
    return asset_id


def _several(reader: Reader, wanted: str, found: Sequence[StoredAsset]) -> str:
    ranks = {one.id: one.quote.rank for one in reader.newest([asset.id for asset in found])}
    # Best known first; those without a rank, which are most often gone, last.
    ordered = sorted(found, key=lambda asset: (ranks.get(asset.id) or 10**9, asset.id))
    named = "; ".join(
        f"{asset.id} {one_line(asset.name, 60)} (slug {one_line(asset.slug, 60)}, "
        + (f"rank {ranks[asset.id]})" if ranks.get(asset.id) else f"seen {iso(asset.last_slot)})")
        for asset in ordered[:CANDIDATES_NAMED]
    )
    others = len(ordered) - CANDIDATES_NAMED
    more = f"; and {others} more" if others > 0 else ""
    return (
        f"{len(found)} assets are called {wanted[:60]!r}: expected one's id or slug: {named}{more}"
    )
