"""What is exported equals the store, to the last bit, and appears whole or not at all."""

from __future__ import annotations

import csv
import gzip
import re
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.errors import CoinlogError, UsageError
from coinlog.export.carrying_out import Delivery, export
from coinlog.export.columns import KINDS, MEANINGS
from coinlog.export.opening import Request
from coinlog.export.parquet import arrow
from coinlog.export.tables import months
from coinlog.loading import sweep
from coinlog.market import SourceKind
from coinlog.notice import safe_cell
from coinlog.slots import DAY, iso, parse_time
from coinlog.store import schema, stretches
from coinlog.store.engine import open_engine
from coinlog.store.writer import settle
from coinlog.timeline import Window
from exports import HOSTILE, OLD, ask_duckdb, bits, duckdb_quotes, exported, fill, stored_quotes
from market import Desk
from recorded import Polls, poll_body, put_poll
from samples import SLOT, STEP, settlement, snapshot

DOCS = Path(__file__).resolve().parents[2] / "docs" / "export.md"


@pytest.fixture
def filled(store_url: sa.URL) -> sa.URL:
    fill(store_url)
    return store_url


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def read_lines(path: Path) -> list[dict[str, Any]]:
    return msgspec.json.Decoder(dict[str, Any]).decode_lines(path.read_bytes())


def test_parquet_read_by_duckdb_equals_the_store_to_the_last_bit(filled: sa.URL) -> None:
    done = exported(filled, destination="history", format="parquet")

    folder = Path("history/quotes")
    assert duckdb_quotes(folder) == stored_quotes(filled)
    assert (done.rows, done.files) == (65, 3)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"month={month}" for month in ("2025-12", "2026-01", "2026-02")
    ]


@pytest.mark.shared
def test_parquet_of_ten_real_polls_equals_the_store_to_the_last_bit(
    store_url: sa.URL, tmp_path: Path, real_polls: Polls
) -> None:
    with CMCServer() as server:
        desk = Desk(store_url, tmp_path, server.url)
    for taken_at, rows in real_polls.items():
        put_poll(desk.archive, taken_at, poll_body(taken_at, rows))
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    desk.engine.dispose()

    exported(store_url, destination="history", format="parquet")

    found = duckdb_quotes(Path("history/quotes"))
    assert len(found) == sum(map(len, real_polls.values())) > 4_900
    assert found == stored_quotes(store_url)


def test_the_queries_in_the_docs_run_and_give_what_the_store_has(filled: sa.URL) -> None:
    exported(filled, destination="history", format="parquet")
    first, second = re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

    _, rows = ask_duckdb(first)

    quote = schema.quote.c
    query = sa.select(quote.slot, quote.price, quote.market_cap).where(quote.asset_id == 1)
    engine = open_engine(filled, read_only=True)
    with engine.connect() as connection:
        wanted = [tuple(map(bits, row)) for row in connection.execute(query.order_by(quote.slot))]
    engine.dispose()
    assert [(int(slot.timestamp()), *map(bits, rest)) for slot, *rest in rows] == wanted
    assert [row[1:5:3] for row in ask_duckdb(second)[1]] == [("2026-01", 3), ("2026-02", 1)]


def test_csv_and_json_lines_read_back_equal(filled: sa.URL) -> None:
    for name in ("quotes.csv", "quotes.jsonl"):
        exported(filled, destination=name)

    cells, lines = read_csv(Path("quotes.csv")), read_lines(Path("quotes.jsonl"))

    names = list(schema.quote.c.keys())
    wanted = [dict(zip(names, row, strict=True)) for row in stored_quotes(filled)]
    for cell, line, row in zip(cells, lines, wanted, strict=True):
        for name, value in row.items():
            seconds = name in {"slot", "last_updated"}
            told = parse_time(line[name]) if seconds and line[name] else line[name]
            assert bits(told) == value
            written = line[name] if not isinstance(line[name], float) else repr(line[name])
            assert cell[name] == ("" if line[name] is None else str(written))


def test_names_are_those_of_the_slot_and_safe_for_spreadsheets(filled: sa.URL) -> None:
    for name in ("quotes.csv", "quotes.jsonl"):
        exported(filled, destination=name)

    cells, lines = read_csv(Path("quotes.csv")), read_lines(Path("quotes.jsonl"))

    for cell, line in zip(cells, lines, strict=True):
        name = HOSTILE[line["asset_id"] - 1]
        renamed = parse_time(line["slot"]) >= SLOT + 20 * STEP
        assert line["name"] == (f"New {name}" if renamed else name)
        assert cell["name"] == safe_cell(line["name"])
        assert cell["symbol"] == safe_cell(line["symbol"])
        assert not cell["symbol"].startswith(("=", "+", "-", "@"))


