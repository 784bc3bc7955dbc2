"""The byte cache in front of everything: what was answered before is sent as it is.

An answer stays right while the store's version, its freshness, the current slot and this build
stay the same: together they are a generation. A task looks every two seconds whether a new one
has begun; no request waits for that. While the store is away, the last good answers are sent, and
say how old they are.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from coinlog.errors import StoreUnavailableError
from coinlog.web.canonical import Key, key_of
from coinlog.web.entries import (
    CACHE_BYTES,
    DATA_LEVEL,
    Entries,
    Entry,
    Form,
)
from coinlog.web.language import language_of_path, redirect_for, redirects
from coinlog.web.looking import Looking
from coinlog.web.negotiation import choose, wants_gzip
from coinlog.web.origin import origin_in
from coinlog.web.outage import aged, away_headers
from coinlog.web.problems import INTERNAL, store_away
from coinlog.web.proxies import HTTPS
from coinlog.web.security import (
    Application,
    Headers,
    Receive,
    Scope,
    Send,
    fault_of,
    secured,
    send_error,
)
from coinlog.web.sending import (
    Answer,
    entry_of,
    nothing_more,
    origin_for,
    send_answer,
    send_entry,
    send_redirect,
    target_of,
)
from coinlog.web.standby import Standby
from coinlog.web.tallies import ANSWERED, AT_ONCE, CACHE_USED, MISSES, Tallies
from coinlog.web.watch import Watch

LOOK_SECONDS = 2.0
READY_LOOK_SECONDS = 1.0
"""Whoever asks whether we are ready, however often, has the database asked so often and no more."""
THREADS = 2
"""Making an answer is work for the interpreter: more threads take memory and win no time."""

log = logging.getLogger(__name__)

_OK, _AWAY, _INTERNAL = 200, 503, 500
_PACKED_HERE_BYTES = 200_000


class ByteCache:
    """An ASGI application that answers from memory, and asks another where it cannot."""

    def __init__(
        self,
        inner: Application,
        watch: Watch,
        static: dict[bytes, Entry],
        *,
        look_seconds: float = LOOK_SECONDS,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.inner = inner
        self.watch = watch
        self.static = static
        self.look_seconds = look_seconds
        self.entries = Entries(cache_bytes)
        self.looks = Looking(watch)
        self.tallies = Tallies()
        self.standby = Standby(self.looks, self._ask)
        self._looked_at = -READY_LOOK_SECONDS
        self._aged: dict[Key, Entry] = {}
        self._making: dict[Key, asyncio.Future[Answer | Entry]] = {}

    @property
    def hits(self) -> int:
        """How many requests this process has answered from memory at once."""
        return sum(self.tallies.counts[AT_ONCE:ANSWERED])

    @property
    def misses(self) -> int:
        """How many answers this process had to make."""
        return self.tallies.counts[MISSES]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; this first part is the whole way of one answered before."""
        if scope["type"] == "http":
            scheme = scope["scheme"]
            send = secured(send) if scheme == HTTPS else send
            method, target = scope["method"].encode(), target_of(scope)
            form = self.at_once(method, target, scope["headers"], scheme)
            if form is not None:
                await send(form.start)
                await send(form.body)
                return
            counted = self.tallies.counted(send)
            try:
                await self._answer(scope, counted)
            except Exception:  # whatever it is, the client gets an error in our shape
                log.exception("an answer failed")
                await send_error(scope, counted, _INTERNAL, INTERNAL)
        elif scope["type"] == "lifespan":
            await self.inner(scope, receive, send)

    def at_once(self, method: bytes, target: bytes, headers: Headers, scheme: str) -> Form | None:
        """Return the answer to an address that led to one in this generation."""
        entry = self.entries.targets.get(target)
        if entry is None or method != b"GET" or (target == b"/" and redirects(headers)):
            return None
        if entry.packed is None and not entry.ready and wants_gzip(headers):
            return None
        if entry.origin is not None and entry.origin != origin_in(headers, scheme):
            return None
        form = choose(entry, headers)
        self.tallies.counts[form.place] += 1
        return form

    async def _answer(self, scope: Scope, send: Send) -> None:
        fault = fault_of(scope)
        if fault is not None:
            await send_error(scope, send, *fault)
            return
        entry = self.static.get(scope["raw_path"])
        if entry is not None:
            await send_entry(entry, scope, send)
            return
        to = redirect_for(scope)
        if to is not None:
            await send_redirect(to, send)
            return
        await self._answer_made(scope, send)

    async def _answer_made(self, scope: Scope, send: Send) -> None:
        plain = key_of(scope["path"], scope["query_string"])
        if plain is None:
            await send_answer(await self._ask(scope), scope, send)
            return
        origin = origin_for(scope)
        key = plain if origin is None else (*plain, origin)
        entry = self.entries.get(key)
        if self.looks.away:
            await self._answer_kept(plain, entry, scope, send)
            return
        if entry is None or entry.generation != self.looks.generation:
            made = await self._make_once(key, scope)
            if isinstance(made, Answer):
                await self._answer_unmade(made, plain, entry, scope, send)
                return
            entry = made
        if not entry.ready and wants_gzip(scope["headers"]):
            await _pack(entry)
            self.entries.put(key, entry)
        if entry.generation == self.looks.generation:
            self.entries.lead(target_of(scope), entry)
        await send_entry(entry, scope, send)

    async def _answer_unmade(
        self, made: Answer, plain: Key, entry: Entry | None, scope: Scope, send: Send
    ) -> None:
        """Send an answer that is none; where the store has just gone away, one from before."""
        if made.status == _AWAY:
            await self.look()
            if self.looks.away or entry is not None:
                await self._answer_kept(plain, entry, scope, send)
                return
        await send_answer(made, scope, send)

    async def _answer_kept(self, plain: Key, entry: Entry | None, scope: Scope, send: Send) -> None:
        """Answer without the store: with what was answered before, or what stands by."""
        entry = self.standby.newer(plain, entry)
        if entry is None:
            try:
                # Threads that wait for a silent database would let it wait for one of them.
                answer = await asyncio.wait_for(self._ask(scope), self.looks.deadline)
            except TimeoutError:
                await send_error(scope, send, _AWAY, self._away())
            else:
                await send_answer(answer, scope, send)
            return
        now = self.watch.clock()
        since = self.looks.away_since
        if since is None:
            # One statement took too long, which is no reason to alarm anybody.
            await send_entry(entry, scope, send, away_headers(entry, None, now))
            return
        key = plain if entry.origin is None else (*plain, entry.origin)
        kept = self._aged.get(key)
        if kept is None:
            kept = await asyncio.to_thread(self._age, entry, plain, since)
            self._aged[key] = kept
        await send_entry(kept, scope, send, away_headers(entry, since, now))

    def _away(self) -> str:
        error = self.watch.error or StoreUnavailableError("")
        return store_away(error, self.looks.away_since)

    def _age(self, entry: Entry, plain: Key, since: int) -> Entry:
        superseded = entry.generation != self.looks.newest
        language = language_of_path(plain[0])
        kept = aged(entry, language, since, self.watch.last_known(), superseded=superseded)
        kept.pack()
        return kept

    async def _make_once(self, key: Key, scope: Scope) -> Answer | Entry:
        """Return a new answer; those who ask for it meanwhile wait for the same one."""
        waiting = self._making.get(key)
        if waiting is None:
            waiting = self._making[key] = asyncio.ensure_future(self._make(key, scope))
            waiting.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(waiting)

    async def _make(self, key: Key, scope: Scope) -> Answer | Entry:
        self.tallies.counts[MISSES] += 1
        generation = self.looks.generation
        answer = await self._ask(scope)
        if answer.status != _OK:
            return answer
        entry = entry_of(answer, scope, key, generation, self.watch.clock())
        if wants_gzip(scope["headers"]):
            await _pack(entry)
        self.entries.put(key, entry)
        return entry

    async def _ask(self, scope: Scope) -> Answer:
        answer = Answer()
        await self.inner({**scope, "method": "GET"}, nothing_more, answer.catch)
        return answer

    async def look_lately(self) -> None:
        """Look at the store, unless that was done within the last second."""
        if time.monotonic() - self._looked_at >= READY_LOOK_SECONDS:
            await self.look()

    async def look(self) -> None:
        """Look at the store once; a new generation begins when its state has changed."""
        self.tallies.counts[CACHE_USED] = self.entries.bytes
        if await self.looks.look():
            self._aged.clear()
            self.entries.new_generation()
        self._looked_at = time.monotonic()

    @asynccontextmanager
    async def looking(self, _app: Any = None) -> AsyncIterator[None]:  # noqa: ANN401  Litestar hands itself over
        """Look at the store again and again while the application lives."""
        threads = ThreadPoolExecutor(THREADS, "answers")
        asyncio.get_running_loop().set_default_executor(threads)
        tasks = [
            asyncio.create_task(self._keep_looking()),
            asyncio.create_task(self.standby.keep()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.close()

    def close(self) -> None:
        """Let go of the store's connections."""
        self.looks.close()
        self.watch.reader.engine.dispose()

    async def _keep_looking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self.look_seconds)


async def _pack(entry: Entry) -> None:
    """Pack an answer; one that takes a millisecond at most without the detour by a thread."""
    if entry.level == DATA_LEVEL and len(entry.body) < _PACKED_HERE_BYTES:
        entry.pack()
    else:
        await asyncio.to_thread(entry.pack)
