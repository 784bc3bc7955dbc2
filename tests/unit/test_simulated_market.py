"""The made-up market itself: always the same, plausible over years, true to its own past."""

from __future__ import annotations

import math

import pytest

from coinlog.market import FIAT_IDS
from coinlog.simulated.fiat import Rates
from coinlog.simulated.market import FIRST_TIME, Market, market_minute
from coinlog.simulated.mood import Mood, label
from coinlog.simulated.noise import digest, exp
from coinlog.simulated.positions import generation, is_stable
from coinlog.simulated.profiles import MAX_ASSETS, asset_id, holder, mined_bitcoin, profile_of
from coinlog.slots import DAY, HOUR

NOW = 1_795_500_000
PRICES_OF_SEED_7 = ["0x1.273bdaccaa18fp+17", "0x1.70b0df8c29f88p+12", "0x1.c86e2006517dap+5"]
YEARS = range(FIRST_TIME + DAY, FIRST_TIME + 30 * 365 * DAY, 97 * DAY + 7 * HOUR)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(7, 300)


def ids_at(market: Market, at: int) -> set[int]:
    return {figures.profile.id for figures in market.figures(range(market.assets), at)}


def test_two_markets_of_one_seed_are_the_same_to_the_last_bit(market: Market) -> None:
    at = market_minute(NOW)
    market.figures(range(300), at - 1000 * DAY)
    assert market.figures(range(300), at) == Market(7, 300).figures(range(300), at)


def test_the_numbers_are_those_of_every_platform_and_release() -> None:
    prices = [figures.price for figures in Market(7, 10).figures([0, 1, 9], market_minute(NOW))]
    assert [price.hex() for price in prices] == PRICES_OF_SEED_7
    assert digest("a", 1, size=4).hex() == "6edf540d"


def test_an_asset_does_not_depend_on_how_many_others_there_are(market: Market) -> None:
    at = market_minute(NOW)
    few, many = Market(7, 10), market
    assert few.figures(range(10), at) == many.figures(range(10), at)


def test_another_seed_is_another_market(market: Market) -> None:
    at = market_minute(NOW)
    assert Market(8, 2).figures([0], at)[0].price != market.figures([0], at)[0].price


def test_one_asset_alone_is_what_it_is_among_all(market: Market) -> None:
    times = [market_minute(NOW - hours * HOUR) for hours in range(0, 9000, 1371)]
    alone = market.history(41, times)
    assert alone == [market.figures([41], time)[0] for time in times]


def test_the_numbers_of_thirty_years_are_finite_and_positive(market: Market) -> None:
    for at in YEARS:
        for figures in market.figures(range(0, 300, 3), at):
            assert 1e-15 < figures.price < 1e8
            assert 0 < figures.supply < 1e21
            assert figures.volume >= 0
            assert all(math.isfinite(change) and change > -100 for change in figures.changes)


def test_bitcoin_leads_for_thirty_years_and_ethereum_stays_near_the_top(market: Market) -> None:
    for at in YEARS:
        ranks = market.ranks(at)
        assert ranks[0] == 1
        assert ranks[1] <= 8
        assert 0.3 < market.totals(at).bitcoin_cap / market.totals(at).cap < 0.85


def test_stablecoins_stay_near_one_dollar(market: Market) -> None:
    stable = [position for position in range(300) if is_stable(position)]
    for at in YEARS:
        assert all(0.99 < figures.price < 1.01 for figures in market.figures(stable, at))


def test_changes_are_true_to_the_prices_before(market: Market) -> None:
    at = market_minute(NOW)
    now, hour, day, quarter = market.history(0, [at, at - HOUR, at - DAY, at - 90 * DAY])
    assert now.changes[0] == pytest.approx((now.price / hour.price - 1) * 100, rel=1e-12)
    assert now.changes[1] == pytest.approx((now.price / day.price - 1) * 100, rel=1e-12)
    assert now.changes[5] == pytest.approx((now.price / quarter.price - 1) * 100, rel=1e-12)


