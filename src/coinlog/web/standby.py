"""What stands by for an outage: the essential pages, made while the store can still be read.

Whoever comes while the database is away finds the market, the ledger and the leading assets, also
where nobody has asked for them since the newest slot. They are made one after the other and at
leisure: readers of the moment come first.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from coinlog.errors import StoreError
from coinlog.store.listing import read_leading
from coinlog.web.canonical import Key, key_of
from coinlog.web.entries import Entry
from coinlog.web.i18n import languages
from coinlog.web.looking import Looking
from coinlog.web.security import Scope
from coinlog.web.sending import Answer, entry_of
from coinlog.web.shell import prefix_of
from coinlog.web.watch import Watch

LEADING = 10
"""Of so many assets the pages stand by, in every language."""

PAGES = ("/", "/overview", "/market", "/compare", "/log", "/schema", "/keys")
OTHERS = ("/data/latest.json", "/api/v1/assets", "/api/v1/log")

LOOK_SECONDS = 1.0
REST_SECONDS = 30.0
"""How long after a round the next may begin, however often the store changes."""

SHARE = 4
"""After each page it rests so many times as long as that took."""

_OK = 200
_INSIDE: Scope = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "query_string": b"",
    "root_path": "",
    "headers": [],
    "client": None,
    "server": None,
}
"""A request that nobody has sent. It names no host, so that its answer suits every one."""

Ask = Callable[[Scope], Awaitable[Answer]]

log = logging.getLogger(__name__)


class Standby:
    """The answers that stand by, by their names; each round replaces them."""

    def __init__(self, looks: Looking, ask: Ask) -> None:
        self._looks = looks
        self._watch = looks.watch
        self._ask = ask
        self._ready: dict[Key, Entry] = {}

    def __len__(self) -> int:
        return len(self._ready)

    def newer(self, key: Key, kept: Entry | None) -> Entry | None:
        """Return what stands by under a name, or what was kept where that is newer."""
        ready = self._ready.get(key)
        if ready is None or (kept is not None and kept.made_at >= ready.made_at):
            return kept
        return ready

    async def keep(
        self, look: float = LOOK_SECONDS, rest: float = REST_SECONDS, share: float = SHARE
    ) -> None:
        """Make all of it anew, for ever, some time after the store has changed.

        A round that an outage has interrupted is made again once the store is back.
        """
        made = None
        while True:
            await asyncio.sleep(look)
            generation = self._looks.generation
            if generation != made and not self._looks.away:
                if await self.prepare(share):
                    made = generation
                await asyncio.sleep(rest)

    async def prepare(self, share: float = SHARE) -> bool:
        """Make all of it once and return whether it is whole; what cannot be made stays as it was.

        Whatever happens to one page, the others are made: this runs as long as the worker does.
        """
        ready: dict[Key, Entry] = {}
        paths = await asyncio.to_thread(_paths, self._watch)
        unmade = 0 if paths else 1
        for path in paths:
            started = time.monotonic()
            key = key_of(path, b"")
            entry = await self._make(path, key) if key else None
            if key and entry:
                ready[key] = self._ready[key] = entry
            else:
                unmade += 1
            await asyncio.sleep(share * (time.monotonic() - started))
        if ready and not unmade:
            # Assets that lead no longer make room.
            self._ready = ready
        return not unmade

    async def _make(self, path: str, key: Key) -> Entry | None:
        generation = self._looks.generation
        if self._looks.away:
            return None
        # A state of its own, as each request has: the framework keeps its address in there.
        scope = {**_INSIDE, "path": path, "raw_path": path.encode(), "state": {}}
        try:
            answer = await self._ask(scope)
        except Exception as error:  # noqa: BLE001  whatever it is, the others are made
            # Where the store goes away in the middle of an answer, the framework has begun it.
            log.warning("%s does not stand by, its answer broke off: %s", path, error)
            return None
        if answer.status != _OK:
            return None
        entry = entry_of(answer, scope, key, generation, self._watch.clock())
        await asyncio.to_thread(entry.pack)
        return entry


def _paths(watch: Watch) -> list[str]:
    """Return the addresses of what stands by."""
    try:
        with watch.moment() as moment:
            newest = moment.head.newest
            leading = read_leading(watch.reader, newest.slot, LEADING) if newest else []
    except StoreError:
        return []
    pages = [*PAGES, *(f"/assets/{asset.id}" for asset in leading)]
    prefixes = [prefix_of(language) for language in languages()]
    return [*OTHERS, *(prefix + page for page in pages for prefix in prefixes)]