def test_a_backfilled_quote_was_observed_at_its_own_time(filled: sa.URL) -> None:
    exported(filled, Request(assets="id:3"), destination="-3.jsonl")

    told = [
        (line["slot"], line["observed_at"], line["origin"]) for line in read_lines(Path("-3.jsonl"))
    ]

    assert told[0] == (iso(OLD), iso(OLD + 61), "backfilled")
    assert told[1] == (iso(SLOT), iso(SLOT + 12), "observed")


def test_a_part_can_be_asked_for(filled: sa.URL) -> None:
    asked = Request(
        assets="id:2,1", start=iso(SLOT + STEP), end=iso(SLOT + 20 * STEP), fields="rank"
    )
    exported(filled, asked, destination="part.jsonl.gz")

    lines = msgspec.json.Decoder(dict[str, Any]).decode_lines(
        gzip.decompress(Path("part.jsonl.gz").read_bytes())
    )

    told = [(line["asset_id"], parse_time(line["slot"])) for line in lines]
    assert told == [(one, SLOT + step * STEP) for one in (1, 2) for step in (1, 20)]
    assert [*lines[0]][6:] == ["rank", "origin", "resolution", "source"]


def test_all_tables_can_be_exported_in_all_formats(filled: sa.URL) -> None:
    counts = {"latest": 16, "log": None, "global-metrics": 1, "assets": 16}
    for what, rows in counts.items():
        asked = Request(what=what)
        exported(filled, asked, destination=f"{what}.csv")
        exported(filled, asked, destination=f"{what}.jsonl")
        done = exported(filled, asked, destination="all", format="parquet")

        lines = read_lines(Path(f"{what}.jsonl"))
        assert done.rows == len(lines) == len(read_csv(Path(f"{what}.csv")))
        assert rows in {None, len(lines)}
        names, _ = ask_duckdb(f"SELECT * FROM 'all/{what}/*.parquet'")  # noqa: S608  our own names
        assert names == [*lines[0]]
        assert Path(f"all/README-{what}.txt").is_file()
    log = read_lines(Path("log.jsonl"))
    assert {line["outcome"] for line in log} == {"stored", "missed"}
    assert [line["slot"] for line in log] == sorted((line["slot"] for line in log), reverse=True)


def test_long_series_are_read_in_pieces_without_loss(
    filled: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "ROWS", 3)
    monkeypatch.setattr(stretches, "ASSETS", 2)
    exported(filled, destination="history", format="parquet")

    assert duckdb_quotes(Path("history/quotes")) == stored_quotes(filled)


def test_rows_are_sorted_and_groups_say_what_they_hold(filled: sa.URL) -> None:
    exported(filled, destination="history", format="parquet")
    file = arrow().parquet.ParquetFile("history/quotes/month=2026-01/part-0.parquet")

    group = file.metadata.row_group(0)
    asset = next(
        group.column(at) for at in range(24) if group.column(at).path_in_schema == "asset_id"
    )
    assert (asset.statistics.min, asset.statistics.max, asset.compression) == (1, 16, "ZSTD")
    assert len(group.sorting_columns) == 2
    ids = file.read(["asset_id"]).column(0).to_pylist()
    assert ids == sorted(ids)


def test_whose_data_it_is_goes_with_parquet(filled: sa.URL) -> None:
    exported(filled, destination="history", format="parquet")

    metadata = arrow().parquet.read_schema("history/quotes/month=2026-01/part-0.parquet").metadata
    readme = Path("history/README-quotes.txt").read_text(encoding="utf-8")
    assert metadata[b"attribution"] == b"Data: CoinMarketCap, https://coinmarketcap.com"
    assert b"redistributing" in metadata[b"terms"]
    for text in ("Data: CoinMarketCap", "redistributing", "quotes: 65 rows", "market_cap"):
        assert text in readme


@pytest.mark.parametrize("name", ["x.parquet", "x.json", "x", "x.csv.zip"])
def test_a_name_that_does_not_say_the_format_is_refused(filled: sa.URL, name: str) -> None:
    with pytest.raises(UsageError, match=r"in which format: .* --format parquet"):
        exported(filled, destination=name)

    assert not Path(name).exists()


