"""Words for messages: what others called things is made plain, one line without markup."""

from __future__ import annotations

import math
import unicodedata

NAME_LETTERS = 40
SENTENCE_LETTERS = 500

# What chat services and mail programs take for markup, links or a call to everybody.
_MARKUP = frozenset("<>&@*_`~|[]{}\\#\"'=")
_CALLS = frozenset("<>@*~|\\")
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def plain(text: str, limit: int = NAME_LETTERS) -> str:
    """Return a foreign name on one line: no markup, nothing invisible, none that turns the line."""
    return _cleaned(text, limit, _MARKUP)


def sentence(text: str, limit: int = SENTENCE_LETTERS) -> str:
    """Return a foreign sentence on one line: what calls people, links or turns the line is gone."""
    return _cleaned(text, limit, _CALLS)


def _cleaned(text: str, limit: int, dropped: frozenset[str]) -> str:
    kept = (_kept(letter, dropped) for letter in text[: limit * 4])
    short = " ".join("".join(kept).split())
    return short if len(short) <= limit else short[: limit - 1] + "…"


def _kept(letter: str, dropped: frozenset[str]) -> str:
    if letter.isspace():
        return " "
    return "" if letter in dropped or unicodedata.category(letter) in _INVISIBLE else letter


def figure(number: float) -> str:
    """Return a number for people: ``101,234.5``, ``0.00001234``, ``1.2e-19``."""
    if number and abs(number) < 1e-6:  # noqa: PLR2004  zeros that nobody counts
        return f"{number:.4g}"
    digits = 2 if abs(number) >= 1000 else 5 - math.floor(math.log10(abs(number) or 1))  # noqa: PLR2004
    text = f"{number:,.{max(0, digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(number: float) -> str:
    """Return a change in percent with its sign: ``-12.3 %``, and none where it is none."""
    text = f"{number:+.1f}"
    return f"{text if text.strip('+-0.') else '0.0'} %"


def measured(number: float, unit: str) -> str:
    """Return ``1 point`` or ``0.5 points``."""
    return f"{figure(number)} {unit}" if number == 1 else f"{figure(number)} {unit}s"
