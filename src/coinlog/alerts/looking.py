"""A look: what the rules say of the slots that came since the last one is left in the archive.

A slot that may still change is looked at again. Nothing is told of what was recorded before a
rule was set up, nor of what is older than two days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from coinlog.alerts.following import follow
from coinlog.alerts.history import History, Surroundings
from coinlog.alerts.left import AWAY, NOTES, SETTLED, Alerts, read_looked, write_looked
from coinlog.alerts.recorder_rules import Database, Disk
from coinlog.alerts.rule import Rule, Sign
from coinlog.alerts.words import sentence
from coinlog.archive import Archive
from coinlog.market import Outcome, SourceKind
from coinlog.slots import DAY, MINUTE
from coinlog.sources.texts import counted
from coinlog.store import schema
from coinlog.store.ledger import Head, read_head
from coinlog.store.reader import Reader

NEWS_SECONDS = 2 * DAY
"""How far back something is news."""

ABSENT_SECONDS = NEWS_SECONDS + DAY
"""After which a rule that does not look has been out of the file: one that waits looks by then."""

RENEWED_SECONDS = 30 * DAY
"""How often what goes on is written anew: on AWS alerts expire after three times that."""

LAST = 2
"""So many slots may have been stored and not looked at when a recorder was killed."""


def look(  # noqa: PLR0913  at what, and when
    engine: sa.Engine,
    archive: Archive,
    rules: Sequence[Rule],
    now: float,
    *,
    settled: Sequence[int] = (),
    around: Surroundings | None = None,
) -> int:
    """Leave what the rules have to tell; return how many alerts are new.

    ``settled`` are slots that were settled right before: they are news to a rule that has looked
    at later ones, and to one that looks for the first time.

    Raises:
        StoreError: the store cannot be read.
        ArchiveError: the archive cannot be used.
    """
    if not rules:
        return 0
    reader = Reader(engine)
    head = read_head(reader)
    alerts, before = Alerts(archive), read_looked(archive)
    looked = _attended(reader, alerts, before, now)
    begins = {rule.key: _begin(rule, looked, head, now, settled) for rule in rules}
    since = min(begins.values())
    history = History(
        reader,
        archive,
        head,
        start=max(0, since - lookback(rules, head)),
        end=int(now),
        now=now,
        since=since,
        around=around,
    )
    new = sum(
        alerts.leave(rule, event, simulated=head.simulated, now=now)
        for rule in rules
        for event in follow(
            rule.signs(history, [slot for slot in history.fates if slot > begins[rule.key]]),
            alerts.standing(rule.key, now),
        )
    )
    after = looked | {key: _seen(history, begin) for key, begin in begins.items()}
    after |= {SETTLED: history.newest_settled}
    after.pop(AWAY, None)
    for key, begin in begins.items():
        if looked.get(key, begin) // RENEWED_SECONDS < after[key] // RENEWED_SECONDS:
            alerts.renew(key, now)
    if after != before:
        write_looked(archive, after)
    return new


def _attended(
    reader: Reader, alerts: Alerts, looked: Mapping[str, int], now: float
) -> dict[str, int]:
    """Return how far the rules have looked that were there all the while.

    A rule that was not in the file for days begins anew, and so does its incident.
    """
    passed = _passed(reader, looked, now)
    gone = {key for key, slot in looked.items() if key not in NOTES and slot < passed}
    for key in gone:
        alerts.close(key, now)
    return {key: slot for key, slot in looked.items() if key not in gone}


def _passed(reader: Reader, looked: Mapping[str, int], now: float) -> int:
    """Return the slot that no rule can have left out that was there in the last days, else -1.

    A recorder that was off has stored none meanwhile, and one whose database was away has just
    done so.
    """
    found = [slot for key, slot in looked.items() if key not in NOTES]
    table = schema.slot.c
    query = sa.select(table.slot).where(
        table.slot > min(found, default=0),
        table.outcome == Outcome.STORED.value,
        table.stored_at < int(now) - ABSENT_SECONDS,
    )
    with reader.connected() as connection:
        newest = query.order_by(table.slot.desc()).offset(LAST).limit(1)
        return connection.execute(newest).scalar() or -1


def look_without_store(  # noqa: PLR0913, PLR0917  at what, when, and what is known of it
    archive: Archive,
    rules: Sequence[Rule],
    now: float,
    source: SourceKind,
    trouble: str,
    around: Surroundings | None = None,
) -> int:
    """Leave what can be told while the database is away; return how many alerts are new.

    Raises:
        ArchiveError: the archive cannot be used.
    """
    looked = read_looked(archive)
    after = looked | {
        # Without a note of ours nobody knows what waits: what comes from now on does.
        SETTLED: min(looked.get(SETTLED, int(now)), int(now)),
        AWAY: min(looked.get(AWAY, int(now)), int(now)),
    }
    if after != looked:
        write_looked(archive, after)
    alerts, simulated = Alerts(archive), source is SourceKind.SIMULATED
    return sum(
        alerts.leave(rule, event, simulated=simulated, now=now)
        for rule in rules
        for event in follow(
            _signs_without_store(rule, archive, after, now, trouble, around),
            alerts.standing(rule.key, now),
        )
    )


def _signs_without_store(  # noqa: PLR0913, PLR0917  see there
    rule: Rule,
    archive: Archive,
    noted: Mapping[str, int],
    now: float,
    trouble: str,
    around: Surroundings | None,
) -> Iterator[Sign]:
    if isinstance(rule, Disk):
        yield from rule.now(around, now)
    if not isinstance(rule, Database):
        return
    waiting = sorted({key.slot for key in archive.attempts(noted[SETTLED] + 1) if key.slot <= now})
    # Both must have lasted: a short outage is none of a slot that was stored long ago.
    if waiting and now - max(waiting[0], noted[AWAY]) > rule.seconds:
        kept = counted(len(waiting), "slot")
        text = (
            f"{kept} in the archive wait for the database, the first since "
            f"{(now - waiting[0]) // MINUTE:,.0f} min. Nothing is lost: they are loaded when it is "
            f"back.\n\n{sentence(trouble)}"
        )
        yield rule.away(waiting[0], f"{kept} waiting", text)


def _begin(
    rule: Rule, looked: dict[str, int], head: Head, now: float, settled: Sequence[int]
) -> int:
    """Return the slot after which a rule looks."""
    oldest, current = int(now) - NEWS_SECONDS, head.current_slot(now)
    latest = (int(now) if current is None else current) - 1
    news = [slot - 1 for slot in settled if slot > oldest]
    if rule.key in looked:
        # A clock that was ahead has had us look at slots to come: their time comes again.
        begin = looked[rule.key] if looked[rule.key] <= now else latest
        # What came late is looked at though others after it were.
        return min([max(begin, oldest) if rule.bounded else begin, *news])
    return min([latest, *news]) if rule.bounded else latest


def lookback(rules: Sequence[Rule], head: Head) -> int:
    """Return the seconds before the first slot that some rule needs to know."""
    longest = max((one.interval_seconds for one in head.schedules), default=0)
    return max((rule.lookback(longest) for rule in rules), default=0)


def _seen(history: History, begin: int) -> int:
    """Return the newest slot up to which none will change any more."""
    seen, oldest = begin, history.now - NEWS_SECONDS
    for slot in sorted({*history.fates, *history.waiting}):
        if slot > begin:
            if slot in history.waiting and slot > oldest:
                break
            # Until it is over, a slot that failed can still be recorded.
            fate = history.fates.get(slot)
            stored = fate is not None and fate.outcome == Outcome.STORED
            if not stored and slot + history.interval(slot) > history.now:
                break
            seen = slot
    return seen
