"""The shape of an answer: which keys it has, what kind of value each holds, in all rows or some."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

MOST_PATHS = 2000
"""No answer has so many keys; whoever sends more is not followed further."""
_KINDS = {bool: "true or false", int: "number", float: "number", str: "text", type(None): "null"}
_KEY_LETTERS = 40
_DEEPEST = 12


class Seen(NamedTuple):
    """What stands at a place: its kinds of value, and whether every object there has it."""

    kinds: frozenset[str]
    always: bool


Shape = Mapping[str, Seen]
"""By path: ``data[].quote[].price``. Keys that are ids are ``*``."""


def shape_of(value: object) -> Shape:
    """Return the shape of a JSON value."""
    found: dict[str, Seen] = {}
    _note(found, "", [value], always=True, depth=0)
    return found


def differences(before: Sequence[Shape], now: Shape) -> list[str]:
    """Return in words how a shape differs from those before it.

    A key is new where none of them had it, gone where all of them had it in every object, and of
    another kind where none had that kind. Null says nothing, and neither do the keys of what was
    null or absent throughout: an answer without tokens has none of their keys.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for shape in before:
        for path, seen in shape.items():
            known[path] |= seen.kinds
    new = [path for path in now if path not in known and _had_object(path, known)]
    here = {path: seen.kinds for path, seen in now.items()}
    gone = [
        path
        for path in before[-1]
        if path not in now
        and _had_object(path, here)
        and all(path in one and one[path].always for one in before)
    ]
    return [
        *(f"new: {path}" for path in _tops(new)),
        *(f"gone: {path}" for path in _tops(gone)),
        *_changed(known, now),
    ]


def _changed(known: Mapping[str, set[str]], now: Shape) -> list[str]:
    found = []
    for path, seen in now.items():
        other = seen.kinds - known.get(path, set()) - {"null"}
        was = known.get(path, set()) - {"null"}
        if other and was:
            found.append(f"{path or 'the answer'}: {_listed(other)} instead of {_listed(was)}")
    return found


def _had_object(path: str, known: Mapping[str, AbstractSet[str]]) -> bool:
    parent = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
    holder = "list" if path.endswith("[]") else "object"
    return holder in known.get(parent, set())


def _tops(paths: Sequence[str]) -> list[str]:
    """Return paths without those that lie inside another: whoever is gone took its own along."""
    among = set(paths)
    return [path for path in paths if not any(_inside(path, one) for one in among)]


def _inside(path: str, other: str) -> bool:
    return path != other and path.startswith((f"{other}.", f"{other}["))


def _listed(kinds: AbstractSet[str]) -> str:
    return " or ".join(sorted(kinds))


def _note(
    found: dict[str, Seen], path: str, values: Sequence[Any], *, always: bool, depth: int
) -> None:
    """Note all values of one place at once: a column costs less than its rows."""
    if len(found) >= MOST_PATHS or depth > _DEEPEST:
        return
    kinds = {_KINDS.get(kind) or _nested(kind) for kind in set(map(type, values))}
    found[path] = Seen(frozenset(kinds), always)
    if "object" in kinds:
        objects = [value for value in values if isinstance(value, dict)]
        columns: dict[str, list[Any]] = defaultdict(list)
        for one in objects:
            for key, value in one.items():
                columns[key].append(value)
        for key, column in _named(columns).items():
            inner = f"{path}.{key}" if path else key
            whole = len(column) >= len(objects)
            _note(found, inner, column, always=whole, depth=depth + 1)
    if "list" in kinds:
        entries = [entry for value in values if isinstance(value, list) for entry in value]
        if entries:
            _note(found, f"{path}[]", entries, always=False, depth=depth + 1)


def _nested(kind: type) -> str:
    return "object" if kind is dict else "list"


def _named(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Return columns by plain key; keys that are ids are one column."""
    named: dict[str, list[Any]] = defaultdict(list)
    for key, column in columns.items():
        named["*" if key.isdigit() else re.sub(r"[^\w-]", "-", key)[:_KEY_LETTERS]] += column
    return named
