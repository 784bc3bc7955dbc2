"""What a source was found to hold, whatever kind it is of, and the attempts that it becomes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from coinlog.imports.assets import Seen
from coinlog.market import SourceKind
from coinlog.sources.answers import Answer
from coinlog.sources.imported import MATCHES
from coinlog.sources.labels import Label, Matches, write_matches

REFUSALS_KEPT = 1_000
_DIGEST_LENGTH = 16

FILE = "file"
"""What saved answers are counted by."""


class Refusal(msgspec.Struct, frozen=True):
    """Something that is not imported: where it stands, and why not."""

    place: str
    why: str


class Refusals:
    """What is not imported: how much, and the first of it."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Refusal] = []

    def add(self, place: str, why: str) -> None:
        """Add one."""
        self.count += 1
        if len(self.first) < REFUSALS_KEPT:
            self.first.append(Refusal(place, why))


class Captured(msgspec.Struct, frozen=True):
    """What somebody captured at one moment: the answers of an attempt to be, oldest first."""

    answers: tuple[Answer, ...]
    labels: tuple[Label, ...] = ()

    @property
    def observed_at(self) -> int:
        """When that was, in seconds UTC."""
        return int(self.answers[0].received_at)

    def matched(self, matches: Matches) -> bool:
        """Return whether it is about anybody whom we know; saved answers say ids themselves."""
        return not self.labels or any(label.id or label in matches for label in self.labels)

    def with_matches(self, matches: Matches) -> tuple[Answer, ...]:
        """Return the answers and, where they have labels, whom those mean."""
        ours = {label: matches[label] for label in self.labels if label in matches}
        if not ours:
            return self.answers
        body = write_matches(ours)
        return (*self.answers, Answer(MATCHES, MATCHES, {}, 200, body, self.observed_at, 0.0))

    def digest(self, matches: Matches) -> str:
        """Return what tells this capture from every other, the same at each import.

        What an asset is called is no part of it: that grows with the store.
        """
        ids = [(label, matches[label].id) for label in sorted(set(self.labels)) if label in matches]
        hashed = hashlib.sha256(msgspec.json.encode(ids))
        for answer in self.answers:
            hashed.update(hashlib.sha256(answer.body).digest())
        return hashed.hexdigest()[:_DIGEST_LENGTH]


class Found(Protocol):
    """What a source holds. Times are seconds UTC.

    ``imported`` names it for the manifest and the ledger; ``unit`` says what ``count`` counts.
    """

    imported: str
    unit: str
    count: int
    refusals: Refusals
    notes: list[str]
    seen: dict[Label, Seen]
    source: SourceKind

    def slots(self) -> Sequence[int]:
        """Return the slots it has something for, oldest first."""

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last time in it."""

    def captured(self, slot: int) -> Iterator[Captured]:
        """Yield what was captured in a slot, oldest first."""


def captured_and_matched(found: Found, matches: Matches, slot: int) -> Iterator[Captured]:
    """Yield what was captured in a slot and is about anybody whom we know, oldest first."""
    return (each for each in found.captured(slot) if each.matched(matches))
