"""What every answer carries and what every request must be, whoever answers it.

The headers are on pages, JSON, static files and errors alike; a request that no client sends by
accident is refused before anything looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from coinlog.web.answers import error_answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

POLICY = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types coinlog"
)
SECURITY_HEADERS: Headers = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
]

STRICT = (b"strict-transport-security", b"max-age=31536000")
"""Of answers by HTTPS alone: from then on this host is asked by HTTPS, for a year. Hosts below it
are others' business."""

METHODS = ("GET", "HEAD")
MAX_TARGET_BYTES = 4096
_SOUND = re.compile(rb"(?:[^%\x00-\x20\x7f-\xff\\]|%[0-9A-Fa-f]{2})*")
_DOUBLED = re.compile(r"//|\\")
"""A link to such a path leads to another host: browsers read ``//host`` and ``/\\host`` so."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def fault_of(scope: Scope) -> tuple[int, str] | None:
    """Return the status and sentence for a request that is refused unseen, or ``None``."""
    method = scope["method"]
    if method not in METHODS:
        return 405, f"{method[:20]} is not answered here: use GET or HEAD"
    if not scope["path"].startswith("/") or _DOUBLED.search(scope["path"]):
        return (
            400,
            "the address must begin with a slash, and hold neither two in a row nor a backslash",
        )
    target = scope["raw_path"] + b"?" + scope["query_string"]
    if len(target) > MAX_TARGET_BYTES:
        return 400, f"the address has {len(target)} bytes: at most {MAX_TARGET_BYTES} are read"
    if not _is_text(target):
        return 400, "the address is not UTF-8 text in proper %-encoding: %20, say, is a space"
    return None


def _is_text(target: bytes) -> bool:
    if not _SOUND.fullmatch(target):
        return False
    try:
        text = unquote_to_bytes(target.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return False
    return not _CONTROLS.search(text)


def secured(send: Send) -> Send:
    """Return what sends an answer with the header that keeps browsers on HTTPS."""

    async def send_strictly(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], STRICT]}
        await send(message)

    return send_strictly


def error_headers(status: int, body: bytes, *, close: bool = False) -> Headers:
    """Return the headers of an error in JSON that is made without the application."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SECURITY_HEADERS,
    ]
    if status == 405:  # noqa: PLR2004  its answer must say what is allowed
        headers.append((b"allow", b"GET, HEAD"))
    if close:
        headers.append((b"connection", b"close"))
    return headers


def error_body(status: int, message: str, code: str | None = None) -> bytes:
    """Return an error in the API's one shape."""
    return msgspec.json.encode(error_answer(status, message, code))


async def send_error(scope: Scope, send: Send, status: int, message: str) -> None:
    """Answer with an error in the API's one shape."""
    body = error_body(status, message)
    headers = error_headers(status, body)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
