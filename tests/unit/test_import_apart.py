"""Two names for one asset: one after the other where it was renamed, never side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from adopting import csv_rows
from coinlog.errors import UsageError
from coinlog.imports.apart import check_apart

HEADER = "Name,Symbol,Price,Time\n"
OLD = "Iota,MIOTA,0.5,2026-01-25 18:00\n"
NEW = "Iota,IOTA,0.5,2026-01-26 18:00\n"


def check(path: Path, text: str, given: Mapping[str, int]) -> None:
    path.write_text(HEADER + text)
    with csv_rows(path) as rows:
        check_apart(rows, given)


@pytest.mark.parametrize(
    "given",
    [
        {"MIOTA": 1720, "IOTA": 1720},
        {"MIOTA": 1720, "IOTA": 1720, "Iota": 1720},
        {"Iota": 1720},
        {"MIOTA": 1720, "IOTA": 7},
        {"OTHER": 1720, "IOTA": 1720},
    ],
)
def test_an_asset_may_have_had_another_name(tmp_path: Path, given: Mapping[str, int]) -> None:
    check(tmp_path / "precios.csv", OLD + NEW, given)


def test_two_names_side_by_side_are_two_assets(tmp_path: Path) -> None:
    together = OLD.replace("25", "26") + NEW
    said = "'MIOTA' and 'IOTA' the same id 1720, .* slot 2026-01-26T18:00:00Z"
    with pytest.raises(UsageError, match=said):
        check(tmp_path / "precios.csv", together, {"MIOTA": 1720, "IOTA": 1720})
    check(tmp_path / "precios.csv", together, {"MIOTA": 1720, "IOTA": 7})
    # By their common name they are one, as their owner says.
    check(tmp_path / "precios.csv", together, {"Iota": 1720})
