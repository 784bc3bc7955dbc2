"""Decimal marks: each column proves its own, and what could be a thousand is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from adopting import csv_rows, only, prices, snapshot_of
from coinlog.errors import UsageError
from coinlog.imports.csv_file import CsvOptions
from coinlog.imports.marks import Marks
from coinlog.market import Asset
from coinlog.sources.labels import Label

BTC = Label("BTC")
MATCHES = {BTC: Asset(1, "Bitcoin", "BTC", "bitcoin")}


def spanish(path: Path, *numbers: str, more: str = "") -> Path:
    """Write a file as a spreadsheet in Spanish does, with one more column where it is named."""
    lines = [f"BTC;2026-01-26 18:00:0{at};{number}" for at, number in enumerate(numbers)]
    path.write_text("\n".join([f"symbol;time;price{more}", *lines]))
    return path


def decimal_of_columns(*columns: tuple[str, ...]) -> str:
    names = dict(enumerate(("price", "market_cap")))
    marks = Marks(names, 0, None)
    for column, numbers in enumerate(columns):
        for line, text in enumerate(numbers, 2):
            marks.weigh(column, text, f"line {line}")
    return marks.decimal()


def test_a_point_that_could_divide_thousands_is_asked_about(tmp_path: Path) -> None:
    path = spanish(tmp_path / "precios.csv", "16.500", "950", "16.600")
    said = r"'16.500' \(line 2\) can be 16500 or 16.5, .* column 'price' .*--decimal"
    with pytest.raises(UsageError, match=said), csv_rows(path):
        pass


@pytest.mark.parametrize(("mark", "price"), [(".", 16.5), (",", 16500.0)])
def test_who_says_the_mark_is_told_how_a_price_is_read(
    tmp_path: Path, mark: str, price: float
) -> None:
    path = spanish(tmp_path / "precios.csv", "16.500")
    with csv_rows(path, options=CsvOptions(decimal=mark)) as rows:
        assert prices(snapshot_of(only(rows), MATCHES)) == {1: price}
        assert f"16.500 is read as {price:g} USD" in rows.notes


@pytest.mark.parametrize("other", ["0.123", "1.5", "16.50", "1234.567", "0.000", "1.0", "6.1e-06"])
def test_one_number_that_proves_a_decimal_point_is_enough(other: str) -> None:
    assert decimal_of_columns(("16.500", other)) == "."
    assert decimal_of_columns((other, "16.500")) == "."


@pytest.mark.parametrize("other", ["0,5", "1.234,5", "1.234.567"])
def test_a_number_that_only_people_write_tells_for_all_columns(other: str) -> None:
    assert decimal_of_columns(("16.500",), (other,)) == ","
    assert decimal_of_columns(("16,500",), ("1,234.5",)) == "."


@pytest.mark.parametrize("price", ["16.500", "16,500"])
def test_a_number_of_a_program_tells_for_its_own_column_alone(price: str) -> None:
    with pytest.raises(UsageError, match="--decimal"):
        decimal_of_columns((price,), ("123.45",))


def test_whole_numbers_are_in_no_doubt(tmp_path: Path) -> None:
    path = spanish(tmp_path / "precios.csv", "16500")
    with csv_rows(path) as rows:
        assert prices(snapshot_of(only(rows), MATCHES)) == {1: 16500.0}
        assert rows.notes == []
