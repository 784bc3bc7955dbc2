"""``import coinlog``: frames that hold what the store holds, and no guess about who is meant."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from time_machine import travel

import coinlog
from coinlog import extras
from coinlog.errors import (
    CoinlogError,
    MissingPackageError,
    SchemaError,
    StoreUnavailableError,
    UsageError,
)
from coinlog.library import Logbook
from coinlog.market import Asset, Snapshot, SourceKind
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.writer import settle
from exports import fill
from samples import SLOT, STEP, quote, settlement
from stores import opened

CALLED = (
    (1, "Bitcoin", "BTC", "bitcoin"),
    (2, "Solana", "SOL", "solana"),
    (3, "Solana Fork", "SOL", "solana-fork"),
    (4, "Harry", "BITCOIN", "harry"),
    (5, "Twin", "TWN", "twin-one"),
    (6, "Twin", "TW2", "twin-two"),
    (7, "Élan", "ÉL", "elan"),
)
HEAVY = ("pandas", "numpy", "pyarrow", "sqlalchemy", "msgspec", "litestar", "coinlog.library")


def address(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture
def log(store_url: sa.URL) -> Logbook:
    """Return a logbook with a missed slot, and with several who share what they are called."""
    assets = tuple(Asset(*one) for one in CALLED)
    with opened(store_url) as engine:
        for number, price in ((0, 0.1 + 0.2), (1, 1e-19), (3, 2.9e24)):
            slot = SLOT + number * STEP
            quotes = tuple(quote(one.id, price, rank=10 - one.id) for one in assets)
            found = Snapshot(slot + 12, SourceKind.COINMARKETCAP, assets, quotes)
            settle(engine, settlement(slot, found=found), slot + 20)
    return coinlog.open(address(store_url))


def test_three_lines_give_a_series_with_its_gaps(log: Logbook) -> None:
    frame = log.series("bitcoin", "all", fields=["price", "market_cap", "rank"])

    slots = [SLOT, SLOT + STEP, SLOT + 3 * STEP]
    assert frame["price"].tolist() == [0.1 + 0.2, 1e-19, 2.9e24]
    assert frame["market_cap"].isna().all()
    assert frame["rank"].tolist() == [9, 9, 9]
    assert [moment.timestamp() for moment in frame.index] == slots
    assert [moment.timestamp() for moment in frame["observed_at"]] == [slot + 12 for slot in slots]
    assert (str(frame.index.dtype)[-4:], frame.index.name) == ("UTC]", "slot")
    first = {"from": iso(SLOT + 2 * STEP), "to": iso(SLOT + 3 * STEP), "reason": "missed"}
    assert frame.attrs["gaps"][0] == first
    assert frame.attrs["asset"]["id"] == 1
    assert frame.attrs["currency"] == "USD"
    assert frame.attrs["attribution"].startswith("Data: CoinMarketCap")
    assert frame.attrs["simulated"] is False


@pytest.mark.parametrize(
    ("wanted", "asset_id"),
    [
        *((1, 1), ("1", 1), ("bitcoin", 1), ("BTC", 1), ("btc", 1), ("Bitcoin Fork", None)),
        *(("Solana", 2), ("solana-fork", 3), ("harry", 4), ("twin-two", 6), ("élan", 7)),
        *(("", None), ("%", None), (99, None), ("'; DROP TABLE asset; --", None), (" solana ", 2)),
    ],
)
def test_an_asset_is_named_by_id_slug_or_what_it_alone_is_called(
    log: Logbook, wanted: int | str, asset_id: int | None
) -> None:
    if asset_id is None:
        with pytest.raises(UsageError, match="no asset is called"):
            log.series(wanted, "all")
    else:
        assert log.series(wanted, "all").attrs["asset"]["id"] == asset_id


@pytest.mark.parametrize(
    ("wanted", "candidates"),
    [
        ("SOL", ("2 Solana (slug solana", "3 Solana Fork")),
        ("Twin", ("5 Twin", "6 Twin")),
        ("BITCOIN", ("1 Bitcoin (slug bitcoin, rank 9)", "4 Harry (slug harry, rank 6)")),
    ],
)
def test_what_several_are_called_is_refused_with_the_candidates(
    log: Logbook, wanted: str, candidates: tuple[str, str]
) -> None:
    with pytest.raises(UsageError) as refused:
        log.series(wanted, "all")

    assert "2 assets are called" in str(refused.value)
    assert all(candidate in str(refused.value) for candidate in candidates)


def test_an_id_is_any_whole_number_and_nothing_else(log: Logbook) -> None:
    first = log.latest().index[0]

    assert log.series(first, "all").equals(log.series(int(first), "all"))
    for wrong in (1.0, None, 10**30, -1, 0, b"1"):
        with pytest.raises(UsageError, match="expected an id"):
            log.series(wrong, "all")  # type: ignore[arg-type]  # as people do


def test_one_field_may_be_a_text(log: Logbook) -> None:
    assert "price" in log.series(1, "all", fields="price")


def test_a_stretch_can_be_given_by_its_ends(log: Logbook) -> None:
    moment = datetime.fromtimestamp(SLOT + STEP, UTC)

    for start in (moment, pd.Timestamp(moment), iso(SLOT + STEP), SLOT + STEP):
        frame = log.series(1, start=start, end=SLOT + 2 * STEP)
        assert frame["price"].tolist() == [1e-19]
    with pytest.raises(UsageError, match="exclude each other"):
        log.series(1, "1y", start=moment)
    assert log.series(1, end=SLOT - 1).empty


def test_candles_are_those_of_the_prices(log: Logbook) -> None:
    frame = log.candles("bitcoin", "all", "1d")

    prices = log.series("bitcoin", "all")["price"]
    wanted = prices.resample("1D").ohlc()
    assert frame[["open", "high", "low", "close"]].to_numpy().tolist() == wanted.to_numpy().tolist()
    assert frame["points"].tolist() == prices.resample("1D").size().tolist()
    with pytest.raises(UsageError, match="1mo"):
        log.candles("bitcoin", "all", "5d")


def test_the_other_tables_are_frames_too(log: Logbook) -> None:
    with travel(SLOT + 3 * STEP + 60, tick=False):
        ledger = log.log("all")

    assert ledger["outcome"].tolist() == ["stored", "stored", "missed", "stored"]
    assert ledger["observed_at"].isna().tolist() == [False, False, True, False]
    assert log.latest()["price"].to_dict() == dict.fromkeys(range(1, 8), 2.9e24)
    assert log.assets().loc[7, "name"] == "Élan"
    assert log.global_metrics("all").empty


def test_a_frame_can_be_kept_as_parquet_with_all_that_goes_with_it(log: Logbook) -> None:
    frame = log.series("bitcoin", "all")
    frame.to_parquet("frame.parquet")

    again = pd.read_parquet("frame.parquet")

    assert again.attrs == frame.attrs == json.loads(json.dumps(frame.attrs))
    pd.testing.assert_frame_equal(again, frame)


def test_hostile_names_stay_as_they_are(store_url: sa.URL) -> None:
    fill(store_url, SourceKind.SIMULATED)
    log = coinlog.open(address(store_url))

    assert log.series('New =HYPERLINK("http://x")', "all").attrs["asset"]["id"] == 1
    assert log.series(1, "all").attrs["simulated"] is True
    assert log.latest().attrs["attribution"].startswith("SIMULATED")
    assert set(log.latest()["source"]) == {"SIMULATED"}


def test_opened_without_an_address_it_is_the_store_of_the_settings(
    own_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sa.URL.create("sqlite", database=str(own_world / "data" / "coinlog.db")))
    fill(
        sa.URL.create("sqlite", database=str(own_world / "data" / "simulated" / "coinlog.db")),
        SourceKind.SIMULATED,
    )

    assert coinlog.open().assets().attrs["simulated"] is False
    assert coinlog.open(simulated=True).assets().attrs["simulated"] is True
    with pytest.raises(UsageError, match="one of them"):
        coinlog.open("sqlite:///x.db", simulated=True)
    monkeypatch.setenv("COINLOG_ASSET", "1")
    with pytest.warns(UserWarning, match="did you mean"):
        coinlog.open()


def test_what_is_wrong_with_a_store_shows_when_it_is_opened(bare_url: sa.URL) -> None:
    with pytest.raises(StoreUnavailableError, match="no database at"):
        coinlog.open("sqlite:///nowhere.db")
    assert not Path("nowhere.db").exists()
    with pytest.raises(UsageError, match=r"sqlite:///file\.db"):
        coinlog.open("postgresql://u:secret@h/d")
    if bare_url.get_backend_name() == "mysql":
        with pytest.raises(SchemaError, match="no tables yet: `coinlog load`"):
            coinlog.open(address(bare_url))


def test_it_cannot_write_and_shows_no_password(log: Logbook, store_url: sa.URL) -> None:
    before = schema_rows(store_url)

    log.latest()

    assert schema_rows(store_url) == before
    assert store_url.password is None or store_url.password not in repr(log)


def schema_rows(url: sa.URL) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        version = connection.execute(sa.select(schema.store.c.version)).scalar_one()
    engine.dispose()
    return int(version)


def test_an_empty_store_gives_empty_frames(store_url: sa.URL) -> None:
    log = coinlog.open(address(store_url))

    assert [
        len(frame) for frame in (log.latest(), log.assets(), log.log(), log.global_metrics())
    ] == [0] * 4
    with pytest.raises(UsageError, match="no asset"):
        log.series("bitcoin")


def test_without_pandas_the_remedy_is_named(log: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(MissingPackageError, match="make data"):
        log.series("bitcoin", "all")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CoinlogError, match=r"coinlog\[data\]"):
        extras.load("pyarrow", "parquet")


def test_importing_it_loads_nothing_heavy() -> None:
    script = f"import sys, coinlog; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_the_page_and_the_recorder_load_no_data_frames() -> None:
    script = (
        "import sys, coinlog.cli.main, coinlog.web.app\n"
        "print([name for name in ('pandas', 'numpy', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_the_examples_in_the_docs_run(own_world: Path) -> None:
    url = sa.URL.create("sqlite", database=str(own_world / "data" / "coinlog.db"))
    with opened(url) as engine:
        called = ((1, "Bitcoin", "BTC", "bitcoin"), (1027, "Ethereum", "ETH", "ethereum"))
        for number in (0, 1, 3):
            quotes = tuple(quote(one[0]) for one in called)
            assets = tuple(Asset(*one) for one in called)
            found = Snapshot(SLOT + 12, SourceKind.COINMARKETCAP, assets, quotes)
            settle(engine, settlement(SLOT + number * STEP, found=found), SLOT + 20)
    page = Path(__file__).resolve().parents[2] / "docs" / "python.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}

    with travel(SLOT + 3 * STEP + 60, tick=False):
        exec("\n".join(examples), names)  # noqa: S102  what our readers run

    assert len(names["frame"]) == 3
    assert names["line"].isna().tolist() == [False, False, True, False]
    assert names["gaps"][-1]["reason"] == "missed"
    assert not names["market"].empty
