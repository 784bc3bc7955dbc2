"""Tables as Parquet: types that fit, sorted, compact, a file for each month.

Encodings are those that every reader knows: plain and dictionary, packed by Zstandard. Splitting
doubles by bytes would save a tenth, and Spark could not read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coinlog.export.columns import Column, Kind
from coinlog.export.tables import Table, months
from coinlog.extras import load
from coinlog.notice import SIMULATED
from coinlog.store.stretches import Part
from coinlog.watching import Advance

GROUP_ROWS = 120_000
"""Rows in a group: what engines read and skip at once."""


def arrow() -> Any:  # noqa: ANN401  pyarrow has no types
    """Return pyarrow, loaded at first use.

    Raises:
        MissingPackageError: it is not installed.
    """
    return load("pyarrow", "parquet")


def write_parquet(
    table: Table, folder: Path, notes: Mapping[str, str], advance: Advance
) -> tuple[int, int]:
    """Write a table into a folder and return its rows and files; a month without rows has none."""
    pa = arrow()
    metadata = {**notes, "what": table.what}
    schema = _schema(pa, table.columns).with_metadata(metadata)
    prefix = f"{SIMULATED}-" if notes["simulated"] == "true" else ""
    rows = files = 0
    for place, parts in _files(table):
        written = _write_file(schema, parts, folder / place / f"{prefix}part-0.parquet", advance)
        rows += written
        files += bool(written)
    return rows, files


def steps(table: Table) -> int | None:
    """Return how many steps writing a table has, where that is known."""
    if not table.by_month or table.steps is None or table.window is None:
        return table.steps
    return table.steps * sum(1 for _ in months(table.window))


def _files(table: Table) -> Iterator[tuple[str, Iterator[Part]]]:
    if not table.by_month:
        yield ".", table.parts()
    elif table.window is not None:
        for month, window in months(table.window):
            yield f"month={month}", table.read(window)


def _write_file(schema: Any, parts: Iterator[Part], path: Path, advance: Advance) -> int:  # noqa: ANN401  pyarrow has no types
    """Write rows in groups; the file is made with the first of them."""
    pa = arrow()
    writer = None
    rows = 0
    try:
        for batches in _groups(schema, parts, advance):
            if writer is None:
                path.parent.mkdir(exist_ok=True)
                writer = _writer(schema, path)
            group = pa.Table.from_batches(batches, schema)
            writer.write_table(group, row_group_size=GROUP_ROWS)
            rows += group.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


def _groups(schema: Any, parts: Iterator[Part], advance: Advance) -> Iterator[list[Any]]:  # noqa: ANN401  pyarrow has no types
    batches: list[Any] = []
    held = 0
    for part in parts:
        if part.rows:
            batches.append(_batch(schema, part))
            held += len(part.rows)
        if held >= GROUP_ROWS:
            yield batches
            batches, held = [], 0
        advance(part.assets_done)
    if batches:
        yield batches


def _batch(schema: Any, part: Part) -> Any:  # noqa: ANN401  pyarrow has no types
    pa = arrow()
    columns = zip(*part.rows, strict=True)
    arrays = [
        pa.array(_microseconds(column) if pa.types.is_timestamp(kind) else column, kind)
        for column, kind in zip(columns, schema.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _microseconds(column: tuple[int | None, ...]) -> list[int | None]:
    return [None if value is None else value * 1_000_000 for value in column]


def _schema(pa: Any, columns: tuple[Column, ...]) -> Any:  # noqa: ANN401  pyarrow has no types
    kinds = {
        Kind.TIME: pa.timestamp("us", "UTC"),
        Kind.DOUBLE: pa.float64(),
        Kind.INTEGER: pa.int32(),
        Kind.LONG: pa.int64(),
        Kind.TEXT: pa.string(),
        Kind.FLAG: pa.bool_(),
    }
    return pa.schema([(column.name, kinds[column.kind]) for column in columns])


def _writer(schema: Any, path: Path) -> Any:  # noqa: ANN401  pyarrow has no types
    parquet = arrow().parquet
    order = [("asset_id", "ascending"), ("slot", "ascending")]
    in_order = {"asset_id", "slot"} <= set(schema.names)
    return parquet.ParquetWriter(
        path,
        schema,
        compression="zstd",
        sorting_columns=parquet.SortingColumn.from_ordering(schema, order) if in_order else None,
    )
