"""Answers ready to send: bytes and headers made once, kept in a bounded memory."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from http import HTTPStatus

from coinlog.web.canonical import Key
from coinlog.web.security import SECURITY_HEADERS, Headers, Message
from coinlog.web.tallies import AT_ONCE, place_of

try:
    # Packs four times as fast as zlib at its quickest, and a little smaller; unpacks as fast.
    from isal.isal_zlib import compress as pack_quickly
    from isal.isal_zlib import decompress as unpack_quickly
except ImportError:  # there is no build of it for every machine
    from zlib import compress as pack_quickly
    from zlib import decompress as unpack_quickly

CACHE_BYTES = 24 * 1024 * 1024
"""For all workers of a site together; with two of them all processes stay under 160 MB."""

MAX_TARGETS = 20_000
PAGE_LEVEL = 6
DATA_LEVEL = 1
AS_IT_IS = 0
"""How hard to pack: long columns of doubles shrink by a tenth more at six times the work, and
pictures are packed already."""

_AS_GZIP = 31

_WORTH_PACKING = 256
_OVERHEAD_BYTES = 2500

_PAGE, _PICTURE = b"text/html", b"image/png"

PAGE_CACHING = (b"cache-control", b"no-cache")
DATA_CACHING = (b"cache-control", b"max-age=30")
NO_CACHING = (b"cache-control", b"no-store")

NO_BODY: Message = {"type": "http.response.body", "body": b""}


def level_of(headers: Headers) -> int:
    """Return how hard to pack an answer, by its type."""
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    if kind.startswith(_PAGE):
        return PAGE_LEVEL
    return AS_IT_IS if kind.startswith(_PICTURE) else DATA_LEVEL


class Form:
    """One form of an answer: as ASGI messages, and as the bytes that HTTP/1.1 sends first.

    ``place`` is where it is counted when it is sent from memory at once.
    """

    __slots__ = ("body", "content", "place", "start", "wire")

    def __init__(self, status: int, headers: Headers, content: bytes) -> None:
        self.start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": headers,
        }
        self.body: Message = {"type": "http.response.body", "body": content}
        self.content = content
        self.place = AT_ONCE + place_of(status)
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        self.wire = first + b"".join(b"%s: %s\r\n" % pair for pair in headers)


def _whole(content: bytes, headers: Headers) -> Form:
    length = (b"content-length", str(len(content)).encode())
    return Form(200, [length, *headers], content)


class Entry:
    """One answer in the forms that clients ask for.

    The messages are built once and sent as they are: nothing may change them. An answer that is
    worth packing is packed when the first client asks for it so, and from then on kept packed
    alone: it is unpacked for the rare client that cannot. ``origin`` is set where the answer names
    the host that it was asked at; ``made_at`` is when it was made, in seconds UTC.
    """

    __slots__ = (
        "body",
        "common",
        "generation",
        "level",
        "made_at",
        "origin",
        "packed",
        "tag",
        "unchanged",
    )

    def __init__(  # noqa: PLR0913  what tells one answer from another
        self,
        body: bytes,
        headers: Headers,
        generation: int = 0,
        vary: bytes = b"accept-encoding",
        level: int = PAGE_LEVEL,
        *,
        security: Headers = SECURITY_HEADERS,
        made_at: float = 0.0,
    ) -> None:
        self.generation = generation
        self.origin: str | None = None
        self.level = level
        self.made_at = made_at
        self.tag = b"%08x%08x" % (zlib.crc32(body), zlib.adler32(body))
        # Weak, because the packed and the plain bytes are the same answer.
        etag = (b"etag", b'W/"' + self.tag + b'"')
        self.common = [*headers, etag, (b"vary", vary), *security]
        self.unchanged = Form(304, self.common, b"")
        self.packed: Form | None = None
        self.body = body

    @property
    def ready(self) -> bool:
        """Whether there is nothing left to pack."""
        worth_it = self.level != AS_IT_IS and len(self.body) >= _WORTH_PACKING
        return self.packed is not None or not worth_it

    def pack(self) -> None:
        """Keep the answer packed, where that is worth it."""
        if not self.ready:
            pack = pack_quickly if self.level == DATA_LEVEL else zlib.compress
            self.keep(pack(self.body, self.level, _AS_GZIP))

    def keep(self, packed: bytes) -> None:
        """Keep the answer in its packed form (gzip), made here or before."""
        self.body = packed
        encoding = (b"content-encoding", b"gzip")
        self.packed = _whole(packed, [encoding, *self.common])

    def content(self) -> bytes:
        """Return what the answer says, unpacked."""
        return unpack_quickly(self.body, _AS_GZIP) if self.packed else self.body

    def plain(self) -> Form:
        """Return the answer for a client that takes no gzip."""
        return _whole(self.content(), self.common)

    def with_body(self, body: bytes) -> Entry:
        """Return the same answer with other content."""
        other = Entry(body, [], self.generation, level=self.level, made_at=self.made_at)
        (tag, *_) = other.common
        other.common = [tag if pair[0] == tag[0] else pair for pair in self.common]
        other.unchanged = Form(304, other.common, b"")
        other.origin = self.origin
        return other


class Entries:
    """The answers made so far, least recently asked for first; bounded in bytes.

    ``targets`` leads from an address as it was sent straight to its answer; it holds those of
    the present generation alone.
    """

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.targets: dict[bytes, Entry] = {}
        self._entries: OrderedDict[Key, tuple[Entry, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry | None:
        """Return the answer of a name, of whatever generation."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an answer; the ones not asked for longest make room."""
        _, old_size = self._entries.pop(key, (None, 0))
        size = len(entry.body) + _OVERHEAD_BYTES
        self._entries[key] = entry, size
        self.bytes += size - old_size
        while self.bytes > self.limit_bytes and len(self._entries) > 1:
            _, (_, dropped_size) = self._entries.popitem(last=False)
            self.bytes -= dropped_size
            # Rare, and cheaper than remembering which addresses led to it.
            self.targets.clear()

    def lead(self, target: bytes, entry: Entry) -> None:
        """Let an address lead to its answer without a look at its name."""
        if len(self.targets) >= MAX_TARGETS:
            self.targets.clear()
        self.targets[target] = entry

    def new_generation(self) -> None:
        """Forget where addresses lead; the answers stay, in case no newer can be made."""
        self.targets.clear()
