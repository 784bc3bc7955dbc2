"""How answers leave: those that are ready, those that are not kept, and redirections."""

from __future__ import annotations

from coinlog.web.canonical import Key, names_its_origin
from coinlog.web.entries import (
    DATA_CACHING,
    NO_BODY,
    NO_CACHING,
    PAGE_CACHING,
    PAGE_LEVEL,
    Entry,
    level_of,
)
from coinlog.web.framing import headers_for
from coinlog.web.negotiation import choose
from coinlog.web.origin import origin_in
from coinlog.web.security import SECURITY_HEADERS, Headers, Message, Scope, Send

VARY = b"accept-encoding"
VARY_HOME = b"accept-encoding, accept-language"

_INTERNAL = 500
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


def entry_of(answer: Answer, scope: Scope, key: Key, generation: int, made_at: float) -> Entry:
    """Return a good answer to a request as it may be kept under a name."""
    level = level_of(answer.headers)
    entry = Entry(
        answer.body,
        [*answer.headers, PAGE_CACHING if level == PAGE_LEVEL else DATA_CACHING],
        generation,
        VARY_HOME if key[0] == "/" else VARY,
        level,
        security=headers_for(key[0]),
        made_at=made_at,
    )
    entry.origin = origin_for(scope)
    return entry


def origin_for(scope: Scope) -> str | None:
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


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
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


async def send_redirect(to: bytes, send: Send) -> None:
    """Send a reader elsewhere, for this time."""
    headers = [
        (b"location", to),
        (b"content-length", b"0"),
        (b"vary", b"accept-language"),
        PAGE_CACHING,
        *SECURITY_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send(NO_BODY)


async def nothing_more() -> Message:
    """Tell the application that the request has no body."""
    return {"type": "http.request", "body": b"", "more_body": False}