def test_a_new_asset_changes_since_its_first_moment(market: Market) -> None:
    position, day = next(
        (p, d)
        for d in range(NOW // DAY, NOW // DAY + 900)
        for p in range(40, 300)
        if generation(p, d) != generation(p, d - 1) and not is_stable(p)
    )
    first, later = market.history(position, [day * DAY, (day + 2) * DAY])
    assert first.changes == (0.0,) * 6
    assert (
        later.changes[2]
        == later.changes[5]
        == pytest.approx((later.price / first.price - 1) * 100, rel=1e-12)
    )


def test_prices_move_a_few_percent_a_day_and_small_ones_more(market: Market) -> None:
    def restlessness(position: int) -> float:
        days = market.history(position, [market_minute(NOW) - day * DAY for day in range(200)])
        return math.sqrt(sum(each.changes[1] ** 2 for each in days) / len(days))

    bitcoin, small = restlessness(0), restlessness(280)
    assert 1 < bitcoin < 5
    assert bitcoin < small < 15


def test_ethereum_moves_with_bitcoin(market: Market) -> None:
    times = [market_minute(NOW) - day * DAY for day in range(200)]
    moves = [[each.changes[1] for each in market.history(p, times)] for p in (0, 1)]
    both = sum(a * b for a, b in zip(*moves, strict=True))
    assert both / math.sqrt(math.prod(sum(x * x for x in each) for each in moves)) > 0.6


def test_ranks_follow_the_market_caps(market: Market) -> None:
    at = market_minute(NOW)
    caps = [figures.cap for figures in market.figures(market.ranking(at), at)]
    known = [cap for cap in caps if cap]
    assert known == sorted(known, reverse=True)
    assert not any(caps[len(known) :])


def test_the_totals_are_the_sums_of_the_assets(market: Market) -> None:
    at = market_minute(NOW)
    figures = market.figures(range(300), at)
    totals = market.totals(at)
    assert totals.cap == pytest.approx(sum(each.cap for each in figures), rel=1e-9)
    assert totals.volume == pytest.approx(sum(each.volume for each in figures), rel=1e-3)


def test_some_assets_come_and_go_in_a_year_and_their_number_stays(market: Market) -> None:
    now, before = ids_at(market, NOW), ids_at(market, NOW - 365 * DAY)
    assert len(now) == len(before) == 300
    assert 15 < len(now - before) < 100


def test_some_assets_change_name_or_symbol_in_a_year() -> None:
    day = NOW // DAY
    profiles = [profile_of(position, generation(position, day)) for position in range(300)]
    changed = [p for p in profiles if p.name_on(day) != p.name_on(day - 365)]
    assert 1 < len(changed) < 20


def test_every_id_leads_back_to_its_asset_and_none_is_a_fiat_currency() -> None:
    places = [(p, n) for n in range(4) for p in range(2, MAX_ASSETS, 7)]
    ids = [asset_id(position, number) for position, number in places]
    assert [holder(identity) for identity in ids] == places
    assert not set(ids) & {1, 1027, *FIAT_IDS.values()}
    assert [holder(identity) for identity in (0, 2781, 3575, 15_000)] == [None] * 4


def test_slugs_are_unique_and_a_few_symbols_are_not() -> None:
    names = [profile_of(p, generation(p, NOW // DAY)).name_on(NOW // DAY) for p in range(600)]
    assert len({name.slug for name in names}) == 600
    symbols = [name.symbol for name in names]
    assert symbols.count("BTC") == 2
    assert len(set(symbols)) < 600


def test_bitcoins_are_mined_up_to_21_millions() -> None:
    assert mined_bitcoin(NOW) == pytest.approx(20.0e6, rel=0.01)
    assert mined_bitcoin(4_102_444_800) < 21_000_000


def test_fiat_rates_are_plausible_for_years() -> None:
    rates = Rates(7)
    for at in range(NOW - 5 * 365 * DAY, NOW + 5 * 365 * DAY, 37 * DAY):
        assert rates.at(FIAT_IDS["USD"], at) == 1.0
        assert 0.8 < rates.at(FIAT_IDS["EUR"], at) < 1.6
        assert 0.003 < rates.at(FIAT_IDS["JPY"], at) < 0.013


def test_fear_and_greed_knows_all_its_words_within_some_years() -> None:
    mood = Mood(7)
    values = [mood.at(day * DAY) for day in range(NOW // DAY - 1500, NOW // DAY, 5)]
    assert all(0 <= value <= 100 for value in values)
    words = {label(value) for value in values}
    assert words == {"Extreme fear", "Fear", "Neutral", "Greed", "Extreme greed"}


@pytest.mark.parametrize("x", [-80.0, -1.0, -1e-9, 0.0, 0.3, 1.0, 28.2, 45.0])
def test_our_exponential_is_the_usual_one(x: float) -> None:
    assert exp(x) == pytest.approx(math.exp(x), rel=1e-14)
