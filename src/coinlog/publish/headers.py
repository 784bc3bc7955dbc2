"""A ``_headers`` file for the hosts that read one: Netlify, Cloudflare Pages and their like."""

from __future__ import annotations

from coinlog.web.entries import DATA_CACHING
from coinlog.web.security import SECURITY_HEADERS, Headers
from coinlog.web.static_files import FOREVER

HEADERS = "_headers"


def headers_file() -> bytes:
    """Return the file: the server's own headers, and how long browsers keep what.

    No header stands in two blocks that concern the same file: hosts differ in what they make of
    that. Pages are looked after by the hosts themselves: all of them ask anew each time.
    """
    blocks: tuple[tuple[str, Headers], ...] = (
        ("/*", SECURITY_HEADERS),
        ("/data/*", [DATA_CACHING]),
        ("/static/*", [FOREVER]),
    )
    return "\n".join(_block(path, pairs) for path, pairs in blocks).encode()


def _block(path: str, pairs: Headers) -> str:
    lines = [f"  {name.decode()}: {value.decode()}" for name, value in pairs]
    return "\n".join([path, *lines]) + "\n"