def test_names_say_the_format_whatever_their_case(filled: sa.URL) -> None:
    exported(filled, destination="X.CSV.GZ")

    assert gzip.decompress(Path("X.CSV.GZ").read_bytes()).startswith(b"slot,")


def test_a_made_up_market_never_passes_for_the_real_one(store_url: sa.URL) -> None:
    fill(store_url, SourceKind.SIMULATED)

    with pytest.raises(UsageError, match=r"SIMULATED-quotes\.csv"):
        exported(store_url, destination="quotes.csv")
    done = [exported(store_url, format=one) for one in ("csv", "jsonl", "parquet")]

    assert [one.destination.startswith("SIMULATED-") for one in done] == [True] * 3
    assert {row["source"] for row in read_csv(Path(done[0].destination))} == {"SIMULATED"}
    assert {row["source"] for row in read_lines(Path(done[1].destination))} == {"SIMULATED"}
    files = list(Path(done[2].destination).rglob("*.parquet"))
    assert {path.name for path in files} == {"SIMULATED-part-0.parquet"}
    metadata = arrow().parquet.read_schema(files[0]).metadata
    assert metadata[b"simulated"] == b"true"
    assert metadata[b"attribution"].startswith(b"SIMULATED")
    assert b"SIMULATED" in Path("SIMULATED-coinlog-export/README-quotes.txt").read_bytes()


@pytest.mark.parametrize(
    "delivery",
    [
        {"destination": "x.csv"},
        {"destination": "x.jsonl.gz"},
        {"destination": "x", "format": "parquet"},
    ],
)
def test_an_export_that_is_stopped_leaves_nothing_behind(
    filled: sa.URL, delivery: dict[str, Any]
) -> None:
    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(filled, Request(), Delivery(**delivery), time.time(), lambda *_: nullcontext(stop))

    left = [path for path in Path().rglob("*") if "x" in path.name and path.is_file()]
    assert left == []
    assert not Path("x/quotes").exists()


def test_what_is_there_is_replaced_only_when_told_to(filled: sa.URL) -> None:
    deliveries: list[dict[str, Any]] = [
        {"destination": "q.csv"},
        {"destination": "q", "format": "parquet"},
    ]
    for delivery in deliveries:
        exported(filled, **delivery)
        with pytest.raises(UsageError, match="--overwrite"):
            exported(filled, Request(assets="id:1"), **delivery)
        assert exported(filled, Request(assets="id:1"), **delivery, overwrite=True).rows == 4

    assert len(read_csv(Path("q.csv"))) == 4
    assert len(duckdb_quotes(Path("q/quotes"))) == 4


def test_an_export_shows_one_moment_of_the_store(filled: sa.URL) -> None:
    engine = open_engine(filled)

    def record_another(_done: int) -> None:
        slot = SLOT + 31 * STEP
        settle(engine, settlement(slot, found=snapshot(range(1, 17))), slot + 20)

    before = stored_quotes(filled)
    watch = nullcontext(record_another)
    export(
        filled,
        Request(),
        Delivery(destination="h", format="parquet"),
        time.time(),
        lambda *_: watch,
    )
    engine.dispose()

    assert duckdb_quotes(Path("h/quotes")) == before
    assert len(stored_quotes(filled)) == len(before) + 16


def test_an_empty_store_and_an_empty_stretch_say_so(store_url: sa.URL, filled: sa.URL) -> None:
    asked = Request(end=iso(OLD - DAY))

    with pytest.raises(CoinlogError, match="nothing to export"):
        exported(store_url, asked, destination="none", format="parquet")
    assert exported(filled, asked, destination="none.csv").rows == 0
    assert len(Path("none.csv").read_text(encoding="utf-8").splitlines()) == 1


def test_months_are_those_of_the_calendar() -> None:
    window = Window(parse_time("2025-12-31T18:00:00Z"), parse_time("2026-02-01T00:00:00Z"))

    found = list(months(window))

    assert [name for name, _ in found] == ["2025-12", "2026-01", "2026-02"]
    assert found[0][1].end + 1 == found[1][1].start == parse_time("2026-01-01")
    assert found[-1][1] == Window(window.end, window.end)


def test_every_column_says_what_it_means() -> None:
    assert KINDS.keys() == MEANINGS.keys()
