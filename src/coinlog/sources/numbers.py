"""Numbers that people and their programs wrote as text: read exactly, or refused.

Whether ``1,234`` or ``1.234`` is a thousand or one and a bit cannot be seen from it alone. Other
numbers of the same place tell: ``0,5`` proves a decimal comma, ``0.5`` and ``1,234.5`` a point.
"""

from __future__ import annotations

import math
import re

POINT, COMMA = ".", ","

_EXPONENT = r"(?:[eE][+-]?[0-9]{1,4})?"
_PLAIN = re.compile(rf"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}")
_GROUPED = {
    POINT: re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?"),
    COMMA: re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?"),
}
_WITH_COMMA = re.compile(rf"[+-]?(?:[0-9]+,[0-9]*|,[0-9]+){_EXPONENT}")
_THREE = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_UNKNOWN = frozenset({"", "null", "none", "n/a", "na", "-", "nan"})
# What may stand between the thousands, and what may stand around a price in dollars.
_SPACES = re.compile(r"(?<=[0-9])[\u00a0\u202f\u2009 ](?=[0-9]{3}(?:[^0-9]|$))")
_DOLLARS = re.compile(r"^(?:US)?\$\s*|\s*(?:US)?\$$|\s*USD$", re.IGNORECASE)
_MOST_CHARACTERS = 400


def read_number(text: str, decimal: str = POINT) -> float:
    """Return the number that a text says, to the last bit; ``decimal`` is ``.`` or ``,``.

    Raises:
        ValueError: it says none, one that no double holds, or it holds marks out of place.
    """
    plain = text if decimal == POINT and _PLAIN.fullmatch(text) else _plain(text, decimal)
    if plain is None:
        raise ValueError(f"{text[:40]!r} is no number with a decimal {_word(decimal)}")
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is more than a double can hold")
    return value


def read_amount(text: str, decimal: str = POINT) -> float | None:
    """Return a number as ``read_number`` does, None where the text says that it is unknown."""
    return None if text.strip().lower() in _UNKNOWN else read_number(text, decimal)


def decimal_of(text: str) -> str | None:
    """Return which decimal mark a text proves; None where it proves none.

    ``1.234`` proves nothing: it is how programs write one and a bit, and how many people write
    a thousand.
    """
    if text.isdecimal():
        return None
    bare = _bare(text)
    if _THREE.fullmatch(bare):
        return None
    if _WITH_COMMA.fullmatch(bare) or _GROUPED[COMMA].fullmatch(bare):
        return COMMA
    if _GROUPED[POINT].fullmatch(bare) or (POINT in bare and _PLAIN.fullmatch(bare)):
        return POINT
    return None


def is_ambiguous(text: str) -> bool:
    """Return whether a text is a number with either decimal mark, and not the same one."""
    return _THREE.fullmatch(_bare(text)) is not None


def _plain(text: str, decimal: str) -> str | None:
    """Return a number as programs write it, None where it is none."""
    bare = _bare(text)
    if _GROUPED[decimal].fullmatch(bare):
        bare = bare.replace(COMMA if decimal == POINT else POINT, "")
    elif decimal == COMMA and POINT in bare:
        return None
    if decimal == COMMA:
        bare = bare.replace(COMMA, POINT)
    return bare if _PLAIN.fullmatch(bare) else None


def _bare(text: str) -> str:
    if len(text) > _MOST_CHARACTERS:
        return ""
    return _SPACES.sub("", _DOLLARS.sub("", text.strip()))


def _word(decimal: str) -> str:
    return "point" if decimal == POINT else "comma"
