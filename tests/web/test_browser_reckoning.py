"""What the scripts reckon for charts, next to pandas and plain Python, on real recorded answers.

The modules run in a real Chromium and read the real files under ``/data/``. The polls hold no fiat
currency and no total of the market: a rate of the euro stands beside them, with two slots that lack
it, and as the total the sum of all recorded market caps, which one slot lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pandas as pd
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from browsing import Open, bundled, serving
from coinlog.loading import sweep
from coinlog.market import FIAT_IDS
from coinlog.slots import DAY, HOUR, floor_slot, parse_time
from coinlog.store import schema
from coinlog.web.app import create_app
from conftest import SHARED
from histories import eventful, put_history
from market import Desk
from recorded import poll_body, polls, put_poll
from samples import SLOT, STEP

pytestmark = pytest.mark.browser

IDS = (1, 1027, 52)
EUR = 1.08
WITHOUT_RATE = (3, 4)
WITHOUT_TOTAL = 6
FIELDS = ("price", "market_cap", "volume_24h", "circulating_supply")


class Recorded(NamedTuple):
    """A site of the ten polls, their slots, and by asset what was recorded at each."""

    address: str
    slots: list[int]
    frames: dict[int, pd.DataFrame]
    totals: pd.Series[float]
    rates: pd.Series[float]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Serve the ten polls: the first assets of each, a rate, and a total."""
    folder = tmp_path_factory.mktemp("reckoning")
    url = sa.URL.create("sqlite", database=str(folder / "coinlog.db"))
    desk = Desk(url, folder / "archive", "http://127.0.0.1:1")
    taken = list(polls(SHARED).items())
    slots = [floor_slot(parse_time(at), STEP) for at, _ in taken]
    for index, (at, rows) in enumerate(taken):
        body = msgspec.json.decode(poll_body(at, rows[:30]))
        if index not in WITHOUT_RATE:
            body["data"].append(euro(EUR + index / 100, at))
        put_poll(desk.archive, at, msgspec.json.encode(body))
    assert len(list(sweep(desk.engine, desk.archive, clock=desk.clock))) == len(slots)
    sums = [sum(float(row["market_cap"] or 0) for row in rows) for _, rows in taken]
    totals = pd.Series(sums, index=slots).drop(slots[WITHOUT_TOTAL])
    with desk.engine.begin() as connection:
        lines = [{"slot": slot, "total_market_cap": value} for slot, value in totals.items()]
        connection.execute(schema.global_metrics.insert(), lines)
    desk.engine.dispose()
    rates = pd.Series([EUR + index / 100 for index in range(len(slots))], index=slots)
    rates = rates.drop([slots[index] for index in WITHOUT_RATE])
    with serving(create_app(url, clock=lambda: float(slots[-1] + STEP - 1))) as address:
        yield Recorded(address, slots, frames(taken, slots), totals, rates)


def frames(taken: list[Any], slots: list[int]) -> dict[int, pd.DataFrame]:
    """Return what the polls say of each asset, straight from their rows."""
    by_id: dict[int, list[dict[str, float]]] = {asset_id: [] for asset_id in IDS}
    for slot, (_, rows) in zip(slots, taken, strict=True):
        for row in rows:
            if int(row["id"]) in by_id:
                values = {field: float(row[field]) for field in FIELDS}
                by_id[int(row["id"])].append({"slot": slot, **values})
    return {one: pd.DataFrame(some).set_index("slot") for one, some in by_id.items()}


def euro(rate: float, at: str) -> dict[str, object]:
    quote = {"USD": {"price": rate, "market_cap": 0}}
    called = {"name": "Euro", "symbol": "EUR", "slug": "euro", "last_updated": at}
    return {"id": FIAT_IDS["EUR"], **called, "quote": quote}


def ready(page: Page) -> Page:
    page.evaluate(bundled("data/load.ts", "reckon"))
    return page


def load(page: Page, slots: list[int], *ids: int, **wish: Any) -> dict[str, Any]:  # noqa: ANN401  of a wish
    """Return what a chart shows of a wish, as the scripts make it."""
    assets = [
        {"id": one, "name": "", "symbol": "", "slug": "", "first": slots[0], "last": slots[-1]}
        for one in ids
    ]
    usual = {"field": "price", "scale": "linear", "form": "line", "currency": "USD"}
    asked = {**usual, "start": slots[0], "end": slots[-1], **wish, "assets": assets}
    found: dict[str, Any] = page.evaluate("wish => reckon.load(wish, '')", asked)
    return found


def column(shown: dict[str, Any], line: int, name: str = "values") -> pd.Series[float]:
    """Return a line's known values by slot."""
    values = shown["picture"]["lines"][line][name]
    return pd.Series(values, index=shown["slots"], dtype=float).dropna()


def same(found: pd.Series[float], wanted: pd.Series[float]) -> None:
    pd.testing.assert_series_equal(
        found, wanted.astype(float), check_names=False, check_index_type=False, rtol=1e-12
    )


