"""Refusals that no application makes: whole answers, ready to send, in the API's error shape."""

from __future__ import annotations

from functools import lru_cache

from coinlog.web.admission import asked_too_often
from coinlog.web.entries import Form
from coinlog.web.security import error_body, error_headers


def refusal(status: int, message: str, seconds: int = 0) -> bytes:
    """Return a whole HTTP answer that ends the connection; ``seconds`` is when to come again."""
    body = error_body(status, message, "too_many" if status == _FULL else None)
    headers = error_headers(status, body, close=True)
    later = [_again_after(seconds)] if seconds else []
    return Form(status, [*headers, *later], body).wire + b"\r\n" + body


def _again_after(seconds: int) -> tuple[bytes, bytes]:
    return b"retry-after", b"%d" % seconds


_OFTEN, _FULL = 429, 503

UNREADABLE = refusal(400, "this is not an HTTP request that can be read")
HEAD_TOO_LARGE = refusal(400, "the request's address and headers are too long to be read")
TOO_SLOW = refusal(408, "the request did not arrive in time")
TOO_MANY = refusal(_FULL, "too many connections at this moment: try again in a minute", 60)


@lru_cache(256)
def too_many_of_one(most: int) -> bytes:
    """Return the answer to an address that holds as many connections as it may."""
    noun = "connection" if most == 1 else "connections"
    message = (
        f"this address may hold {most:,} {noun} at once, and all are in use: close one, or try "
        "again in a minute"
    )
    return refusal(_OFTEN, message, 60)


@lru_cache(256)
def too_often(per_minute: int, seconds: int, *, head: bool) -> Form:
    """Return the answer to an address that has sent more requests than it may."""
    body = error_body(_OFTEN, asked_too_often(per_minute, seconds))
    headers = [*error_headers(_OFTEN, body), _again_after(seconds)]
    return Form(_OFTEN, headers, b"" if head else body)
