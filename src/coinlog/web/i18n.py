"""The languages of the page: one file each in ``locales/``, and nothing else to add one.

A catalogue holds the language's own name, how it writes numbers and dates, and every text a user
sees. A text is a sentence with ``{names}``, or a pair ``{"one", "other"}`` chosen by ``n``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

LOCALES = Path(__file__).parent / "locales"
DEFAULT = "en"


class Plural(msgspec.Struct, frozen=True):
    """A text that depends on the number ``n``."""

    one: str
    other: str


class NumberFormat(msgspec.Struct, frozen=True):
    """How a language writes numbers and dates.

    ``percent`` and, by their codes, ``currencies`` hold ``{}`` where the number goes; ``powers``
    does so for each power of ten that has a short word; ``day`` and ``date`` name ``{d}``,
    ``{m}`` and ``{y}``.
    """

    decimal: str
    group: str
    percent: str
    currencies: dict[str, str]
    powers: dict[str, str]
    months: list[str]
    day: str
    date: str

    @property
    def money(self) -> str:
        """The pattern of an amount of USD, which is what everything is recorded in."""
        return self.currencies["USD"]


class Catalogue(msgspec.Struct, frozen=True):
    """A language: its name for itself, its number format, and its texts by key."""

    language: str
    format: NumberFormat
    texts: dict[str, str | Plural]

    def entry(self, key: str, n: object = None) -> str:
        """Return the text of a key as it stands in the catalogue; ``n`` chooses the plural.

        Raises:
            KeyError: the catalogue has no such key.
        """
        entry = self.texts[key]
        if isinstance(entry, str):
            return entry
        return entry.one if n == 1 else entry.other

    def text(self, key: str, **values: object) -> str:
        """Return the text of a key with its ``{names}`` filled in.

        Raises:
            KeyError: the catalogue has no such key, or the text a name without a value.
        """
        return self.entry(key, values.get("n")).format(**values)

    def scripted(self) -> dict[str, str | Plural]:
        """Return the texts that the page's scripts need: those whose key begins with ``js.``."""
        return {
            key.removeprefix("js."): entry
            for key, entry in self.texts.items()
            if key.startswith("js.")
        }


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of all languages, the default one first."""
    codes = sorted(path.stem for path in LOCALES.glob("*.json"))
    return (DEFAULT, *(code for code in codes if code != DEFAULT))


@cache
def catalogue(language: str) -> Catalogue:
    """Return a language's catalogue.

    Raises:
        FileNotFoundError: there is no such language.
    """
    raw = (LOCALES / f"{language}.json").read_bytes()
    return msgspec.json.decode(raw, type=Catalogue)
