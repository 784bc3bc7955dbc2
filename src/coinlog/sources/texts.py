"""Text for messages: numbers with their unit, and foreign text made safe for one line."""

from __future__ import annotations


def counted(number: int, unit: str) -> str:
    """Return ``1 slot`` or ``2,000 slots``."""
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def one_line(text: str, limit: int = 200) -> str:
    """Return text in one line of printable characters, at most ``limit`` of them."""
    clean = "".join(char if char.isprintable() else " " for char in text[: limit * 4])
    short = " ".join(clean.split())
    return short if len(short) <= limit else short[: limit - 1] + "…"


def first_words(body: bytes, limit: int = 80) -> str:
    """Return the beginning of a body, quoted, for a message: ``'<html> <head>…'``."""
    return f"{one_line(body[: limit * 4].decode('utf-8', 'replace'), limit)!r}"
