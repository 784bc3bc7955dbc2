"""The rates that pages bring along: those recorded at their own slots, and no others."""

from __future__ import annotations

import json
import re

import msgspec

from coinlog.market import FIAT_IDS, Snapshot
from coinlog.web.rates import rates_at
from samples import SLOT, STEP, asset, quote, snapshot
from sites import Reply, Site

EUR, COP, ARS = (FIAT_IDS[code] for code in ("EUR", "COP", "ARS"))


def with_rates(observed_at: int, rates: dict[int, float]) -> Snapshot:
    """Return a snapshot of Bitcoin at 90,000, Ethereum at 3,000 and fiat currencies."""
    found = snapshot((), observed_at=observed_at)
    prices = {1: 90_000.0, 1027: 3_000.0, **rates}
    return msgspec.structs.replace(
        found,
        assets=tuple(msgspec.structs.replace(asset(one), is_fiat=one in rates) for one in prices),
        quotes=tuple(quote(one, price) for one, price in prices.items()),
    )


def rates_of(reply: Reply) -> tuple[str | None, dict[str, dict[str, float]]]:
    """Return the slot and the rates in a page, as its scripts read them."""
    found = re.search(r'<script [^>]*id="rates"(?: data-slot="(\d+)")?>(.*?)</script>', reply.text)
    assert found
    return found[1], json.loads(found[2])


def test_a_page_brings_the_rates_of_its_own_slots_alone(web: Site) -> None:
    web.settle(SLOT - STEP, with_rates(SLOT - STEP + 12, {EUR: 1.08, COP: 0.00024, ARS: 0.0}))
    web.settle(SLOT, with_rates(SLOT + 12, {EUR: 1.25}))
    web.look()

    slot, rates = rates_of(web.get("/"))
    assert (slot, rates) == (str(SLOT), {str(SLOT): {"BTC": 9e4, "ETH": 3e3, "EUR": 1.25}})
    # What was recorded of the peso is an older slot's, and its page brings that slot's rates too;
    # nothing can be written in a currency that was worth nothing.
    _, rates = rates_of(web.get(f"/assets/{COP}"))
    assert rates[str(SLOT)] == {"BTC": 9e4, "ETH": 3e3, "EUR": 1.25}
    assert rates[str(SLOT - STEP)] == {"BTC": 9e4, "ETH": 3e3, "EUR": 1.08, "COP": 0.00024}
    # A part of a page can be of a newer slot than the page: its rates come with it.
    assert rates_of(web.get("/?part=market")) == rates_of(web.get("/"))
    with web.app.watch.moment() as moment:
        for slots in ([], [SLOT + STEP]):
            assert rates_at(web.app.watch, moment, slots) == {}


def test_a_page_of_an_empty_store_and_an_error_have_no_rates(web: Site) -> None:
    assert rates_of(web.get("/")) == rates_of(web.get("/nowhere")) == (None, {})
