"""One name for all the ways to ask the same, so that they share one answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from urllib.parse import parse_qsl

from coinlog.web.i18n import languages
from coinlog.web.shell import DEFAULT_LIMIT, DEFAULT_RANGE

_CHART = {
    "range": DEFAULT_RANGE,
    "from": "",
    "to": "",
    "field": "price",
    "scale": "",
    "form": "line",
    "currency": "USD",
}
_PART = {"part": ""}
_PICTURE = {name: _CHART[name] for name in ("range", "from", "to", "field")}
_TABLE = {
    "currency": "USD",
    "q": "",
    "sort": "rank",
    "only": "",
    "cap": "",
    "show": "",
    "ids": "",
    "limit": str(DEFAULT_LIMIT),
    "offset": "0",
    **_PART,
}
_PAGES: dict[str, dict[str, str]] = {
    "/": {**_CHART, **_TABLE},
    "/overview": {"currency": "USD", "range": "", **_PART},
    "/market": {**_TABLE, "at": ""},
    "/assets/": {**_CHART, **_PART},
    "/compare": {**_CHART, **_PART, "ids": ""},
    "/log": {"before": "", "at": "", "year": "", **_PART},
    "/log/": {},
    "/log.atom": {},
    "/schema": {},
    "/keys": {},
    "/embed/": {**_CHART, "theme": ""},
    "/embed/compare": {**_CHART, "ids": "", "theme": ""},
    "/spark/": {"range": "7d", "width": "120", "height": "32"},
    "/og/assets/": _PICTURE,
    "/og/compare.png": {**_PICTURE, "ids": ""},
    "/og/home.png": {},
    "/robots.txt": {},
    "/sitemap.xml": {},
}
_API_DEFAULTS: dict[str, dict[str, str]] = {
    "/api/v1/assets": {"limit": "100", "offset": "0", "sort": "rank", "q": ""},
    "/api/v1/assets/": {},
    "/api/v1/log": {"limit": "100"},
    "/api/v1/log/": {},
}
_WITH_ORIGIN = frozenset(
    {
        *(
            "/",
            "/assets/",
            "/compare",
            "/overview",
            "/log",
            "/log/",
            "/log.atom",
            "/schema",
            "/keys",
        ),
        *("/robots.txt", "/sitemap.xml"),
    }
)
"""Pages that name whole addresses, so that each host they are asked at has its own answer."""

_LANGUAGE = re.compile(rf"/({'|'.join(languages()[1:]) or '-'})(?=/|$)")
_ONE_OF_MANY = re.compile(
    r"(?<=/assets/)[^/]+(?:/(?:series|candles)(?:\.csv)?)?$|(?<=/log/)[^/]+$|(?<=/spark/)[^/]+$"
    r"|(?<=/embed/)[0-9]+$"
)

Key = tuple[str, ...]


def key_of(path: str, query: bytes) -> Key | None:
    """Return the name of an answer that may be kept, or ``None`` where none is kept.

    Pages ignore what they do not know, so it is no part of the name; the API refuses it, and
    refusals are not kept. Names and values stand apart in it, so that no refused way to ask
    (``q%3D=x``) has the name of an answered one (``q==x``).
    """
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if path.startswith("/api/"):
        if len({name for name, _ in given}) < len(given):
            # The API refuses a parameter that stands twice, also where one is the default.
            return None
        defaults = _usual(_API_DEFAULTS.get(_stem(path), {}), dict(given))
        asked = sorted((n, v) for n, v in given if defaults.get(n) != v)
        return path, *chain.from_iterable(asked)
    if path == "/schema/openapi.json" or path.startswith("/data/"):
        # Files: what is asked beyond their path changes nothing.
        return (path,)
    known = _PAGES.get(_stem(_plain(path)))
    if known is None:
        return None
    asked_for = joined(given)
    known = _usual(known, asked_for)
    kept = {n: v for n, v in asked_for.items() if n in known and known[n] != v}
    return path.rstrip("/") or "/", *sorted(f"{n}={v}" for n, v in kept.items())


def known_of(path: str, given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what a page knows of the parameters given.

    The rest must leave no trace in it: it is no part of its name, and others are sent it too.
    """
    known = _PAGES.get(_stem(_plain(path)), {})
    return {name: value for name, value in joined(given).items() if name in known}


def names_its_origin(path: str) -> bool:
    """Return whether an answer depends on the scheme and host that it was asked at."""
    return _stem(_plain(path)) in _WITH_ORIGIN


def _plain(path: str) -> str:
    """Return a path without its language and without a slash at its end."""
    return _LANGUAGE.sub("", path, count=1).rstrip("/") or "/"


def _usual(known: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Return the values that go without saying; gainers and losers have an order of their own."""
    return {**known, "sort": ""} if "sort" in known and given.get("only") else known


def joined(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a page's parameters by name: the last of each, and the columns to show as one list.

    A form without scripts gives a parameter for each of its ticked boxes.
    """
    pairs = list(given)
    shown = ",".join(value for name, value in pairs if name == "show")
    return {**dict(pairs), **({"show": shown} if shown else {})}


def _stem(path: str) -> str:
    """Return a path without the id or slot in it: ``/assets/1`` is ``/assets/``."""
    return _ONE_OF_MANY.sub("", path)
