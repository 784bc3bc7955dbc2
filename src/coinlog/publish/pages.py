"""The pages of an edition: rendered by the application that serves them, as files.

A new page is a line in one of the tables below.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import sqlalchemy as sa

from coinlog.attempts import slot_name
from coinlog.web.app import create_app
from coinlog.web.cache import Answer
from coinlog.web.i18n import languages
from coinlog.web.overview import SPANS
from coinlog.web.security import Message, Scope
from coinlog.web.shell import PUBLISHED, prefix_of
from coinlog.web.static_files import read_static

PAGES = ("/", "/overview", "/market", "/compare", "/log")
"""Pages that are made anew with every slot."""

PARTS = (("/overview", "figures", ("", *SPANS)),)
"""Parts of pages that scripts ask for by range: each lies beside its page."""

ASSET_PAGES = ("/assets/{id}",)
"""Pages of each asset, made anew when what they say besides numbers has changed."""

SLOT_PAGES = ("/log/{name}",)
"""Pages of each slot that was due or recorded; they name the slots before and after."""

OTHERS = ("/robots.txt", "/sitemap.xml")
"""What else a site has, where the server has it."""

NOT_FOUND = "/404.html"
"""An address that has no page: the answer that says so becomes its file."""

_OK, _NOT_FOUND = 200, 404
_SLOT_LINK = re.compile(rb' href="(?:/\w+)?/log/([0-9]{8}T[0-9]{6}Z)"')


class Press:
    """Renders pages of a store as they are at a moment; those of ``slots`` can be linked to."""

    def __init__(self, url: sa.URL, now: float, slots: frozenset[int]) -> None:
        bundle, self._static = read_static()
        self.build = bundle.build
        self._slots = {slot_name(slot) for slot in slots}
        self._app = create_app(url, clock=lambda: now, edition=PUBLISHED)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Let go of the store."""
        self._app.close()
        self._loop.close()

    def static(self) -> Iterator[tuple[str, bytes]]:
        """Yield the scripts and styles."""
        for path, entry in self._static.items():
            yield path.decode().lstrip("/"), entry.plain().content

    def shared(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pages that concern no asset in particular, in every language."""
        for language in languages():
            for path in PAGES:
                yield from self._page(prefix_of(language), path)
            for path, part, ranges in PARTS:
                for name in ranges:
                    yield from self._part(prefix_of(language) + path, part, name)
            status, body = self._ask(prefix_of(language) + NOT_FOUND)
            if status == _NOT_FOUND:
                yield (prefix_of(language) + NOT_FOUND).lstrip("/"), body
        for path in OTHERS:
            status, body = self._ask(path)
            if status == _OK:
                yield path.lstrip("/"), body

    def of_asset(self, asset_id: int) -> Iterator[tuple[str, bytes]]:
        """Yield an asset's pages, in every language."""
        for language in languages():
            for path in ASSET_PAGES:
                yield from self._page(prefix_of(language), path.format(id=asset_id))

    def of_slot(self, slot: int) -> Iterator[tuple[str, bytes]]:
        """Yield a slot's pages, in every language."""
        for language in languages():
            for path in SLOT_PAGES:
                yield from self._page(prefix_of(language), path.format(name=slot_name(slot)))

    def _page(self, prefix: str, path: str) -> Iterator[tuple[str, bytes]]:
        status, body = self._ask(prefix + path)
        if status == _OK:
            yield f"{prefix}{path}/index.html".lstrip("/").replace("//", "/"), body

    def _part(self, path: str, part: str, name: str) -> Iterator[tuple[str, bytes]]:
        query = f"part={part}" + (f"&range={name}" if name else "")
        status, body = self._ask(path, query)
        if status == _OK:
            yield f"{path}/{part}{f'-{name}' if name else ''}.html".lstrip("/"), body

    def _ask(self, path: str, query: str = "") -> tuple[int, bytes]:
        answer = Answer()
        scope = _scope(path, query)
        self._loop.run_until_complete(self._app.inner(scope, _nothing_more, answer.catch))
        return answer.status, _SLOT_LINK.sub(self._linked, answer.body)

    def _linked(self, link: re.Match[bytes]) -> bytes:
        """Return a link to a slot's page as it is, or none where there is no such page."""
        return link[0] if link[1].decode() in self._slots else b""


def _scope(path: str, query: str) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": ("localhost", 80),
        "state": {},
    }


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
