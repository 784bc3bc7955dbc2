"""What a schedule costs is known before the first call, and what cannot fit is refused."""

from __future__ import annotations

import msgspec
import pytest

from coinlog.errors import BrokenAnswerError, SettingError
from coinlog.quota import INTERVALS, Forecast, cost_of, forecast
from coinlog.slots import HOUR, MINUTE, format_interval, parse_assets, parse_interval, parse_time
from coinlog.sources.answers import Answer
from coinlog.sources.coinmarketcap import credits_of, fetch_market
from coinlog.sources.key_info import KeyInfo, read_key_info
from samples import SLOT
from simulated_archive import Market

NOW = parse_time("2026-11-20T12:00:00Z")
BASIC = KeyInfo("Basic", 50, 15_000, 1_500, 13_500, None, parse_time("2026-12-01T00:00:00Z"))


def planned(assets: str, interval: str, info: KeyInfo = BASIC) -> Forecast:
    return forecast(assets, parse_interval(interval), info)


@pytest.fixture(scope="module")
def market() -> Market:
    """Return a made-up market of more assets than a page of listings has."""
    market = Market(5_200)
    market.at = SLOT + 5.0
    return market


@pytest.mark.parametrize(
    "assets",
    ["top:200", "top:201", "top:5", "top:5200", "id:1,1027", "id:52,74", "top:200+id:99,2790"],
)
def test_a_slot_costs_what_was_predicted(market: Market, assets: str) -> None:
    answers = list[Answer]()

    fetch_market(market, parse_assets(assets), answers.append)

    cost, spent = cost_of(parse_assets(assets)), credits_of(answers)
    assert cost.least_credits <= spent <= cost.credits
    assert len(answers) <= cost.requests
    if "+" not in assets:
        assert (spent, len(answers)) == (cost.credits, cost.requests)


def test_the_arithmetic_is_told() -> None:
    assert planned("top:200", "6h").words() == (
        "1 slot costs 4 credits, 124 slots a month (31 days): 496 of 15,000 credits a month"
    )
    assert planned("top:200+id:9", "6h", KeyInfo()).words() == (
        "1 slot costs at most 5 credits, 124 slots a month (31 days): 620 credits a month"
    )


def test_every_interval_of_the_contract_is_known() -> None:
    whole = {minutes * MINUTE for minutes in range(1, 31) if 60 % minutes == 0}
    whole |= {hours * HOUR for hours in range(1, 25) if 24 % hours == 0}

    assert set(INTERVALS) == whole
    assert [parse_interval(format_interval(step)) for step in INTERVALS] == sorted(whole)


def test_what_cannot_fit_is_refused_with_the_nearest_that_does() -> None:
    with pytest.raises(SettingError) as found:
        planned("top:1000", "15m").check()

    assert str(found.value) == (
        "1 slot costs 8 credits, 2,976 slots a month (31 days): 23,808 of 15,000 credits a month: "
        "this schedule does not fit the plan 'Basic', and nothing was asked for; the nearest that "
        "fits is COINLOG_INTERVAL=30m (11,904 credits a month), or COINLOG_ASSETS=top:200 (11,904)"
    )
    planned("top:1000", "30m").check()
    planned("top:200", "15m").check()


def test_the_last_credit_of_the_longest_month_decides() -> None:
    exact = msgspec.structs.replace(BASIC, credits_per_month=496)
    planned("top:200", "6h", exact).check()

    with pytest.raises(SettingError, match="COINLOG_INTERVAL=8h"):
        planned("top:200", "6h", msgspec.structs.replace(exact, credits_per_month=495)).check()


def test_a_limit_by_the_day_is_one_too() -> None:
    daily = msgspec.structs.replace(BASIC, credits_per_day=333)

    planned("top:200", "20m", daily).check()
    with pytest.raises(SettingError, match=r"384 of 333 credits a day: .*COINLOG_INTERVAL=20m"):
        planned("top:200", "15m", daily).check()


def test_where_no_interval_fits_it_says_so() -> None:
    with pytest.raises(SettingError, match="no interval fits: record fewer assets"):
        planned(
            "id:" + ",".join(map(str, range(1, 9_000))), "24h", KeyInfo(None, None, 100)
        ).check()


def test_what_may_fit_is_told_and_not_refused() -> None:
    ids = ",".join(map(str, range(10, 200)))
    info = msgspec.structs.replace(BASIC, credits_per_month=600)
    found = planned(f"top:200+id:{ids}", "6h", info)

    found.check()
    assert "suffices only where most ids" in found.notes(NOW)[0]


def test_credits_that_end_before_the_month_and_a_narrow_minute_are_told() -> None:
    spent = msgspec.structs.replace(BASIC, credits_left_this_month=40)
    many = "id:" + ",".join(map(str, range(1, 5_001)))

    (left,) = planned("top:200", "6h", spent).notes(NOW)
    (narrow,) = planned(many, "24h").notes(NOW)

    assert "only 40 credits are left of this month: they last until 2026-11-23T00:00:00Z" in left
    assert "takes 52 requests, and the plan allows 50 a minute" in narrow
    assert planned("top:200", "6h").notes(NOW) == []


@pytest.mark.parametrize(
    "odd", ["null", "true", "-1", "0", "1.5", '"15000"', "1e999", "9" * 40, "[]", "{}", "NaN"]
)
def test_whatever_a_plan_says_the_forecast_stands(odd: str) -> None:
    named = ("credit_limit_monthly", "credit_limit_daily", "rate_limit_minute", "name")
    plan = ",".join(f'"{name}":{odd}' for name in named)
    inside = f'{{"credits_used":{odd},"credits_left":{odd}}}'
    times = '"credit_limit_monthly_reset_timestamp":"2099-01-01T00:00:00Z"'
    usage = f'{{"current_month":{inside},"current_day":{inside}}}'
    body = f'{{"data":{{"plan":{{{plan},{times}}},"usage":{usage}}}}}'
    try:
        info = read_key_info(body.encode())
    except BrokenAnswerError:
        info = KeyInfo()

    found = planned("top:200", "1m", info)
    found.check()
    assert "1 slot costs 4 credits" in found.words()
    assert info.credits_per_month is None
    assert len(found.notes(NOW)) == (odd == "0")
