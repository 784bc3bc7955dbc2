"""The overview: its figures against ones that SQL reckons apart, its drawings, its reasons."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from coinlog.market import Asset, FearAndGreed, GlobalMetrics, Snapshot, SourceKind
from coinlog.slots import DAY
from coinlog.web import shell
from coinlog.web.market_views import OverviewView
from coinlog.web.overview import overview_view
from coinlog.web.overview_svg import gauge, tone, trend
from coinlog.web.treemap import squarified
from samples import SLOT, STEP, quote
from sites import Site


def overview(web: Site, **asked: str) -> OverviewView:
    with web.app.watch.moment() as moment:
        ask = shell.ask_of("/overview", "en", shell.read_query(asked))
        return overview_view(web.app.watch, moment, ask)


def put(web: Site, slot: int, cap: float | None, volume: float | None = None) -> None:
    """Store a slot with figures of the whole market."""
    metrics = GlobalMetrics(cap, volume, None, 55.0, 11.5)
    quotes = (quote(1, rank=1, market_cap=9.0, percent_change_24h=1.5),)
    assets = (Asset(1, "Bitcoin", "BTC", "bitcoin"),)
    fear = FearAndGreed(72.0, "Greed", slot)
    web.settle(
        slot,
        Snapshot(slot + 12, SourceKind.COINMARKETCAP, assets, quotes, metrics, fear),
    )


@pytest.mark.parametrize(
    "values", [[1.0], [1e24, 1.0], [5.0] * 7, [2e12, 4e11, 1e11, 3e10, 1.0, 1e-9], []]
)
def test_a_treemap_fills_its_rectangle_whatever_the_values(values: list[float]) -> None:
    found = squarified(values, 300.0, 200.0)

    assert len(found) == len(values)
    assert sum(tile.width * tile.height for tile in found) == pytest.approx(60_000 * bool(values))
    assert all(tile.width > 0 and tile.height > 0 for tile in found)


def test_the_change_of_a_day_is_the_one_that_sql_reckons(web: Site) -> None:
    caps = [3.0e12, 3.1e12, 2.9e12, 3.3e12, 3.15e12, 2.8e12]
    for back, cap in enumerate(reversed(caps)):
        put(web, SLOT - back * STEP, cap, cap / 20 + back * 1e9)
    with web.engine.connect() as connection:
        (cap, volume) = connection.execute(
            sa.text(
                "SELECT 100 * (a.total_market_cap - b.total_market_cap) / b.total_market_cap,"
                " 100 * (a.total_volume_24h - b.total_volume_24h) / b.total_volume_24h"
                " FROM global_metrics a JOIN global_metrics b ON b.slot = a.slot - 86400"
                " WHERE a.slot = (SELECT MAX(slot) FROM global_metrics)"
            )
        ).one()

    view = overview(web)

    assert [one.change for one in view.trends] == [pytest.approx(cap), pytest.approx(volume)]
    assert view.trends[0].line == [
        [(SLOT - back * STEP, caps[-1 - back]) for back in range(5, -1, -1)]
    ]
    assert view.trends[0].over == pytest.approx((2.8 / 3.0 - 1) * 100)
    assert view.trends[0].since == SLOT - 5 * STEP
    assert view.global_metrics.bitcoin_dominance == 55.0


def test_a_change_that_cannot_be_known_is_a_dash_with_its_reason(web: Site) -> None:
    def change() -> tuple[float | None, str | None]:
        found = overview(web).trends[0]
        return found.change, found.missing

    put(web, SLOT, 3e12)
    assert change() == (None, "not_due")
    put(web, SLOT - 5 * STEP, 2e12)
    assert change() == (None, "missed")
    web.settle(SLOT - DAY)
    assert change() == (None, "timeout")
    page = web.get("/overview").text
    assert "CoinMarketCap took too long to answer" in page
    assert ">0.00%" not in page


def test_a_day_before_without_that_figure_has_no_change(web: Site) -> None:
    put(web, SLOT - DAY, None, 5.0)
    put(web, SLOT, 3e12, 10.0)

    cap, volume = overview(web).trends

    assert (cap.change, cap.missing) == (None, "no_figures")
    assert volume.change == pytest.approx(100.0)
    assert volume.missing is None


def test_a_line_breaks_where_slots_lack_and_has_a_span(web: Site) -> None:
    for back in (40, 3, 2, 0):
        put(web, SLOT - back * STEP, 1e12 + back)

    week, month = overview(web, range="7d"), overview(web, range="1y")

    def spots(view: OverviewView) -> list[list[int]]:
        return [[(SLOT - slot) // STEP for slot, _ in part] for part in view.trends[0].line]

    assert (week.span, month.span) == ("7d", "30d")
    assert spots(week) == [[3, 2], [0]]
    assert spots(month) == [[40], [3, 2], [0]]


def test_a_made_up_market_is_marked_on_its_map(web: Site) -> None:
    from coinlog.store.writer import settle  # noqa: PLC0415
    from samples import settlement  # noqa: PLC0415

    source = SourceKind.SIMULATED
    found = Snapshot(
        SLOT + 12, source, (Asset(1, "B", "B", "b"),), (quote(1, market_cap=5.0, rank=1),)
    )
    settle(web.engine, settlement(found=found, source=source), SLOT + 20)

    english, spanish = web.get("/overview").text, web.get("/es/overview").text

    assert len(re.findall(r'<text class="wm"[^>]*>SIMULATED</text>', english)) == 2
    assert len(re.findall(r'<text class="wm"[^>]*>SIMULADO</text>', spanish)) == 2


def test_fear_and_greed_has_a_word_and_a_place_on_its_gauge(web: Site) -> None:
    put(web, SLOT, 1e12)

    page = web.get("/es/overview").text

    assert "Codicia" in page
    assert str(gauge(72.0)) in page
    # In the middle the mark stands on top; outside of 0 to 100 it stays on the arc.
    assert 'cx="100.0" cy="15.0"' in gauge(50.0)
    assert gauge(900.0) == gauge(100.0)


def test_tones_tell_the_sign_and_the_step() -> None:
    changes = (None, 0.0, 0.49, -0.49, 0.5, -1.9, 2.0, -5.0, 5.5e19)
    assert [tone(one) for one in changes] == ["n", "z", "z", "z", "u1", "d1", "u2", "d3", "u3"]


def test_a_line_of_one_point_or_none_draws_nothing() -> None:
    assert trend([]) == trend([[(1, 2.0)]]) == ""
    assert trend([[(1, 2.0)], [(5, 2.0), (6, 2.0)]]).count("M") == 4