@pytest.mark.shared
def test_changes_in_percent_are_those_since_each_lines_first_value(
    recorded: Recorded, browse: Open
) -> None:
    page = ready(browse(f"{recorded.address}/log"))
    for field in FIELDS:
        shown = load(page, recorded.slots, *IDS, field=field, scale="percent")
        for line, asset_id in enumerate(IDS):
            values = recorded.frames[asset_id][field]
            assert column(shown, line).tolist() == values.tolist()
            same(column(shown, line, "drawn"), (values / values.iloc[0] - 1) * 100)


@pytest.mark.shared
def test_money_is_converted_by_the_rate_of_its_own_slot(recorded: Recorded, browse: Open) -> None:
    page = ready(browse(f"{recorded.address}/log"))
    for field in ("price", "market_cap", "volume_24h"):
        for code, rates in (("BTC", recorded.frames[1]["price"]), ("EUR", recorded.rates)):
            shown = load(page, recorded.slots, 1027, field=field, currency=code)
            same(column(shown, 0), (recorded.frames[1027][field] / rates).dropna())
            assert shown["picture"]["unit"] == code
    n, m = len(WITHOUT_RATE), len(recorded.slots)
    shown = load(page, recorded.slots, 1027, currency="EUR")
    # Without the words that a chart brings along, a text is its key and nothing else.
    assert shown["notes"] == ["chart.no_rate"]
    assert len(column(shown, 0)) == m - n
    assert load(page, recorded.slots, 1027, currency="BTC")["notes"] == []
    # Coins and ranks are no money, and have no rate that could be missing.
    shown = load(page, recorded.slots, 1027, field="circulating_supply", currency="EUR")
    assert column(shown, 0).tolist() == recorded.frames[1027]["circulating_supply"].tolist()
    assert (shown["picture"]["unit"], shown["notes"]) == ("coins", [])


@pytest.mark.shared
def test_dominance_is_the_part_of_the_whole_market_at_the_same_slot(
    recorded: Recorded, browse: Open
) -> None:
    page = ready(browse(f"{recorded.address}/log"))
    shown = load(page, recorded.slots, *IDS, field="dominance")
    for line, asset_id in enumerate(IDS):
        caps = recorded.frames[asset_id]["market_cap"]
        same(column(shown, line), (caps / recorded.totals * 100).dropna())
    assert (shown["picture"]["unit"], shown["notes"]) == ("share", ["chart.no_total"])
    assert recorded.slots[WITHOUT_TOTAL] not in column(shown, 0).index


@pytest.mark.shared
def test_candles_of_real_polls_are_those_of_pandas(recorded: Recorded, browse: Open) -> None:
    page = ready(browse(f"{recorded.address}/log"))
    for code in ("USD", "BTC"):
        prices = recorded.frames[1027]["price"]
        values = prices if code == "USD" else prices / recorded.frames[1]["price"]
        shown = load(page, recorded.slots, 1027, form="candles", currency=code)
        assert candles(shown) == pytest.approx(by_pandas(values, "D"))


def candles(shown: dict[str, Any]) -> list[float]:
    names = ("start", "open", "high", "low", "close", "points")
    return [one[name] for one in shown["picture"]["candles"] for name in names]


def by_pandas(values: pd.Series[float], rule: str) -> list[float]:
    """Return start, open, high, low, close and count of each stretch that has a quote."""
    times = pd.Series(values.to_numpy(), index=pd.to_datetime(values.index, unit="s"))
    groups = times.resample(rule, closed="left", label="left")
    found = pd.concat([groups.ohlc(), groups.count().rename("points")], axis=1)
    found = found[found["points"] > 0]
    starts = [time.timestamp() for time in found.index]
    rows = zip(starts, *(found[name] for name in found.columns), strict=True)
    return [value for row in rows for value in row]


def test_candles_and_gaps_over_months_are_those_of_the_whole_history(
    tmp_path_factory: pytest.TempPathFactory, browse: Open
) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path_factory.mktemp("long") / "coinlog.db"))
    rows, ledger = eventful(2000)
    put_history(url, rows, ledger)
    prices = pd.Series({row["slot"]: row["price"] for row in rows[1]})
    slots = [int(prices.index[0]), SLOT]
    with serving(create_app(url, clock=lambda: float(SLOT + HOUR))) as address:
        page = ready(browse(f"{address}/log"))
        for start, rule in ((SLOT - 90 * DAY, "D"), (slots[0], "W-MON")):
            shown = load(page, slots, 1, form="candles", start=start)
            first = shown["picture"]["candles"][0]["start"]
            assert first <= start < first + 7 * DAY
            assert candles(shown) == pytest.approx(by_pandas(prices[prices.index >= first], rule))
        series = page.request.get(f"{address}/api/v1/assets/1/series?range=all&fields=price").json()
        shown = load(page, slots, 1)
        assert column(shown, 0).index.tolist() == series["slots"]
        assert column(shown, 0).tolist() == series["price"]
        assert [band["end"] for band in shown["picture"]["bands"]] == [
            gap["to"] for gap in series["gaps"] if gap["to"] > slots[0]
        ]
        outcomes = page.request.get(f"{address}/api/v1/log?limit=10000").json()["slots"]
        told = {one["slot"]: one["outcome"] for one in outcomes}
        found = {one["slot"]: one["outcome"] for one in shown["picture"]["outcomes"]}
        assert found == {slot: told[slot] for slot in found}
        assert set(found.values()) == {"stored", "failed", "missed"}
