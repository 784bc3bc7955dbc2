"""The byte cache in front of everything: what was answered before is sent as it is.

An answer stays right while the store's version, its freshness, the current slot and this build
stay the same: together they are a generation. A task looks every two seconds whether a new one
has begun; no request waits for that. While the store is away, the last good answers are sent with
their age.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from coinlog.web.canonical import Key, key_of, names_its_origin
from coinlog.web.entries import (
    CACHE_BYTES,
    DATA_CACHING,
    DATA_LEVEL,
    NO_BODY,
    NO_CACHING,
    PAGE_CACHING,
    PAGE_LEVEL,
    Entries,
    Entry,
    Form,
    level_of,
)
from coinlog.web.framing import headers_for
from coinlog.web.language import redirect_for, redirects
from coinlog.web.negotiation import choose, wants_gzip
from coinlog.web.origin import origin_in
from coinlog.web.problems import INTERNAL
from coinlog.web.proxies import HTTPS
from coinlog.web.security import (
    SECURITY_HEADERS,
    Application,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    fault_of,
    secured,
    send_error,
)
from coinlog.web.watch import State, Watch

LOOK_SECONDS = 2.0
THREADS = 2
"""Making an answer is work for the interpreter: more threads take memory and win no time."""

VARY = b"accept-encoding"
VARY_HOME = b"accept-encoding, accept-language"

log = logging.getLogger(__name__)

_OK, _AWAY, _INTERNAL = 200, 503, 500
_PACKED_HERE_BYTES = 200_000
_REPLACED = (b"content-length", b"cache-control", b"vary")


class Answer:
    """What the application answered, caught before it is sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self) -> None:
        self.status = _INTERNAL
        self.headers: Headers = []
        self.body = b""

    async def catch(self, message: Message) -> None:
        """Take one message of the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [pair for pair in message["headers"] if pair[0] not in _REPLACED]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


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
        self.state: State | None = None
        self.generation = 0
        self.hits = 0
        self.misses = 0
        self._making: dict[Key, asyncio.Future[Answer | Entry]] = {}

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
            try:
                await self._answer(scope, send)
            except Exception:  # whatever it is, the client gets an error in our shape
                log.exception("an answer failed")
                await send_error(scope, send, _INTERNAL, INTERNAL)
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
        self.hits += 1
        return choose(entry, headers)

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
            await _redirect(to, send)
            return
        await self._answer_made(scope, send)

    async def _answer_made(self, scope: Scope, send: Send) -> None:
        key = key_of(scope["path"], scope["query_string"])
        if key is None:
            await _send_answer(await self._ask(scope), scope, send)
            return
        origin = _origin_for(scope)
        if origin is not None:
            key = (*key, origin)
        entry = self.entries.get(key)
        if entry is None or entry.generation != self.generation:
            made = await self._make_once(key, scope)
            if isinstance(made, Answer):
                # The store is away: the last good answer, with its age, is better than none.
                if made.status == _AWAY and entry is not None:
                    await send_entry(entry, scope, send, entry.aged())
                else:
                    await _send_answer(made, scope, send)
                return
            entry = made
        if not entry.ready and wants_gzip(scope["headers"]):
            await _pack(entry)
            self.entries.put(key, entry)
        target = target_of(scope)
        if entry.generation == self.generation:
            self.entries.lead(target, entry)
        await send_entry(entry, scope, send)

    async def _make_once(self, key: Key, scope: Scope) -> Answer | Entry:
        """Return a new answer; those who ask for it meanwhile wait for the same one."""
        waiting = self._making.get(key)
        if waiting is None:
            waiting = self._making[key] = asyncio.ensure_future(self._make(key, scope))
            waiting.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(waiting)

    async def _make(self, key: Key, scope: Scope) -> Answer | Entry:
        self.misses += 1
        generation = self.generation
        answer = await self._ask(scope)
        if answer.status != _OK:
            return answer
        level = level_of(answer.headers)
        headers = [*answer.headers, PAGE_CACHING if level == PAGE_LEVEL else DATA_CACHING]
        vary = VARY_HOME if key[0] == "/" else VARY
        security = headers_for(key[0])
        entry = Entry(answer.body, headers, generation, vary, level, security=security)
        entry.origin = _origin_for(scope)
        if wants_gzip(scope["headers"]):
            await _pack(entry)
        self.entries.put(key, entry)
        return entry

    async def _ask(self, scope: Scope) -> Answer:
        answer = Answer()
        await self.inner({**scope, "method": "GET"}, _nothing_more, answer.catch)
        return answer

    async def look(self) -> None:
        """Look at the store once; a new generation begins when its state has changed."""
        state = await asyncio.to_thread(self.watch.look)
        if state != self.state:
            self.state = state
            self.generation += 1
            self.entries.new_generation()

    @asynccontextmanager
    async def looking(self, _app: Any = None) -> AsyncIterator[None]:  # noqa: ANN401  Litestar hands itself over
        """Look at the store again and again while the application lives."""
        threads = ThreadPoolExecutor(THREADS, "answers")
        asyncio.get_running_loop().set_default_executor(threads)
        task = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.close()

    def close(self) -> None:
        """Let go of the store's connections."""
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


def _origin_for(scope: Scope) -> str | None:
    """Return what an answer names as its origin, or ``None`` where it names none."""
    if not names_its_origin(scope["path"]):
        return None
    return origin_in(scope["headers"], scope["scheme"])


def target_of(scope: Scope) -> bytes:
    """Return the address as it was sent: the path and, after ``?``, the query."""
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


async def send_entry(entry: Entry, scope: Scope, send: Send, more: Headers | None = None) -> None:
    """Send an answer that is ready, with more headers where asked."""
    form = choose(entry, scope["headers"])
    start = {**form.start, "headers": [*form.start["headers"], *more]} if more else form.start
    await send(start)
    await send(NO_BODY if scope["method"] == "HEAD" else form.body)


async def _send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Send an answer that is not kept."""
    headers = [
        *answer.headers,
        (b"content-length", str(len(answer.body)).encode()),
        NO_CACHING,
        *headers_for(scope["path"]),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})


async def _redirect(to: bytes, send: Send) -> None:
    headers = [
        (b"location", to),
        (b"content-length", b"0"),
        (b"vary", b"accept-language"),
        PAGE_CACHING,
        *SECURITY_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send(NO_BODY)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
