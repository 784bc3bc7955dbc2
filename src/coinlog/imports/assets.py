"""Which asset a label means: found where two of its parts agree on one, never guessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.errors import BrokenAnswerError, SchemaError, UsageError
from coinlog.market import Asset
from coinlog.slots import DAY
from coinlog.sources.decode import decode
from coinlog.sources.labels import Label
from coinlog.sources.status import parse_iso
from coinlog.store import schema
from coinlog.store.engine import store_errors

CANDIDATES_SHOWN = 9
# An asset has no quotes before its first ones, which are told to the day.
_SLACK_SECONDS = 2 * DAY


class Seen(msgspec.Struct):
    """How often a label stands in a source, and when first (seconds UTC)."""

    rows: int
    first: int


class Unmatched(msgspec.Struct, frozen=True):
    """A label that could not be matched, and who it could be.

    It is called as ``agreed`` is, but its rows are older than all that the store knows of that
    asset, which is since ``since``.
    """

    label: Label
    rows: int
    candidates: tuple[Asset, ...]
    agreed: Asset | None = None
    since: int = 0


class Directory:
    """Assets by all that they are and were called."""

    def __init__(self) -> None:
        self.by_id: dict[int, Asset] = {}
        self._since: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._called: dict[tuple[str, str], dict[int, None]] = defaultdict(dict)

    def add(
        self,
        asset: Asset,
        *,
        former: bool = False,
        since: int | None = None,
        seen: int | None = None,
    ) -> None:
        """Add an asset by one of its names, current or ``former``.

        ``since`` it has quotes at its source, and the store has ``seen`` it first.
        """
        if not former:
            self.by_id[asset.id] = asset
        if since is not None:
            self._since[asset.id] = since
        if seen is not None:
            self._seen[asset.id] = seen
        for part in ("symbol", "name", "slug"):
            if text := getattr(asset, part):
                self._called[part, text][asset.id] = None
                self._called[part, text.casefold()][asset.id] = None

    def match(self, label: Label, first: int) -> Asset | None:
        """Return the one asset that a label means in rows from ``first`` on, None in doubt.

        Symbol and name must agree; a slug must agree with one of them, and with both if they
        agree with each other.
        """
        if label.id:
            return self.by_id.get(label.id)
        symbol, name, slug = (self._ids(part, getattr(label, part), first) for part in _PARTS)
        both = _exact_or_any(symbol, name)
        if label.slug and (slugged := _one(slug)):
            found = [i for i in slugged if i in _any(symbol) or i in _any(name)]
            return self._only(found if not both or set(found) == set(both) else [])
        # A slug that is known otherwise contradicts what symbol and name say.
        return self._only([i for i in both if not label.slug or not self.by_id[i].slug])

    def seen_later(self, asset: Asset, first: int) -> int:
        """Return since when the store knows an asset, 0 where rows from ``first`` on fit.

        Symbols and names pass from one asset to another, so an older row may be about another.
        """
        seen = 0 if asset.id in self._since else self._seen.get(asset.id, 0)
        return seen if seen > first + _SLACK_SECONDS else 0

    def candidates(self, label: Label) -> tuple[Asset, ...]:
        """Return who shares a symbol, a name or a slug with a label."""
        ids = dict.fromkeys(
            asset_id
            for part in _PARTS
            if (text := getattr(label, part))
            for asset_id in self._called.get((part, text.casefold()), ())
        )
        return tuple(self.by_id[asset_id] for asset_id in ids)[:CANDIDATES_SHOWN]

    def _ids(self, part: str, text: str, first: int) -> tuple[list[int], list[int]]:
        """Return who is called so exactly, and who is but for upper and lower case."""
        exact, any_case = (
            [i for i in self._called.get((part, form), ()) if self._had_quotes(i, first)]
            for form in (text, text.casefold())
        )
        return exact, any_case

    def _had_quotes(self, asset_id: int, first: int) -> bool:
        return self._since.get(asset_id, 0) <= first + _SLACK_SECONDS

    def _only(self, ids: list[int]) -> Asset | None:
        return self.by_id[ids[0]] if len(ids) == 1 else None


_PARTS = ("symbol", "name", "slug")
_Found = tuple[list[int], list[int]]


def _any(found: _Found) -> list[int]:
    return list(dict.fromkeys([*found[0], *found[1]]))


def _one(found: _Found) -> list[int]:
    return found[0] or found[1]


def _exact_or_any(left: _Found, right: _Found) -> list[int]:
    """Return who is in both, as written if anyone is, else whatever the case."""
    exact = [asset_id for asset_id in left[0] if asset_id in right[0]]
    return exact or [asset_id for asset_id in _any(left) if asset_id in _any(right)]


def add_stored(directory: Directory, engine: sa.Engine) -> None:
    """Add the assets that the store has seen; none where it has no tables yet."""
    current, former = schema.asset.c, schema.asset_name.c
    try:
        with store_errors(), engine.connect() as connection:
            for row in connection.execute(
                sa.select(
                    current.id,
                    current.name,
                    current.symbol,
                    current.slug,
                    current.is_fiat,
                    current.first_slot,
                )
            ):
                directory.add(Asset(*row[:4], bool(row[4])), seen=row[5])
            names = sa.select(former.asset_id, former.name, former.symbol, former.slug)
            for called in connection.execute(names):
                directory.add(Asset(*called), former=True)
    except SchemaError:
        return


class _MapRow(msgspec.Struct):
    id: int
    name: str
    symbol: str
    slug: str = ""
    first_historical_data: Any = None


class _Map(msgspec.Struct):
    data: list[_MapRow]


_MAP = msgspec.json.Decoder(_Map)


def add_map(directory: Directory, body: bytes) -> None:
    """Add the assets of a saved answer of ``/v1/cryptocurrency/map``.

    Raises:
        UsageError: it is none.
    """
    try:
        rows = decode(_MAP, body).data
    except (BrokenAnswerError, msgspec.ValidationError) as error:
        raise UsageError(
            f"--assets-file cannot be read ({error}): expected a saved answer of "
            "/v1/cryptocurrency/map"
        ) from error
    for row in rows:
        asset = Asset(row.id, row.name, row.symbol, row.slug)
        directory.add(asset, since=parse_iso(row.first_historical_data))


class Matching(msgspec.Struct, frozen=True):
    """Whom labels mean, and which of them are in doubt."""

    matches: dict[Label, Asset]
    unmatched: list[Unmatched]


def match_labels(
    seen: Mapping[Label, Seen], directory: Directory, given: Mapping[str, int], used: set[str]
) -> Matching:
    """Match every label: as the user says, else where the directory knows of one alone.

    The keys of ``given`` that were of use are added to ``used``.

    Raises:
        UsageError: the user gives one label two ids.
    """
    matches: dict[Label, Asset] = {}
    unmatched: list[Unmatched] = []
    for label, told in sorted(seen.items()):
        asset_id = _given_id(label, given, used)
        asset = directory.match(label, told.first)
        if asset_id is not None:
            matches[label] = known_or_new(directory, label, asset_id)
        elif asset and not label.id and (since := directory.seen_later(asset, told.first)):
            candidates = directory.candidates(label)
            unmatched.append(Unmatched(label, told.rows, candidates, asset, since))
        elif asset is not None:
            matches[label] = asset
        elif not label.id:
            unmatched.append(Unmatched(label, told.rows, directory.candidates(label)))
    return Matching(matches, unmatched)


def known_or_new(directory: Directory, label: Label, asset_id: int) -> Asset:
    """Return the asset of an id, called as the label says where it is not known."""
    symbol = label.symbol or label.name or label.slug
    new = Asset(asset_id, label.name or symbol, symbol, label.slug)
    return directory.by_id.get(asset_id, new)


def choose(
    matching: Matching, directory: Directory, ask: Callable[[Unmatched], int | None]
) -> Matching:
    """Ask about every label in doubt; those that stay so are left unmatched."""
    matches, left = dict(matching.matches), []
    for each, asset_id in _asked(matching.unmatched, ask):
        if asset_id is None:
            left.append(each)
        else:
            matches[each.label] = known_or_new(directory, each.label, asset_id)
    return Matching(matches, left)


def _asked(
    unmatched: Iterable[Unmatched], ask: Callable[[Unmatched], int | None]
) -> Iterator[tuple[Unmatched, int | None]]:
    for each in unmatched:
        yield each, ask(each)


def _given_id(label: Label, given: Mapping[str, int], used: set[str]) -> int | None:
    keys = [key for key in (label.name, label.symbol, label.slug) if key in given]
    ids = {given[key] for key in keys}
    if len(ids) > 1:
        raise UsageError(
            f"--map gives {str(label)!r} two ids, by {' and by '.join(map(repr, keys))}: name it "
            "once"
        )
    used.update(keys)
    return ids.pop() if ids else None
