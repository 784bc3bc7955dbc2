"""The key taken out of whatever echoes it, before anything is cut, quoted or kept."""

from __future__ import annotations

from collections.abc import Callable

INSTEAD = b"[key]"
LEAST_PART = 6
"""So many of its first characters, at the end of what was cut off, count as the key."""

Hide = Callable[[bytes], bytes]


def hiding(key: str | None) -> Hide:
    """Return what takes a key out of bytes, also where they end in the middle of it."""
    secret = (key or "").encode()
    parts = [secret[:length] for length in range(len(secret) - 1, LEAST_PART - 1, -1)]

    def hide(data: bytes) -> bytes:
        if not secret:
            return data
        if secret in data:
            data = data.replace(secret, INSTEAD)
        cut = next((part for part in parts if data.endswith(part)), b"")
        return data[: -len(cut)] + INSTEAD if cut else data

    return hide
