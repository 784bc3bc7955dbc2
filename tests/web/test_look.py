"""The templates, without a browser: what rare cases show, in every language."""

from __future__ import annotations

import msgspec
import pytest

from coinlog.web import views
from coinlog.web.i18n import languages
from coinlog.web.look import environment
from samples import SLOT, STEP

ASSET = views.AssetLabel(id=7, symbol="NEW", name="New <b>", slug="new")
CHART = views.ChartView(field="price", range="1d", ranges=[], start=SLOT, end=SLOT + STEP, lines=[])
VIEW = views.AssetView(
    asset=ASSET,
    is_fiat=True,
    listed=False,
    quote_slot=SLOT,
    quote={"price": 1.5, "market_cap": None},
    first_slot=SLOT - STEP,
    last_slot=SLOT,
    names=[
        views.NameView(from_slot=SLOT - STEP, name="Old <i>", symbol="OLD", slug="old"),
        views.NameView(from_slot=SLOT, name="New <b>", symbol="NEW", slug="new"),
    ],
    chart=CHART,
    csv_url="/x.csv",
    json_url="/x",
)
FRESH = views.FreshnessView(state="amber", as_of=SLOT, slot=SLOT, interval_seconds=STEP, missed=1)


def page(kind: str, language: str = "en", freshness: views.FreshnessView = FRESH) -> views.PageView:
    return views.PageView(
        kind=kind,
        language=language,
        prefix="" if language == "en" else f"/{language}",
        path="/assets/7",
        languages=[],
        freshness=freshness,
        simulated=False,
        static={},
        build="1",
    )


def render(name: str, view: views.View, language: str = "en", **around: object) -> str:
    shell = msgspec.structs.replace(page(name, language), **around)
    return environment(language).get_template(f"{name}.html").render(page=shell, view=view)


@pytest.mark.parametrize("language", languages())
def test_an_asset_that_left_and_was_renamed_says_so(language: str) -> None:
    html = render("asset", VIEW, language)
    assert 'datetime="2026-01-26T18:00:00Z"' in html
    assert "Old &lt;i&gt; (OLD)" in html
    assert "<i>" not in html
    assert "<b>" not in html


def test_a_page_without_its_bundle_is_still_a_page() -> None:
    html = render("asset", VIEW)
    assert "<script src" not in html
    assert "stylesheet" not in html


def test_a_chart_without_quotes_says_so() -> None:
    assert "There are no quotes in this range." in render("asset", VIEW)


@pytest.mark.parametrize("missed", [1, 3])
def test_missed_slots_are_told_in_words(missed: int) -> None:
    stale = msgspec.structs.replace(FRESH, missed=missed, state="red", reason="unreachable")
    html = render("asset", VIEW, freshness=stale)
    assert f"{missed} slot{'s' if missed > 1 else ''} missed" in html
    assert "CoinMarketCap could not be reached" in html


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("code", ["not_found", "store_unavailable", "internal", "teapot"])
def test_every_error_has_words(language: str, code: str) -> None:
    html = render("error", views.ErrorView(status=418, code=code, message="<x>"), language)
    assert "418" in html
    assert "&lt;x&gt;" in html


def test_no_template_holds_a_style_or_an_event_in_itself() -> None:
    html = render("asset", VIEW)
    assert " style=" not in html
    assert " onclick" not in html
