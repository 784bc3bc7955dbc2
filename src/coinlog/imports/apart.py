"""Two names that ``--map`` gives to one asset: former and current, or two assets mixed up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from coinlog.errors import UsageError
from coinlog.imports.found import Found
from coinlog.slots import iso
from coinlog.sources.labels import Label


def check_apart(found: Found, given: Mapping[str, int]) -> None:
    """Refuse two names of ``given`` for one asset where both have rows in one slot.

    An asset that was renamed goes by one name after the other. Where both stand in a slot, one of
    them would be drawn as the other, and nobody could see it.

    Raises:
        UsageError: two names stand side by side.
    """
    by_label = {label: keys for label in found.seen if (keys := _keys(label, given))}
    ids = Counter(given[min(keys)] for keys in by_label.values())
    doubled = {label for label, keys in by_label.items() if ids[given[min(keys)]] > 1}
    for slot in found.slots() if doubled else ():
        for captured in found.captured(slot):
            together = [label for label in captured.labels if label in doubled]
            for one, other, asset_id in _mixed(together, by_label, given):
                raise UsageError(
                    f"--map gives {one!r} and {other!r} the same id {asset_id}, and both have rows "
                    f"in the slot {iso(slot)}: two assets cannot be one, so say the id of each"
                )


def _keys(label: Label, given: Mapping[str, int]) -> frozenset[str]:
    return frozenset({label.symbol, label.name, label.slug} & given.keys())


def _mixed(
    together: list[Label], by_label: Mapping[Label, frozenset[str]], given: Mapping[str, int]
) -> Iterator[tuple[str, str, int]]:
    """Yield two names of one asset that different rows go by, and its id."""
    named: dict[int, list[frozenset[str]]] = defaultdict(list)
    for label in together:
        keys = by_label[label]
        asset_id = given[min(keys)]
        for others in named[asset_id]:
            if not keys & others:
                yield min(others), min(keys), asset_id
        named[asset_id].append(keys)
