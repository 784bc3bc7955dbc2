"""Which decimal mark the numbers of a sheet use: proved by themselves, or asked for.

A column tells for itself, since a number that a program wrote (``1.5``) may stand beside prices
that a person wrote (``16.500``). A number that only people write, such as ``0,5`` or ``1,234.5``,
tells for the whole sheet.
"""

from __future__ import annotations

from collections.abc import Mapping

from coinlog.errors import UsageError
from coinlog.sources.numbers import COMMA, POINT, decimal_of, is_ambiguous, read_number


class Marks:
    """What the numbers of a sheet say about their decimal mark, as they come by.

    ``columns`` are the names of the columns with numbers by their place, ``price`` is the place
    of the prices, and ``decimal`` is the mark where it is known beforehand.
    """

    def __init__(self, columns: Mapping[int, str], price: int, decimal: str | None) -> None:
        self._columns = columns
        self._price = price
        self._decimal = decimal
        self._proofs: dict[str, str] = {}
        self._settled: set[int] = set()
        self._for_all = False
        self._ambiguous: dict[int, tuple[str, str]] = {}
        self._sample = ""

    def weigh(self, column: int, text: str, place: str) -> None:
        """Look at what a number says about the decimal mark."""
        if column == self._price and not self._sample and _has_mark(text):
            self._sample = text.strip()
        if self._decimal or (column in self._settled and COMMA not in text):
            return
        proved = decimal_of(text)
        if proved:
            self._proofs.setdefault(proved, f"{text[:40]!r} ({place})")
            self._settled.add(column)
            self._for_all = self._for_all or COMMA in text or proved == COMMA
        elif column not in self._ambiguous and is_ambiguous(text):
            self._ambiguous[column] = (text, place)

    def decimal(self) -> str:
        """Return the decimal mark of all numbers.

        Raises:
            UsageError: they use both marks, or a column could be read in two ways.
        """
        if self._decimal:
            return self._decimal
        if len(self._proofs) == len((POINT, COMMA)):
            raise UsageError(
                f"numbers are written in two ways, {self._proofs[POINT]} and "
                f"{self._proofs[COMMA]}: say which mark is the decimal one with --decimal . or "
                "--decimal , and what is written otherwise is refused"
            )
        doubtful = [] if self._for_all else self._ambiguous.keys() - self._settled
        if doubtful:
            raise self._in_doubt(min(doubtful))
        return next(iter(self._proofs), POINT)

    def example(self, decimal: str) -> str:
        """Return how a price with a mark is read, for people to look at; empty without one."""
        if not self._sample:
            return ""
        try:
            value = read_number(self._sample, decimal)
        except ValueError:
            return ""
        return f"{self._sample[:40]} is read as {_shortest(value)} USD"

    def _in_doubt(self, column: int) -> UsageError:
        text, place = self._ambiguous[column]
        values = sorted(read_number(text, mark) for mark in (POINT, COMMA))
        small, large = map(_shortest, values)
        return UsageError(
            f"{text[:40]!r} ({place}) can be {large} or {small}, and no other number of the column "
            f"{self._columns[column][:60]!r} tells which: say it with --decimal . or --decimal ,"
        )


def _has_mark(text: str) -> bool:
    return decimal_of(text) is not None or is_ambiguous(text)


def _shortest(value: float) -> str:
    return repr(value).removesuffix(".0")
