"""One setting: its names, what it must be, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coinlog.errors import SettingError, UsageError
from coinlog.settings.secret import masked


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting: its names, what it must be and what it does.

    ``aliases`` are further names, the first one found wins. ``default`` is read like a value
    given; where it depends on other settings it is ``None``, and ``default_words`` tells it.
    ``expected`` completes "expected ...". A ``secret`` is never shown, and may also be given as
    the path of a file in ``NAME_FILE``, which has one value, or ``several``, a line. ``special``
    ones are for special cases.
    """

    name: str
    aliases: tuple[str, ...] = ()
    parse: Callable[[str], object]
    default: str | None = None
    default_words: str = ""
    expected: str
    example: str
    help: str
    secret: bool = False
    several: bool = False
    special: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the one that wins first."""
        return (self.name, *self.aliases)

    def read(self, value: str, name: str, where: str) -> object:
        """Return the value that a text stands for.

        Raises:
            SettingError: it cannot be used; the message shows it unless it is secret.
        """
        try:
            return self.parse(value)
        except (UsageError, ValueError) as error:
            got = "has a value that cannot be used" if self.secret else f"is {masked(value)!r}"
            why = f", and {error}" if isinstance(error, ValueError) and str(error) else ""
            raise SettingError(
                f"{name} ({where}) {got}{why}: expected {self.expected}, "
                f"for example {name}={self.example}"
            ) from None
