"""What a host sends with each file: in a ``_headers`` file, or with every object of a bucket."""

from __future__ import annotations

from coinlog.web.entries import DATA_CACHING, PAGE_CACHING
from coinlog.web.security import SECURITY_HEADERS, Headers
from coinlog.web.static_files import FOREVER

HEADERS = "_headers"


def headers_file() -> bytes:
    """Return the file that Netlify, Cloudflare Pages and their like read.

    It has the server's own headers, and how long browsers keep what. No header stands in two
    blocks that concern the same file: hosts differ in what they make of that. Pages are looked
    after by the hosts themselves: all of them ask anew each time.
    """
    blocks: tuple[tuple[str, Headers], ...] = (
        ("/*", SECURITY_HEADERS),
        ("/data/*", [DATA_CACHING]),
        ("/static/*", [FOREVER]),
    )
    return "\n".join(_block(path, pairs) for path, pairs in blocks).encode()


def caching_of(path: str) -> str:
    """Return how long a file may be kept without asking: pages must be asked for anew."""
    if path.startswith("static/"):
        return FOREVER[1].decode()
    return (DATA_CACHING if path.startswith("data/") else PAGE_CACHING)[1].decode()


def _block(path: str, pairs: Headers) -> str:
    lines = [f"  {name.decode()}: {value.decode()}" for name, value in pairs]
    return "\n".join([path, *lines]) + "\n"
