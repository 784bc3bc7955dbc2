"""An asset's page below its chart: facts, supply, and what its whole record ranges over."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from coinlog.market import Asset, Quote, Snapshot
from coinlog.store.writer import settle
from coinlog.web.asset_views import supply_view
from samples import SLOT, STEP, quote, settlement
from sites import Site, slots_before

HOSTILE = "<script>alert(1)</script>"
PRICES = (2.0, 8.0, 4.0, 8.0, 1.0, 5.0)
RANKS = (3, 2, None, 2, 4, 3)


def record(web: Site, *, left: bool = False) -> list[int]:
    """Store six slots of an asset that was renamed, with a missed one; and Bitcoin in all."""
    slots = [slot for slot in slots_before(8) if slot != SLOT - 4 * STEP][: len(PRICES)]
    for slot, price, rank in zip(slots, PRICES, RANKS, strict=True):
        name, symbol = (HOSTILE, "OLD") if slot < slots[3] else ("Shiny & New", "NEW")
        mine = quote(7, price, rank=rank, market_cap=1e9, circulating_supply=75.0, max_supply=100.0)
        _store(web, slot, (Asset(7, name, symbol, "x"), mine))
    _store(web, SLOT, *([] if left else [(Asset(7, "Shiny & New", "NEW", "x"), quote(7, 6.0))]))
    return slots


def _store(web: Site, slot: int, *more: tuple[Asset, Quote]) -> None:
    pairs = ((Asset(1, "Bitcoin", "BTC", "bitcoin"), quote(1, 90_000.0)), *more)
    source = settlement().schedule
    assert source
    found = Snapshot(
        slot + 12, source.source, tuple(a for a, _ in pairs), tuple(q for _, q in pairs)
    )
    settle(web.engine, settlement(slot, found=found), slot + 20)


def facts(html: str) -> dict[str, str]:
    """Return what the facts of a page say, by their key, as a reader reads them."""
    found = re.findall(r'<(?:dd|p class="price") data-k="(\w+)">(.*?)</(?:dd|p)>', html, re.DOTALL)
    return {key: " ".join(re.sub(r"<[^>]*>", " ", text).split()) for key, text in found}


def test_the_record_tells_its_extremes_its_quotes_and_its_gaps(web: Site) -> None:
    slots = record(web)

    html = web.get("/assets/7").text
    said = facts(html)

    assert said["high"] == "$8.0000 25 Jan 2026, 06:00 UTC −25.00% since"
    assert said["low"] == "$1.0000 26 Jan 2026, 06:00 UTC +500.00% since"
    # The highest price in USD need not be the highest in another currency: it is not converted.
    assert '<data value="8.0"' not in html
    assert f'href="/market?at={slots[1]}"' in html
    assert f'<span data-age="{slots[1]}"></span>' in html
    assert (said["quotes"], said["gaps"]) == ("7", "1")
    assert said["best_rank"].startswith("2 25 Jan 2026, 06:00")
    assert said["worst_rank"].startswith("4 26 Jan 2026, 06:00")
    assert "left_slot" not in said
    assert facts(web.get("/es/assets/7").text)["high"].endswith("desde entonces")


def test_the_api_has_the_record_too(web: Site) -> None:
    slots = record(web)

    answer: dict[str, Any] = web.json("/api/v1/assets/7")

    assert answer["record"] == {
        "high": 8.0,
        "high_slot": slots[1],
        "low": 1.0,
        "low_slot": slots[4],
        "quotes": 7,
        "since": slots[0],
    }


def test_of_a_long_record_only_the_newest_part_is_told_and_since_when(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = record(web)
    monkeypatch.setattr("coinlog.web.charts.MOST_READ", 3)

    said = facts(web.get("/assets/7").text)
    answer: dict[str, Any] = web.json("/api/v1/assets/7")["record"]

    assert (said["quotes"], said["gaps"]) == ("3", "0")
    assert said["high"].startswith("$6.0000")
    assert re.search(r"since <time [^>]*>26 Jan 2026, 06:00\s+UTC<", web.get("/assets/7").text)
    assert (answer["high"], answer["quotes"], answer["since"]) == (6.0, 3, slots[4])


def test_an_asset_that_left_says_since_when_and_what_it_was_called(web: Site) -> None:
    slots = record(web, left=True)

    html = web.get("/assets/7").text

    assert facts(html)["left_slot"] == "26 Jan 2026, 18:00 UTC"
    assert "these values are of" in html
    assert facts(html)["price"] == "$5.0000"
    assert f'data-slot="{slots[-1]}">' in html
    names = re.findall(r"<li>(.*?) since", html)
    assert names == ["Shiny &amp; New (NEW)", "&lt;script&gt;alert(1)&lt;/script&gt; (OLD)"]
    assert "left_slot" not in facts(web.get("/assets/1").text)


def test_what_a_new_slot_changes_can_be_renewed_by_its_id(web: Site) -> None:
    record(web)

    html = web.get("/assets/7").text

    renewed = re.findall(r'id="([\w-]+)"[^>]* data-renew', html)
    assert {"asset-now", "asset-facts", "asset-record"} <= set(renewed)


def test_the_bars_of_the_supply_are_shares_of_the_maximum(web: Site) -> None:
    record(web)
    html = web.get("/assets/7").text
    # The newest quote has no supply: what is not known is not drawn.
    assert '<svg class="supply"' not in html
    assert facts(html)["circulating_supply"] == "–"

    def bars(**known: float) -> tuple[Any, ...] | None:
        view = supply_view(quote(7, **known))
        return msgspec.structs.astuple(view) if view else None

    assert bars(circulating_supply=75.0, max_supply=100.0) == (True, 75.0, 75.0, 75.0)
    assert bars(circulating_supply=50.0, total_supply=80.0, max_supply=100.0) == (True, 50, 50, 80)
    assert bars(circulating_supply=60.0, total_supply=80.0) == (False, 75.0, 75.0, 100.0)
    # The source's own numbers contradict each other now and then.
    assert bars(circulating_supply=130.0, max_supply=100.0) == (True, 130.0, 100.0, 100.0)
    assert bars(circulating_supply=130.0) is None
    assert bars(total_supply=0.0, circulating_supply=0.0) is None
