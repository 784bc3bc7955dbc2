"""Which form of an answer fits a request: packed, plain, or none because it is known already."""

from __future__ import annotations

from coinlog.web.entries import Entry, Form
from coinlog.web.security import Headers

_gzip_taken: dict[bytes, bool] = {}


def takes_gzip(value: bytes) -> bool:
    """Return whether an Accept-Encoding header allows gzip."""
    found = _gzip_taken.get(value)
    if found is None:
        found = _parse_encoding(value)
        # A few dozen values exist among real clients; a liar's are not worth keeping.
        if len(_gzip_taken) < 200:  # noqa: PLR2004
            _gzip_taken[value] = found
    return found


def _parse_encoding(value: bytes) -> bool:
    for part in value.lower().split(b","):
        name, *parameters = (piece.strip() for piece in part.split(b";"))
        if name in (b"gzip", b"x-gzip", b"*"):
            return not any(
                p.replace(b" ", b"").rstrip(b"0") in (b"q=", b"q=0.") for p in parameters
            )
    return False


def wants_gzip(headers: Headers) -> bool:
    """Return whether a client takes gzip."""
    return any(takes_gzip(value) for name, value in headers if name == b"accept-encoding")


def choose(entry: Entry, headers: Headers) -> Form:
    """Return the form of an answer that fits a request's headers."""
    packed = False
    for name, value in headers:
        if name == b"accept-encoding":
            packed = takes_gzip(value)
        elif name == b"if-none-match" and (entry.tag in value or value == b"*"):
            return entry.unchanged
    if packed and entry.packed is not None:
        return entry.packed
    return entry.plain()
