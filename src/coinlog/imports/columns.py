"""Which column of a table is what: found by its name, or as the user says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coinlog.errors import UsageError
from coinlog.market import QUOTE_FIELDS
from coinlog.sources.table import AMOUNTS, FIELDS
from coinlog.sources.texts import one_line

# A column called ``id`` is the row's own number more often than the asset's: it is not guessed.
_NAMES = {
    "time": ("time", "timestamp", "fecha", "date", "datetime", "fecha_hora", "snapshot_utc"),
    "symbol": ("symbol", "simbolo", "símbolo", "ticker"),
    "name": ("name", "nombre"),
    "slug": ("slug",),
    "id": ("asset_id", "cmc_id", "coinmarketcap_id"),
    "price": ("price", "precio", "price_usd"),
    "market_cap": ("market_cap", "marketcap", "market_cap_usd"),
    "volume_24h": ("volume_24h", "24h_volume_usd"),
    "rank": ("rank", "cmc_rank"),
}
_WHO = ("symbol", "name", "slug", "id")
_COLUMNS_SHOWN = 30

# What stands before and behind the fields in an export of quotes, and in a series from the API.
_EXPORTS = (
    (
        ("slot", "observed_at", "asset_id", "symbol", "name", "slug"),
        ("origin", "resolution", "source"),
    ),
    (("slot", "observed_at", "asset_id", "symbol", "name"), ("origin", "attribution")),
)


def parse_columns(given: Iterable[str]) -> dict[str, str]:
    """Return ``price=Precio,time=Fecha`` as a dict; an empty name leaves a field out.

    Raises:
        UsageError: it is written otherwise, or names a field that a quote does not have.
    """
    columns: dict[str, str] = {}
    for part in (part for text in given for part in text.split(",")):
        field, equals, name = part.strip().partition("=")
        if not equals or field not in FIELDS:
            raise UsageError(
                f"--columns {part[:60]!r} cannot be used: expected FIELD=COLUMN, for example "
                f"price=Precio,time=Fecha; fields are {', '.join(FIELDS)}"
            )
        columns[field] = name.strip()
    return columns


def map_columns(header: Sequence[str], given: dict[str, str]) -> dict[str, str]:
    """Return which column each field is.

    Raises:
        UsageError: one is not there, there twice, or a time, a price or an asset is lacking.
    """
    if is_export(header):
        given = {"time": "observed_at", **given}
    columns = {field: name for field, name in given.items() if name}
    for name in columns.values():
        if header.count(name) != 1:
            many = "is there twice" if name in header else "is not there"
            raise UsageError(f"the column {name[:60]!r} of --columns {many}: {_seen(header)}")
    for field in FIELDS:
        if field not in given and (found := _find(header, field, columns)):
            columns[field] = found
    lacking = [field for field in ("time", "price") if field not in columns]
    if not set(_WHO) & columns.keys():
        lacking.append("symbol")
    if lacking:
        example = ",".join(f"{field}=COLUMN" for field in lacking)
        raise UsageError(
            f"no column is called as the {' or the '.join(lacking)} usually is: {_seen(header)}; "
            f"say which one it is, for example --columns {example}"
        )
    return columns


def is_export(header: Sequence[str]) -> bool:
    """Return whether columns are exactly those of coinlog's own CSV."""
    names = tuple(header)
    return any(
        names == (*before, *fields, *behind) and set(fields) <= set(QUOTE_FIELDS)
        for before, behind in _EXPORTS
        if (fields := names[len(before) : len(names) - len(behind)])
    )


def can_map(header: Sequence[str], given: dict[str, str]) -> bool:
    """Return whether a table with these columns can be imported."""
    try:
        map_columns(header, given)
    except UsageError:
        return False
    return True


def _find(header: Sequence[str], field: str, taken: dict[str, str]) -> str | None:
    """Return the one column that is called as a field usually is.

    Raises:
        UsageError: there are several.
    """
    names = _NAMES.get(field, (field,) if field in (*AMOUNTS, "last_updated") else ())
    free = [column for column in header if column not in taken.values()]
    found = [column for column in free if _plain(column) in names]
    if len(found) > 1:
        raise UsageError(
            f"the columns {', '.join(map(_short, found))} could all be the {field}: say which one "
            f"is, for example --columns {field}={found[0]}"
        )
    return found[0] if found else None


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _seen(header: Sequence[str]) -> str:
    more = "…" if len(header) > _COLUMNS_SHOWN else ""
    return f"the columns are {', '.join(map(_short, header[:_COLUMNS_SHOWN]))}{more}"


def _short(name: str) -> str:
    return one_line(name, 40)
