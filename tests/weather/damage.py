"""Damage that was done on purpose and stays, and what verifying says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coinlog.slots import iso


def unnamed(differences: Sequence[str], damaged: Mapping[int, bool]) -> Iterator[tuple[str, str]]:
    """Yield what verifying found beside the damage that was done, and damage that it did not."""
    heads = {f"slot {iso(slot)}": slot for slot in damaged}
    named = set()
    for words in differences:
        if (slot := heads.get(words.partition(",")[0])) is None:
            yield "untrue", words
        named.add(slot)
    for slot, needed in damaged.items():
        if needed and slot not in named:
            yield "untrue", f"slot {iso(slot)} is damaged, and verifying does not say so"


class unwatched:  # noqa: N801  used as a function
    """A watch that nobody reads."""

    def __init__(self, _what: str, _total: int | None) -> None:
        pass

    def __enter__(self) -> Any:  # noqa: ANN401  a function
        return lambda _: None

    def __exit__(self, *_: object) -> None:
        pass
