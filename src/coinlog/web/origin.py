"""Where a request was sent to, for answers that name whole addresses: feeds, link previews.

The Host header is the client's own word. Only what can be the name of a host is repeated, and an
answer that repeats it is kept under that name alone (``canonical.names_its_origin``). Whether it
was sent by HTTPS is the scope's scheme: ``proxies`` decides whose word about that is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from litestar import Request

_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?"
)


def origin_of(request: Request[Any, Any, Any]) -> str:
    """Return the scheme and host that a request was sent to: ``https://coinlog.example``.

    Empty where the Host header is none: an address made with it is relative, and still leads here.
    """
    return origin_in(request.scope["headers"], request.scope["scheme"])


def origin_in(headers: Iterable[tuple[bytes, bytes]], scheme: str = "http") -> str:
    """Return the origin that a request's headers and scheme name."""
    host = next((value for name, value in headers if name == b"host"), b"")
    return _origin(host, scheme)


@lru_cache(maxsize=256)
def _origin(host: bytes, scheme: str) -> str:
    text = host.decode("latin-1").lower()
    return f"{scheme}://{text}" if _HOST.fullmatch(text) and scheme in ("http", "https") else ""
