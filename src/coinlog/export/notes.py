"""What goes with an export: whose data it is, what may be done with it, what its columns mean."""

from __future__ import annotations

from coinlog import __version__
from coinlog.export.tables import Book, Table
from coinlog.notice import attribution, terms
from coinlog.slots import iso


def notes_of(book: Book) -> dict[str, str]:
    """Return what is said of the data, by name: Parquet files carry it."""
    simulated = book.head.simulated
    return {
        "attribution": attribution(simulated=simulated),
        "terms": terms(simulated=simulated),
        "source": book.source,
        "simulated": "true" if simulated else "false",
        "currency": "USD",
        "program": f"coinlog {__version__}",
        "exported_at": iso(book.now),
        "store_version": str(book.head.version),
    }


def readme(book: Book, table: Table, rows: int) -> str:
    """Return the text that lies beside Parquet files."""
    notes = notes_of(book)
    span = f", {iso(table.window.start)} to {iso(table.window.end)}" if table.window else ""
    width = max(len(column.name) for column in table.columns)
    lines = (
        notes["attribution"],
        notes["terms"],
        "",
        f"{table.what}: {rows} rows{span}, exported {notes['exported_at']} by {notes['program']}.",
        "",
        *(f"{column.name:{width}}  {column.meaning}" for column in table.columns),
        "",
        "All times are UTC, all money is US dollars; empty (null) means that the source does not",
        "know. An asset is its asset_id: symbols and names are shared and change.",
    )
    return "\n".join(lines) + "\n"
