"""The endpoints about the market as a whole, the currencies and the key."""

from __future__ import annotations

from coinlog.simulated import overall
from coinlog.simulated.fiat import CURRENCIES
from coinlog.simulated.mood import label
from coinlog.simulated.parameters import BadParameterError, Parameters
from coinlog.simulated.shapes import milliseconds
from coinlog.simulated.world import Reply, World, credits_for, reply
from coinlog.slots import DAY, MINUTE

_MOST_POINTS = 2_000
_MONTHLY_CREDITS, _MINUTE_LIMIT = 15_000, 50


def global_metrics(world: World, _version: int, query: Parameters, now: int) -> Reply:
    """Answer ``global-metrics/quotes/latest``."""
    data = overall.latest(world.market, now, query.currency_key)
    return reply(data, 1)


def global_history(world: World, _version: int, query: Parameters, now: int) -> Reply:
    """Answer ``global-metrics/quotes/historical``."""
    marks = query.marks(now)
    if len(marks) > _MOST_POINTS:
        raise BadParameterError(f"at most {_MOST_POINTS} points are answered at once")
    points = [overall.at_mark(world.market, mark, query.currency_key) for mark in marks]
    return reply({"quotes": points}, credits_for(len(points), 100))


def fear_and_greed(world: World, _version: int, _query: Parameters, now: int) -> Reply:
    """Answer ``fear-and-greed/latest``: renewed each quarter of an hour."""
    updated = now // (15 * MINUTE) * 15 * MINUTE
    value = world.mood.at(updated)
    data = {
        "value": value,
        "update_time": milliseconds(updated),
        "value_classification": label(value),
    }
    return reply(data, 1)


def fear_and_greed_history(world: World, _version: int, query: Parameters, now: int) -> Reply:
    """Answer ``fear-and-greed/historical``: one value a day, the newest first."""
    start, limit = query.integer("start", 1, 1, 10**5), query.integer("limit", 50, 1, 500)
    newest = now // DAY - (start - 1)
    values = [(day, world.mood.at(day * DAY)) for day in range(newest, newest - limit, -1)]
    data = [
        {"timestamp": str(day * DAY), "value": value, "value_classification": label(value)}
        for day, value in values
    ]
    return reply(data, 1)


def key_info(_world: World, _version: int, _query: Parameters, now: int) -> Reply:
    """Answer ``key/info``: a free plan whose credits are spent evenly over the month."""
    day = int(milliseconds(now)[8:10])
    used = day * 400
    plan = {
        "credit_limit_monthly": _MONTHLY_CREDITS,
        "credit_limit_monthly_reset": "In the simulated market, never",
        "credit_limit_monthly_reset_timestamp": milliseconds(now + DAY),
        "rate_limit_minute": _MINUTE_LIMIT,
    }
    usage = {
        "current_minute": {"requests_made": 1, "requests_left": _MINUTE_LIMIT - 1},
        "current_day": {"credits_used": 100, "credits_left": None},
        "current_month": {"credits_used": used, "credits_left": _MONTHLY_CREDITS - used},
    }
    return reply({"plan": plan, "usage": usage}, 0)


def fiat_map(_world: World, _version: int, query: Parameters, _now: int) -> Reply:
    """Answer ``fiat/map``: the currencies that the made-up market knows."""
    start, limit = query.integer("start", 1, 1, 10**4), query.integer("limit", 100, 1, 5000)
    every = sorted(CURRENCIES.values(), key=lambda currency: currency.id)
    data = [{"id": c.id, "name": c.name, "sign": c.sign, "symbol": c.symbol} for c in every]
    return reply(data[start - 1 : start - 1 + limit], 1)
