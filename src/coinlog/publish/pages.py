"""The pages of an edition: rendered by the application that serves them, as files.

A new page is a line in one of the tables below.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from coinlog.attempts import slot_name
from coinlog.publish.folder import part_path
from coinlog.web.app import create_app
from coinlog.web.i18n import languages
from coinlog.web.overview import SPANS
from coinlog.web.security import Message, Scope
from coinlog.web.sending import Answer
from coinlog.web.shell import PUBLISHED, prefix_of
from coinlog.web.static_files import read_static

PAGES = ("/", "/overview", "/market", "/compare", "/log", "/keys")
"""Pages that are made anew with every slot."""

PARTS = (("/overview", "figures", ("", *SPANS)),)
"""Parts of pages that scripts ask for by range: each lies beside its page."""

ASSET_PAGES = ("/assets/{id}",)
"""Pages of each asset, made anew when what they say besides numbers has changed."""

DAY_PART = ("/log", "slots")
"""The part that holds a day's slots: it lies beside its page, under the day's name."""

YEAR_PART = ("/log", "calendar")
"""The part that holds a year's days: one for each year that the page leads to."""

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

    def __init__(self, url: sa.URL, now: float, slots: frozenset[int], origin: str = "") -> None:
        bundle, self._static = read_static()
        self.build = bundle.build
        self._slots = {slot_name(slot) for slot in slots}
        self._app = create_app(url, clock=lambda: now, edition=PUBLISHED)
        self._loop = asyncio.new_event_loop()
        self._origin = origin

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
                yield from self._page(prefix_of(language), path, self._query(path))
            for path, part, ranges in PARTS:
                for name in ranges:
                    yield from self._part(prefix_of(language) + path, part, name, "range")
            path, part = YEAR_PART
            for year in self._years(path):
                yield from self._part(prefix_of(language) + path, part, year, "year")
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

    def _query(self, path: str) -> str:
        """Return what a page is asked for: comparing begins with the first two by rank."""
        if path != "/compare":
            return ""
        _, body = self._ask("/api/v1/assets", "limit=2")
        return "ids=" + ",".join(str(one["id"]) for one in msgspec.json.decode(body)["assets"])

    def of_day(self, day: str) -> Iterator[tuple[str, bytes]]:
        """Yield the slots of a day (``2026-01-26``), in every language."""
        path, part = DAY_PART
        for language in languages():
            yield from self._part(prefix_of(language) + path, part, day, "at")

    def _years(self, path: str) -> list[str]:
        """Return the years that a page leads to."""
        _, body = self._ask(path)
        return sorted({year.decode() for year in re.findall(rb"[?&;]year=([0-9]{4})", body)})

    def _page(self, prefix: str, path: str, query: str = "") -> Iterator[tuple[str, bytes]]:
        status, body = self._ask(prefix + path, query)
        if status == _OK:
            yield f"{prefix}{path}/index.html".lstrip("/").replace("//", "/"), body

    def _part(self, path: str, part: str, name: str, parameter: str) -> Iterator[tuple[str, bytes]]:
        query = f"part={part}" + (f"&{parameter}={name}" if name else "")
        status, body = self._ask(path, query)
        if status == _OK:
            yield part_path(path, part, name), body

    def _ask(self, path: str, query: str = "") -> tuple[int, bytes]:
        answer = Answer()
        scope = _scope(path, query, self._origin)
        self._loop.run_until_complete(self._app.inner(scope, _nothing_more, answer.catch))
        return answer.status, _SLOT_LINK.sub(self._linked, answer.body)

    def _linked(self, link: re.Match[bytes]) -> bytes:
        """Return a link to a slot's page as it is, or none where there is no such page."""
        return link[0] if link[1].decode() in self._slots else b""


def _scope(path: str, query: str, origin: str) -> Scope:
    scheme, _, host = origin.partition("://")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": scheme or "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        # Without a host no page names one: nobody has said where the folder will be served.
        "headers": [(b"host", host.encode())] if host else [],
        "client": None,
        "server": ("localhost", 80),
        "state": {},
    }


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
