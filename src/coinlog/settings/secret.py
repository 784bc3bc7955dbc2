"""A value that cannot be printed by mistake."""

from __future__ import annotations

import hmac
import re
from typing import NoReturn

HIDDEN = "***"
_KEY = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
"""The form of CoinMarketCap's keys, wherever one was put by mistake."""


def masked(text: str) -> str:
    """Return the start of a text for a message, without what an address may hold in secret."""
    without_key = _KEY.sub(HIDDEN, text)
    without_login = re.sub(r"://.*@", f"://{HIDDEN}@", without_key)
    without_query = re.sub(r"\?.*", f"?{HIDDEN}", without_login)
    # What looks like a second NAME=value behind a value was meant to be one, perhaps a password.
    return re.sub(r"([\s,;&'\"]).*[:=].*", rf"\1{HIDDEN}", without_query, flags=re.DOTALL)[:80]


class Secret:
    """A key or password: only ``reveal`` gives its value; nothing that prints or stores it does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the one place that must send it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere: hand on where to read it instead")
