"""How a response goes out: compressed, dated, and as badly as was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any, NamedTuple

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json; charset=utf-8"
HTML = b"text/html; charset=utf-8"

_COMPRESS_FROM_BYTES = 600
_SLOW_SECONDS = 30.0


class Response(NamedTuple):
    """A whole response, before it is compressed and sent; ``time`` is the server's clock."""

    time: float
    status: int
    body: bytes
    content_type: bytes = JSON
    retry_after_seconds: int | None = None
    fault: str | None = None


async def deliver(response: Response, receive: Receive, send: Send, *, compress: bool) -> None:
    """Send a response, or break it off where its fault is one of the connection."""
    if response.fault == "reset":
        await _reset(receive, send)
        return
    headers, body = _encode(response, compress=compress)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.fault in ("truncated", "slow"):
        half = len(body) // 2
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})
        if response.fault == "truncated" or await _gone(receive):
            return
        body = body[half:]
    await send({"type": "http.response.body", "body": body})


def _encode(response: Response, *, compress: bool) -> tuple[list[tuple[bytes, bytes]], bytes]:
    body = response.body
    headers = [
        (b"date", formatdate(response.time, usegmt=True).encode()),
        (b"content-type", response.content_type),
        (b"vary", b"accept-encoding"),
    ]
    if compress and len(body) >= _COMPRESS_FROM_BYTES:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        headers.append((b"content-encoding", b"gzip"))
    if response.retry_after_seconds is not None:
        headers.append((b"retry-after", str(response.retry_after_seconds).encode()))
    return [*headers, (b"content-length", str(len(body)).encode())], body


async def _gone(receive: Receive) -> bool:
    """Wait as a stalled server does; return whether the client has gone away meanwhile."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SLOW_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
    return False


async def _reset(receive: Receive, send: Send) -> None:
    """Cut the connection without a byte, as a crashed server or a firewall does."""
    # ASGI has no word for this; uvicorn's send is a method of an object that has the transport.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        return
    with contextlib.suppress(AttributeError, OSError):
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
