"""The page and the API on a store of a test's own, asked without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import msgspec
import sqlalchemy as sa

from coinlog.market import Snapshot, SourceKind
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from coinlog.web.app import create_app
from coinlog.web.security import Message, Scope
from samples import HOUR, SLOT, STEP, settlement, snapshot

NOW = SLOT + HOUR
"""An hour into the slot of 18:00: it is recorded, or past its grace."""


class Reply:
    """An answer as it was sent."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.status: int = messages[0]["status"]
        pairs = messages[0]["headers"]
        self.headers: dict[str, str] = {name.decode(): value.decode() for name, value in pairs}
        self.names = [name.decode() for name, _ in pairs]
        self.body: bytes = messages[1]["body"]

    def json(self) -> Any:  # noqa: ANN401  whatever was answered
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def error(self) -> dict[str, Any]:
        """The error in the one shape that errors have; fails where it has another."""
        body = self.json()
        assert list(body) == ["error"]
        assert list(body["error"]) == ["status", "code", "message"]
        assert body["error"]["status"] == self.status
        found: dict[str, Any] = body["error"]
        return found


class Site:
    """A store, the application that reads it, and a clock set by hand."""

    def __init__(self, url: sa.URL, *, there: bool = True) -> None:
        self.engine = open_engine(url)
        self.now = float(NOW)
        if there:
            migrate(self.engine)
        self.app = create_app(url, clock=lambda: self.now)

    def close(self) -> None:
        self.engine.dispose()
        self.app.close()

    def settle(self, slot: int = SLOT, found: Snapshot | None = None, attempt: str = "1") -> None:
        """Settle an attempt: a snapshot, or a failure where there is none."""
        source = found.source if found else SourceKind.COINMARKETCAP
        settle(self.engine, settlement(slot, attempt, found, source=source), slot + 20)

    def store(self, *slots: int, ids: Sequence[int] = (1, 1027), **values: Any) -> None:  # noqa: ANN401  those of a snapshot
        """Store slots, each observed 12 seconds after its time."""
        for slot in slots:
            self.settle(slot, snapshot(ids, observed_at=slot + 12, **values))

    def look(self) -> None:
        """Let the application notice what has changed, as it does every two seconds."""
        asyncio.run(self.app.look())

    def get(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        scheme: str = "http",
    ) -> Reply:
        """Ask for an address exactly as it is written."""
        return asyncio.run(self._ask(_scope(target, headers or {}, method, scheme)))

    def json(self, target: str) -> Any:  # noqa: ANN401  whatever was answered
        reply = self.get(target)
        assert reply.status == 200, reply.text
        return reply.json()

    async def _ask(self, scope: Scope) -> Reply:
        messages: list[Message] = []

        async def receive() -> Message:
            raise AssertionError("nothing here reads a body")

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        return Reply(messages)


def _scope(target: str, headers: Mapping[str, str], method: str, scheme: str) -> Scope:
    path, _, query = target.encode().partition(b"?")
    given = {"host": "coinlog.test", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": _unquoted(path),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 5000),
        "state": {},
    }


def _unquoted(path: bytes) -> str:

    return unquote(path.decode("latin-1"))


@contextmanager
def site_on(url: sa.URL) -> Iterator[Site]:
    """Open a site on an empty store."""
    site = Site(url)
    try:
        yield site
    finally:
        site.close()


def slots_before(count: int, newest: int = SLOT) -> list[int]:
    """Return the newest ``count`` slots, oldest first."""
    return [newest - STEP * back for back in range(count - 1, -1, -1)]
