"""CSV files as they come: marks, encodings, quotation marks, and what is refused by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from adopting import BTC, ETH, csv_rows, only, prices, snapshot_of
from coinlog.errors import UsageError
from coinlog.imports.csv_file import CsvOptions
from coinlog.imports.found import Refusal
from coinlog.imports.rows import Rows
from coinlog.market import Missing, Reason
from coinlog.sources.labels import Label
from samples import HOUR, SLOT, STEP

HEADER = "Name,Symbol,Price,Time\n"
TWO = "Bitcoin,BTC,34567.891,2026-01-26 18:00:05\nEthereum,ETH,2100.5,2026-01-26 18:00:06\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "precios.csv"


def places(rows: Rows) -> list[str]:
    return [refusal.place for refusal in rows.refusals.first]


def test_rows_of_a_slot_become_one_snapshot(path: Path) -> None:
    path.write_text(HEADER + TWO)
    with csv_rows(path) as rows:
        captured = only(rows)

    snapshot = snapshot_of(captured)
    assert prices(snapshot) == {1: 34567.891, 1027: 2100.5}
    assert (snapshot.observed_at, snapshot.missing) == (SLOT + 5, ())
    assert [quote.last_updated for quote in snapshot.quotes] == [SLOT + 5, SLOT + 6]
    assert {asset.slug for asset in snapshot.assets} == {"bitcoin", "eth"}
    assert rows.seen.keys() == {BTC, ETH}


def test_the_body_holds_every_cell_as_it_stood(path: Path) -> None:
    path.write_text("Name,Symbol,Price,Time,Nota\nBitcoin,BTC, 1.50 ,1769450405,=1+1\n")
    with csv_rows(path) as rows:
        body = only(rows).answers[0].body

    assert b'["Bitcoin","BTC"," 1.50 ","1769450405","=1+1"]' in body


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", HEADER + TWO),
        ("utf-8", "\ufeff" + HEADER + TWO),
        ("latin-1", HEADER.replace("Name", "Señal") + TWO),
        ("utf-16", HEADER + TWO),
    ],
)
def test_a_file_is_read_in_its_encoding(path: Path, encoding: str, text: str) -> None:
    path.write_bytes(text.encode(encoding))
    columns = "name=Señal" if "Señal" in text else ""
    with csv_rows(path, columns, CsvOptions(encoding=encoding)) as rows:
        assert len(snapshot_of(only(rows)).quotes) == 2


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (HEADER.replace("Name", "Señal").encode("latin-1"), "utf-8", "--encoding"),
        ((HEADER + TWO).encode("utf-16"), "utf-8", "utf-16"),
        (
            (HEADER + TWO).encode() + b"\xff\xfe,A,1,1769450405\n",
            "utf-8",
            "at line 1 or soon after",
        ),
        (b"", "utf-8", "is empty"),
        (b"\n\n", "utf-8", "is empty"),
        (HEADER.encode(), "klingon", "not known"),
        (b"\x1f\x8b\x08garbage", "utf-8", "gzip"),
        (gzip.compress((HEADER + TWO).encode(), mtime=0)[:-20], "utf-8", "cut off"),
        (b'Name,Price,Time\n"' + b"x" * 200_000, "utf-8", "from line 2 on"),
        (b"\x00\x01\x02\x03", "utf-8", "no column"),
        (b"Moneda;Valor\nBTC;1\n", "utf-8", "Moneda, Valor"),
        (b"price,Price,time,symbol\n", "utf-8", "price, Price could all be"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_what_to_do(
    path: Path, body: bytes, encoding: str, said: str
) -> None:
    path.write_bytes(body)
    with (
        pytest.raises(UsageError, match=said),
        csv_rows(path, options=CsvOptions(encoding=encoding)),
    ):
        pass


def test_a_gzipped_file_is_read_as_it_is(path: Path) -> None:
    path.write_bytes(gzip.compress((HEADER + TWO).encode()))
    with csv_rows(path) as rows:
        assert rows.count == 2


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_the_delimiter_and_the_decimal_comma_are_found(path: Path, mark: str) -> None:
    lines = ["Fecha;Moneda;Símbolo;Precio", "2026-01-26 18:00:05;Bitcoin;BTC;34.567,89"]
    lines.append("2026-01-26 18:00:05;Ethereum;ETH;1.234")
    path.write_text("\n".join(lines).replace(";", mark))
    with csv_rows(path, "name=Moneda") as rows:
        assert prices(snapshot_of(only(rows))) == {1: 34567.89, 1027: 1234.0}


def test_numbers_in_doubt_are_asked_about(path: Path) -> None:
    path.write_text(HEADER + 'Bitcoin,BTC,"34,567",2026-01-26 18:00:05\n')
    with pytest.raises(UsageError, match=r"'34,567' \(line 2\).*--decimal"), csv_rows(path):
        pass
    with csv_rows(path, options=CsvOptions(decimal=".")) as rows:
        assert prices(snapshot_of(only(rows))) == {1: 34567.0}
    with csv_rows(path, options=CsvOptions(decimal=",")) as rows:
        assert prices(snapshot_of(only(rows))) == {1: 34.567}


def test_numbers_written_in_two_ways_are_asked_about(path: Path) -> None:
    path.write_text(HEADER + TWO + 'Bitcoin,BTC,"0,5",2026-01-26 18:00:05\n')
    with pytest.raises(UsageError, match="two ways"), csv_rows(path):
        pass


def test_lines_are_refused_by_their_number(path: Path) -> None:
    lines = [
        '"Bit\ncoin",BTC,1.5,ayer',  # lines 2 and 3
        "Bitcoin,BTC,1.5,2026-01-26 18:00:05",
        "Bitcoin,BTC,1.5",
        "Bitcoin,BTC,1.5,2026-01-26 18:00:05,extra",
        "",
        ",,1.5,2026-01-26 18:00:05",
        "Bitcoin,BTC,1.5,ayer,,",
        "Bitcoin,BTC,1.5,2001-01-01",
        "Bitcoin,BTC,1.5,2031-01-01",
    ]
    path.write_text(HEADER + "\n".join(lines))
    with csv_rows(path) as rows:
        found = rows.refusals

    assert [int(refusal.place.split()[1]) for refusal in found.first] == [2, 5, 6, 8, 9, 10, 11]
    assert found.first[1] == Refusal("line 5", "it has 3 cells, expected 4")
    assert found.count == 7


@pytest.mark.parametrize(
    ("price", "why"),
    [
        ("-1.5", "-1.5 is refused"),
        ("nan", "no price"),
        ("", "no price"),
        ("=A1*2", "no number"),
        ("1e999", "double"),
    ],
)
def test_a_refused_price_makes_the_slot_partial(path: Path, price: str, why: str) -> None:
    path.write_text(HEADER + TWO + f"Ripple,XRP,{price},2026-01-26 18:00:05\n")
    with csv_rows(path) as rows:
        snapshot = snapshot_of(only(rows))

    (missing,) = snapshot.missing
    assert isinstance(missing, Missing)
    assert (missing.reason, len(snapshot.quotes)) == (Reason.REFUSED, 2)
    assert "line 4" in missing.detail
    assert why in missing.detail


def test_of_several_rows_the_first_good_one_after_the_slot_is_taken(path: Path) -> None:
    later = TWO.replace("18:00", "19:30").replace("34567.891", "1").replace("2100.5", "2")
    path.write_text(HEADER + later + TWO.replace("2100.5", "n.a.") + TWO[:42] + "\n")
    with csv_rows(path) as rows:
        snapshot = snapshot_of(only(rows))
        assert len(rows.slots()) == 1

    assert prices(snapshot) == {1: 34567.891, 1027: 2.0}
    assert snapshot.missing == ()
    assert any("more rows of this slot" in note for note in snapshot.notes)


@pytest.mark.parametrize(
    ("field", "cell", "why"),
    [
        ("percent_change_24h", "5%", "'5%' is no number with a decimal point"),
        ("volume_24h", "-1.5", "-1.5 is less than nothing"),
        ("max_supply", "1e999", "double"),
    ],
)
def test_a_field_that_cannot_be_read_costs_no_price(
    path: Path, field: str, cell: str, why: str
) -> None:
    path.write_text(
        f"asset_id,price,time,rank,{field}\n1,1.5,1769450405,1,{cell}\n2,2.5,1769450405,2,0.5\n"
    )
    with csv_rows(path) as rows:
        snapshot = snapshot_of(only(rows), {})

    assert (prices(snapshot), snapshot.missing) == ({1: 1.5, 2: 2.5}, ())
    assert [getattr(quote, field) for quote in snapshot.quotes] == [None, 0.5]
    assert [quote.rank for quote in snapshot.quotes] == [1, 2]
    (note,) = snapshot.notes
    assert note.startswith(f"{field} was left out of 1 line (line 2: ")
    assert why in note


def test_a_negative_change_is_a_number_like_any_other(path: Path) -> None:
    path.write_text("asset_id,price,time,percent_change_24h\n1,1.5,1769450405,-4.5\n")
    with csv_rows(path) as rows:
        (quote,) = snapshot_of(only(rows), {}).quotes

    assert quote.percent_change_24h == -4.5


EXPORT = "slot,observed_at,asset_id,symbol,name,slug,price,last_updated,origin,resolution,source\n"
SERIES = "slot,observed_at,asset_id,symbol,name,price,origin,attribution\n"


def exported(heading: str, origin: str = "observed", whose: str = "coinmarketcap") -> str:
    """Return a file as ``coinlog export`` or the API writes it, with one row."""
    slug = "bitcoin," if "slug" in heading.split(",") else ""
    updated = "2026-01-26T18:00:00Z," if "last_updated" in heading else ""
    kept = "21600," if "resolution" in heading else ""
    row = f"2026-01-26T18:00:00Z,2026-01-26T18:00:12Z,1,BTC,Bitcoin,{slug}16.500,{updated}"
    return f"{heading}{row}{origin},{kept}{whose}\n"


@pytest.mark.parametrize("heading", [EXPORT, SERIES])
def test_an_export_of_ours_is_read_as_it_is(path: Path, heading: str) -> None:
    path.write_text(exported(heading))
    with csv_rows(path) as rows:
        snapshot = snapshot_of(only(rows), {})
        assert {label.id for label in rows.seen} == {1}

    assert (prices(snapshot), snapshot.observed_at) == ({1: 16.5}, SLOT + 12)


def test_an_export_that_a_spreadsheet_wrote_anew_is_weighed_as_any_file(path: Path) -> None:
    path.write_text(exported(EXPORT).replace(",", ";"))
    with pytest.raises(UsageError, match="--decimal"), csv_rows(path):
        pass
    with csv_rows(path, options=CsvOptions(decimal=",")) as rows:
        assert prices(snapshot_of(only(rows), {})) == {1: 16500.0}


@pytest.mark.parametrize("heading", [EXPORT, SERIES])
def test_a_made_up_market_is_never_imported(path: Path, heading: str) -> None:
    path.write_text(exported(heading, whose='"SIMULATED, not CoinMarketCap"'))
    with pytest.raises(UsageError, match="simulated market"), csv_rows(path):
        pass


def test_a_column_source_is_looked_at_in_any_file(path: Path) -> None:
    path.write_text("Source,symbol,price,time\nSIMULATED,BTC,1.5,1769450405\n")
    with pytest.raises(UsageError, match="SIMULATED"), csv_rows(path):
        pass


@pytest.mark.parametrize("heading", [EXPORT, SERIES])
def test_what_was_not_observed_is_left_out(path: Path, heading: str) -> None:
    path.write_text(exported(heading, origin="backfilled"))
    with csv_rows(path) as rows:
        assert list(rows.slots()) == []
        (refusal,) = rows.refusals.first

    assert refusal.place == "line 2"
    assert "backfilled and not observed" in refusal.why


def test_another_header_is_not_taken_for_an_export(path: Path) -> None:
    path.write_text(exported(EXPORT).replace("slug", "slugs"))
    with pytest.raises(UsageError, match="no column is called as the time"), csv_rows(path):
        pass


def test_a_shorter_interval_makes_more_slots(path: Path) -> None:
    path.write_text(HEADER + TWO + TWO.replace("18:00", "19:30"))
    with csv_rows(path, interval=HOUR) as rows:
        assert rows.slots() == [SLOT, SLOT + HOUR]
        assert rows.span() == (SLOT + 5, SLOT + 5400 + 6)


def test_a_column_of_ids_needs_no_symbols(path: Path) -> None:
    path.write_text(
        "asset_id,price,rank,volume_24h,time\n1,1.5,1,,1769450405000\nx,1,1,1,1769450405\n"
    )
    with csv_rows(path) as rows:
        snapshot = snapshot_of(only(rows), {})
        assert places(rows) == ["line 3"]

    (quote,) = snapshot.quotes
    assert (quote.asset_id, quote.price, quote.rank, quote.volume_24h) == (1, 1.5, 1, None)


def test_a_column_called_id_is_not_taken_for_the_assets(path: Path) -> None:
    path.write_text("id,symbol,name,price,time\n7,BTC,Bitcoin,1.5,1769450405\n")
    with csv_rows(path) as rows:
        assert rows.seen.keys() == {BTC}
    with csv_rows(path, "id=id") as rows:
        assert rows.seen.keys() == {Label("BTC", "Bitcoin", "", 7)}


def test_slots_are_cut_where_the_interval_says(path: Path) -> None:
    path.write_text(HEADER + TWO.replace("26 18:00", "26 17:59") + TWO)
    with csv_rows(path) as rows:
        assert rows.slots() == [SLOT - STEP, SLOT]
