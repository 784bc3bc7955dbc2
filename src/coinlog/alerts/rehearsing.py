"""A dry run: what the rules would have told over the slots that are recorded."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from coinlog.alerts.following import Event, Standing, Told, follow
from coinlog.alerts.history import History
from coinlog.alerts.looking import NEWS_SECONDS, lookback
from coinlog.alerts.rule import Rule
from coinlog.archive import Archive
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader

SECONDS = 120.0
"""How long a statement may take: whoever asks waits for it."""


class Incident(msgspec.Struct, frozen=True):
    """One alert and its recovery; slots are seconds UTC, ``None`` while it goes on."""

    rule: str
    first: int
    value: str
    headline: str
    changes: tuple[str, ...] = ()
    recovered: int | None = None
    recovered_value: str | None = None
    recovered_headline: str | None = None


class Rehearsal(msgspec.Struct, frozen=True):
    """What would have been told, oldest first, and which rules cannot be judged by the past."""

    slots: int
    incidents: tuple[Incident, ...]
    unjudged: tuple[str, ...] = ()
    simulated: bool = False


def rehearse(  # noqa: PLR0913  at what, and when
    engine: sa.Engine,
    archive: Archive,
    rules: Sequence[Rule],
    now: float,
    *,
    start: int | None = None,
    end: int | None = None,
) -> Rehearsal:
    """Return what would have been told from ``start`` to ``end`` (slots, both included).

    Raises:
        StoreError: the store cannot be read.
    """
    reader = Reader(engine, seconds=SECONDS)
    head = read_head(reader)
    first = max(start or 0, head.first_slot or 0)
    until = min(int(now) if end is None else end, int(now))
    history = History(
        reader,
        archive,
        head,
        start=max(0, first - lookback(rules, head)),
        end=until,
        now=now,
        since=max(first - 1, int(now) - NEWS_SECONDS),
    )
    slots = [slot for slot in history.fates if slot >= first]
    incidents = [
        incident
        for rule in rules
        if rule.judges_past
        for incident in _incidents(rule, [*follow(rule.signs(history, slots), Standing())])
    ]
    return Rehearsal(
        slots=len(slots),
        incidents=tuple(sorted(incidents, key=lambda one: (one.first, one.rule))),
        unjudged=tuple(rule.key for rule in rules if not rule.judges_past),
        simulated=head.simulated,
    )


def _incidents(rule: Rule, events: Sequence[Event]) -> list[Incident]:
    found: list[Incident] = []
    for event in events:
        sign = event.sign
        if event.told is Told.FIRED:
            found.append(Incident(rule.key, event.first, sign.value, sign.headline))
        elif event.told is Told.CHANGED:
            changes = (*found[-1].changes, sign.headline)
            found[-1] = msgspec.structs.replace(found[-1], changes=changes)
        else:
            found[-1] = msgspec.structs.replace(
                found[-1],
                recovered=sign.slot,
                recovered_value=sign.value,
                recovered_headline=sign.headline,
            )
    return found
