"""A rule about the source's answers: their shape is not what it was."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import msgspec

from coinlog.alerts.rule import Rule, Sign, digest, over, so
from coinlog.alerts.shapes import Shape, differences, shape_of
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, is_imported
from coinlog.errors import ArchiveError
from coinlog.slots import iso
from coinlog.sources.texts import counted

if TYPE_CHECKING:
    from coinlog.alerts.history import History

KNOWN_SLOTS = 8
"""An answer is compared with those of so many slots before: some keys come and go."""
MOST_NAMED = 8


class Drift(Rule, frozen=True, kw_only=True):
    """Keys that are new, gone or of another kind, in any of a slot's answers.

    It is over with the next slot that keeps the new shape; further differences are told too.
    """

    kind: ClassVar[str] = "drift"

    def watched(self) -> str:
        """Return in words what is watched."""
        return "keys in the source's answers that are new, gone, or hold another kind of value"

    def lookback(self, interval_seconds: int) -> int:
        """Return the slots with which one is compared, and as many that may lack an answer."""
        return 2 * KNOWN_SLOTS * interval_seconds

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether each slot's answers differ from those before them."""
        wanted = set(slots)
        before: deque[Mapping[str, Shape]] = deque(maxlen=KNOWN_SLOTS)
        lines = [
            line
            for line in history.lines.values()
            if line.has_quotes and not is_imported(line.attempt)
        ]
        first = next((n for n, line in enumerate(lines) if line.slot in wanted), len(lines))
        for line in lines[max(0, first - KNOWN_SLOTS) :]:
            shapes = _read(history.archive, AttemptKey(line.slot, line.attempt))
            if not shapes:
                # Of what cannot be read nobody knows whether it is as it was.
                continue
            if line.slot in wanted and before:
                yield _sign(line.slot, _differences(before, shapes))
            before.append(shapes)


def _differences(before: Sequence[Mapping[str, Shape]], now: Mapping[str, Shape]) -> list[str]:
    found = []
    for name, shape in now.items():
        known = [shapes[name] for shapes in before if name in shapes]
        found += [f"{name}: {one}" for one in differences(known, shape)] if known else []
    return found


def _sign(slot: int, found: Sequence[str]) -> Sign:
    if not found:
        headline = f"the source's answers keep the same shape since slot {iso(slot)}"
        return over(slot, "the same", headline, "What is new counts as known by now.")
    named = "\n".join(found[:MOST_NAMED])
    others = len(found) - MOST_NAMED
    more = f"\nand {others} more" if others > 0 else ""
    text = (
        f"Slot {iso(slot)} differs from the slots before it:\n{named}{more}\n\nWhat coinlog reads "
        "is stored; the raw answers hold the rest."
    )
    headline = f"the source's answers have changed: {found[0][:120]}"
    return so(slot, counted(len(found), "difference"), headline, text, digest(*found))


def _read(archive: Archive, key: AttemptKey) -> Mapping[str, Shape]:
    try:
        return _shapes(archive, key)
    except ArchiveError:
        return {}


@lru_cache(maxsize=4 * KNOWN_SLOTS)
def _shapes(archive: Archive, key: AttemptKey) -> Mapping[str, Shape]:
    """Return the shapes of an attempt's answers, pages of one list as one."""
    manifest, _ = archive.manifest(key)
    found = {}
    for answer in archive.answers(key, manifest):
        name = re.sub(r"-[0-9]+$", "", answer.name)
        if answer.reason is None and name not in found:
            try:
                found[name] = shape_of(msgspec.json.decode(answer.body))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
    return found
