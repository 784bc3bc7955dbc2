"""The file of a backup: a plain tar in which no byte is free to differ.

A member is a header, its bytes and zeros up to a whole block, as in any tar, so that every tar
unpacks it. Headers hold name and size and nothing else that varies: whoever reads makes them anew
and compares, so a header that we would not have written is found, and nothing in it is obeyed.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from coinlog.errors import BackupError, DamagedBackupError

BLOCK = 512
END = bytes(2 * BLOCK)
"""What every tar ends with."""

# Every member is dated so: that of the first block of Bitcoin, rounded to a day.
_DATED = 1_230_940_800
_NAME, _SIZE, _PREFIX = slice(0, 100), slice(124, 136), slice(345, 500)
_LARGEST = 8**11 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def header(name: str, size: int) -> bytes:
    """Return the header of a member.

    Raises:
        BackupError: the name is too long for a tar, or the size.
    """
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, _DATED
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except (ValueError, UnicodeError) as error:
        raise BackupError(
            f"{name[:300]!r} cannot be in a backup ({error}): its name or size is not one that "
            "coinlog gives; move it out of the archive"
        ) from error


def padding(size: int) -> bytes:
    """Return the zeros that follow ``size`` bytes up to a whole block."""
    return bytes(-size % BLOCK)


def member(name: str, body: bytes) -> bytes:
    """Return a member, header and all."""
    return b"".join((header(name, len(body)), body, padding(len(body))))


def read_header(block: bytes) -> tuple[str, int]:
    """Return the name and size of the member that a header announces.

    Raises:
        DamagedBackupError: it is no header that we write.
    """
    try:
        name, prefix = (block[place].rstrip(b"\0").decode() for place in (_NAME, _PREFIX))
        size = int(block[_SIZE].rstrip(b"\0 ") or b"x", 8)
        name = f"{prefix}/{name}" if prefix else name
        if 0 <= size <= _LARGEST and header(name, size) == block:
            return name, size
    except (ValueError, BackupError):
        pass
    raise DamagedBackupError("there is something that coinlog has not written")


def members(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each member in a stretch of a tar.

    Raises:
        DamagedBackupError: it is not made of whole members.
    """
    place = 0
    while place < len(raw):
        name, size = read_header(raw[place : place + BLOCK])
        begin = place + BLOCK
        place = begin + size + -size % BLOCK
        if raw[begin + size : place] != padding(size):
            raise DamagedBackupError(f"{name} is cut off, or more follows it than its size")
        yield name, raw[begin : begin + size]


def last_name(file: BinaryIO) -> str | None:
    """Return the member in which a file ends, or the last one before it makes no sense."""
    name, place = None, 0
    while True:
        file.seek(place)
        try:
            name, size = read_header(file.read(BLOCK))
        except DamagedBackupError:
            return name
        place += BLOCK + size + -size % BLOCK


def is_safe(path: str) -> bool:
    """Return whether a path stays inside the folder that it is put into, on every system."""
    parts = path.split("/")
    return not (
        _CONTROL.search(path)
        or "\\" in path
        or ":" in parts[0]
        or any(part in {"", ".", ".."} for part in parts)
    )
