"""What people have: made-up tables, files and saved answers, read as an import reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coinlog.imports.adopting import Plan, adopt, plan
from coinlog.imports.columns import parse_columns
from coinlog.imports.csv_file import CsvOptions, open_csv
from coinlog.imports.found import Captured, Found
from coinlog.imports.rows import Rows
from coinlog.imports.saved import SavedAnswers, SavedOptions, open_files
from coinlog.imports.standing import standing
from coinlog.imports.times import Clock, open_zone
from coinlog.market import Asset, Snapshot, SourceKind
from coinlog.slots import parse_time
from coinlog.sources.imported import read_imported
from coinlog.sources.labels import Label
from market import Desk, encoded
from samples import SLOT, STEP

BEFORE = SLOT + 10 * STEP
BTC, ETH = Label("BTC", "Bitcoin"), Label("ETH", "Ethereum")
MATCHES = {BTC: Asset(1, "Bitcoin", "BTC", "bitcoin"), ETH: Asset(1027, "Ethereum", "ETH", "eth")}


def clock(zone: str = "UTC", form: str | None = None) -> Clock:
    return Clock(open_zone(zone), BEFORE, form)


@contextmanager
def csv_rows(
    path: Path, columns: str = "", options: CsvOptions | None = None, interval: int = STEP
) -> Iterator[Rows]:
    """Read a CSV file to its end."""
    given = parse_columns([columns] if columns else [])
    with open_csv(str(path), options or CsvOptions(), given) as sheet:
        rows = Rows(sheet, clock(), interval)
        with rows:
            rows.read(lambda _: None)
            yield rows


def saved_answers(path: Path, **options: Any) -> SavedAnswers:  # noqa: ANN401  of SavedOptions
    """Look at every answer in a folder, a zip or a file."""
    form = options.pop("form", None)
    usual = {
        "interval_seconds": STEP,
        "body_limit_bytes": 50_000_000,
        "source": SourceKind.COINMARKETCAP,
    }
    found = SavedAnswers(open_files(path), clock(form=form), SavedOptions(**{**usual, **options}))
    found.read(found.names(), lambda _: None)
    return found


def only(found: Found) -> Captured:
    """Return the one capture that was found."""
    (captured,) = (each for slot in found.slots() for each in found.captured(slot))
    return captured


def snapshot_of(captured: Captured, matches: Mapping[Label, Asset] = MATCHES) -> Snapshot:
    """Return the market that a capture tells."""
    return read_imported(captured.with_matches(matches))


def prices(snapshot: Snapshot) -> dict[int, float]:
    return {quote.asset_id: quote.price for quote in snapshot.quotes}


def plan_all(
    desk: Desk, found: Found, matches: Mapping[Label, Asset] = MATCHES, interval: int = STEP
) -> Plan:
    """Plan the import of everything that was found."""
    there = standing(desk.archive, desk.engine, found.slots(), interval)
    return plan(found, matches, there, lambda _: None)


def adopt_all(
    desk: Desk, found: Found, matches: Mapping[Label, Asset] = MATCHES, interval: int = STEP
) -> list[str]:
    """Write everything that was found into the archive; return the new attempts' names."""
    planned = plan_all(desk, found, matches, interval)
    return [key.attempt for key in adopt(desk.archive, found, matches, planned, interval)]


def first_ticker(told_at: int, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return an answer of the retired ``/v1/ticker/``: all of its numbers are strings."""
    usual = {
        "rank": "1",
        "price_btc": "1.0",
        "24h_volume_usd": "9007640000.0",
        "market_cap_usd": "130301405637",
        "available_supply": "16823137.0",
        "total_supply": "16823137.0",
        "max_supply": "21000000.0",
        "percent_change_1h": "0.05",
        "percent_change_24h": "-8.05",
        "percent_change_7d": None,
        "last_updated": str(told_at),
    }
    return encoded([{**usual, **row} for row in rows])


def second_ticker(told_at: int, prices_by_id: Mapping[int, float | None]) -> bytes:
    """Return an answer of the retired ``/v2/ticker/``: a dict by id."""
    data = {
        str(asset_id): {
            "id": asset_id,
            "name": f"Asset {asset_id}",
            "symbol": f"A{asset_id}",
            "website_slug": f"asset-{asset_id}",
            "rank": 1,
            "circulating_supply": 17008162.0,
            "total_supply": 17008162.0,
            "max_supply": None,
            "quotes": {"USD": {"price": price, "volume_24h": 5.0, "percent_change_1h": -2.31}},
            "last_updated": told_at,
        }
        for asset_id, price in prices_by_id.items()
    }
    return encoded({"data": data, "metadata": {"timestamp": told_at, "error": None}})


def at(text: str) -> int:
    return parse_time(text)
