"""Which part of an address of Apprise may be said: a host that is chosen; others are tokens."""

from __future__ import annotations

from urllib.parse import urlsplit

SELF_HOSTED = frozenset(
    ("apprise", "apprises", "form", "forms", "gotify", "gotifys", "json", "jsons", "xml", "xmls"),
)
MAIL = frozenset(("mailto", "mailtos"))
WITH_HOST = SELF_HOSTED | MAIL
"""The host of any other address may be a token."""


def schema_of(url: str) -> str:
    """Return what an address begins with, in lower case."""
    return url.partition("://")[0].lower()


def host_of(url: str) -> str:
    """Return the host of an address that its owner chose, else nothing."""
    try:
        return (urlsplit(url).hostname or "") if schema_of(url) in WITH_HOST else ""
    except ValueError:
        return ""
