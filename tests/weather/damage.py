"""Damage that was done on purpose and stays, and what verifying says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coinlog.attempts import slot_name
from coinlog.slots import iso
from weather.truth import Truth


@dataclass(frozen=True)
class Damage:
    """What was done for good to the files of a slot's first attempt.

    Verifying must say so, where it is ``named``, and nothing else of the slot may differ. Where a
    store is made ``anew`` from the archive, that is what is true of the slot from then on; without
    it, all stays as it is. Where what the files tell then ``misleads``, nothing is promised.
    """

    named: bool = True
    misleads: bool = False
    anew: tuple[Truth, Damage] | None = None


def unnamed(differences: Sequence[str], damaged: Mapping[int, Damage]) -> Iterator[tuple[str, str]]:
    """Yield what verifying found beside the damage that was done, and damage that it did not."""
    for words in unexplained(differences, damaged):
        yield "untrue", words
    heads = {words.partition(", ")[0] for words in differences}
    for slot, damage in damaged.items():
        if damage.named and f"slot {iso(slot)}" not in heads:
            yield "untrue", f"slot {iso(slot)} is damaged, and verifying does not say so"


def unexplained(differences: Sequence[str], damaged: Mapping[int, Damage]) -> Iterator[str]:
    """Yield what verifying found that no damage in the archive is the reason of."""
    heads = {f"slot {iso(slot)}": slot for slot in damaged}
    for words in differences:
        head, _, what = words.partition(", ")
        slot = heads.get(head)
        if slot is None or not (damaged[slot].misleads or _is_of_files(what, slot)):
            yield words


def _is_of_files(what: str, slot: int) -> bool:
    """Return whether words are of the first attempt's files, and not of what the store holds."""
    files = rf"'?captures/{slot_name(slot)}/1/"
    manifest = rf"the manifest of captures/{slot_name(slot)}/1 |its manifest has SHA-256 "
    gone = "the store has settled it, and the archive lacks it"
    return bool(re.match(rf"{files}|attempt 1: ({files}|{manifest}|{gone})", what))


class unwatched:  # noqa: N801  used as a function
    """A watch that nobody reads."""

    def __init__(self, _what: str, _total: int | None) -> None:
        pass

    def __enter__(self) -> Any:  # noqa: ANN401  a function
        return lambda _: None

    def __exit__(self, *_: object) -> None:
        pass
