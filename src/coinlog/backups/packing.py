"""Rows in a backup: JSON lines, one array a row, packed with gzip.

Whole numbers, doubles, texts and None come back as they were, a double to its last bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Annotated

import msgspec

from coinlog.backups.manifest import MOST_BYTES
from coinlog.errors import DamagedBackupError
from coinlog.store.pages import Line

try:
    # Several times as fast as zlib at its quickest, and a little smaller.
    from isal.isal_zlib import compress
except ImportError:  # there is no build of it for every machine
    from zlib import compress

_AS_GZIP = 31
_LEVEL = 1

# What a column holds on SQLite, MariaDB and MySQL alike.
_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_LINES = msgspec.json.Decoder(tuple[_Whole | float | str | None, ...])
_ENCODER = msgspec.json.Encoder()


def encoded(lines: Sequence[Line]) -> bytes:
    """Return rows as JSON lines."""
    return _ENCODER.encode_lines(lines)


def packed(text: bytes) -> bytes:
    """Return JSON lines as a gzip file."""
    return compress(text, _LEVEL, _AS_GZIP)


def unpacked(body: bytes) -> list[Line]:
    """Return the rows in a gzip file of JSON lines.

    Raises:
        DamagedBackupError: there is something else in it, or far too much.
    """
    inflating = zlib.decompressobj(_AS_GZIP)
    try:
        text = inflating.decompress(body, MOST_BYTES)
        if not inflating.eof or inflating.unused_data:
            raise DamagedBackupError("it is larger than coinlog makes it, or cut off")
        return _LINES.decode_lines(text)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedBackupError(f"it holds no rows ({error})") from error
