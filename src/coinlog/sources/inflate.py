"""Undoing gzip with a limit on what comes out: a bomb of 10 MB must not become 10 GB."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from coinlog.errors import BrokenAnswerError, UnavailableError

_GZIP = 16 + zlib.MAX_WBITS
_PIECE_BYTES = 64 * 1024


class Inflater:
    """Collects a body chunk by chunk, inflated if need be, up to ``limit_bytes``.

    ``body`` holds what has come so far, whatever happened next.
    """

    def __init__(self, encoding: str, limit_bytes: int) -> None:
        self.body = bytearray()
        self._limit_bytes = limit_bytes
        self._gzip = _is_gzip(encoding)
        self._stream = zlib.decompressobj(_GZIP)
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Add a chunk as received.

        Raises:
            BrokenAnswerError: the body is over the limit, or is no gzip after all.
        """
        for piece in self._inflate(chunk) if self._gzip else (chunk,):
            self.body += piece
            if len(self.body) > self._limit_bytes:
                del self.body[self._limit_bytes :]
                raise BrokenAnswerError(
                    f"got a body of more than {self._limit_bytes} bytes and stopped reading: a "
                    "page of 5,000 assets has about 6 million; look at what answers at this address"
                )

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            UnavailableError: the compressed body ends too early.
        """
        if self._begun and not self._stream.eof:
            raise UnavailableError(
                f"the compressed body was cut off after {len(self.body)} bytes: try again"
            )
        return bytes(self.body)

    def _inflate(self, chunk: bytes) -> Iterator[bytes]:
        # Each step inflates one bounded piece, so that no chunk can take memory at will.
        while chunk:
            self._begun = True
            if self._stream.eof:
                self._stream = zlib.decompressobj(_GZIP)
            try:
                yield self._stream.decompress(chunk, _PIECE_BYTES)
            except zlib.error as error:
                raise BrokenAnswerError(
                    f"the body should be gzip and is not ({error}): a proxy may have changed it"
                ) from error
            chunk = self._stream.unused_data or self._stream.unconsumed_tail


def _is_gzip(encoding: str) -> bool:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return False
    if name in ("gzip", "x-gzip"):
        return True
    raise BrokenAnswerError(
        f"got Content-Encoding {encoding[:40]!r}: expected gzip or none, the only ones asked for"
    )
