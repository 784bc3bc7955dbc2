"""While the store is away: answers from before say how old they are, and errors say since when.

A kept page is of its own slot, and stays so: only what it says of its freshness is written anew,
reckoned from the slot that it shows. Of kept JSON only ``stale`` and ``next_slot`` are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from coinlog.slots import grace_seconds, iso
from coinlog.web import shell, views
from coinlog.web.entries import PAGE_LEVEL, Entry
from coinlog.web.rendering import render
from coinlog.web.security import Headers
from coinlog.web.watch import Moment

AWAY_SINCE = b"coinlog-store-away-since"

_FRESH = re.compile(rb'<p class="fresh [a-z]+" id="fresh".*?</p>', re.DOTALL)
_SAID = re.compile(rb'data-(version|slot|interval|next|age)="([0-9]+)"')
_STALE = re.compile(rb'"stale":(?:true|false)')
_NEXT = re.compile(rb'"next_slot":(?:[0-9]+|null)')
_JSON = b"application/json"


def away_headers(entry: Entry, since: int | None, now: float) -> Headers:
    """Return the headers that say how many seconds old an answer is, and what it waits for."""
    age = [(b"age", str(max(0, int(now - entry.made_at))).encode())]
    return age if since is None else [*age, (AWAY_SINCE, iso(since).encode())]


def aged(
    entry: Entry, language: str, since: int, known: Moment | None, *, superseded: bool
) -> Entry:
    """Return a kept answer with what it says of its own freshness as that is by now.

    ``superseded`` answers were no longer the newest when the store was last read.
    """
    body = entry.content()
    now = known.now if known else entry.made_at
    if entry.level == PAGE_LEVEL:
        away = views.AwayView(since=since, made_at=int(entry.made_at))
        body = _FRESH.sub(lambda found: _freshness(found[0], language, away, now), body, count=1)
    elif (b"content-type", _JSON) in entry.common and known is not None:
        stale = superseded or known.fresh.stale
        body = _told_anew(body, stale=stale, next_slot=known.fresh.next_slot)
    return entry.with_body(body)


def _told_anew(body: bytes, *, stale: bool, next_slot: int | None) -> bytes:
    """Return JSON with its freshness of now; in texts the quotes of such a key are escaped."""
    if stale:
        body = _STALE.sub(b'"stale":true', body, count=1)
    return _NEXT.sub(b'"next_slot":%s' % msgspec.json.encode(next_slot), body, count=1)


def _freshness(said: bytes, language: str, away: views.AwayView, now: float) -> bytes:
    told = {name.decode(): int(value) for name, value in _SAID.findall(said)}
    at = shell.Address("/", language)
    page = shell.page_view("away", at, shell.Bundle({}, ""))
    page = msgspec.structs.replace(
        page, freshness=_decayed(told, now), version=told.get("version", 0), away=away
    )
    return render("away", page, views.View())


def _decayed(told: Mapping[str, int], now: float) -> views.FreshnessView:
    """Return how fresh a page's own slot is by now, as its scripts reckon it too."""
    slot, interval, due = told.get("slot"), told.get("interval"), told.get("next")
    if slot is None or interval is None or due is None:
        return views.FreshnessView(state="empty", next_slot=due, interval_seconds=interval)
    missed = max(0, int(now - grace_seconds(interval) - slot) // interval)
    over = max(0, int(now) - due)
    return views.FreshnessView(
        state="red" if missed > 1 else "amber" if missed else "fresh",
        as_of=told.get("age", slot),
        slot=slot,
        next_slot=due + -(-over // interval) * interval,
        interval_seconds=interval,
        missed=missed,
        stale=missed > 0,
    )
