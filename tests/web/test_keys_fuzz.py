"""The byte cache's names of answers: what has one name has one answer, however it was asked."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import quote_plus, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlog.web.canonical import key_of
from coinlog.web.security import Message
from coinlog.web.sending import Answer
from samples import SLOT
from sites import Site, _scope

EXAMPLES = 60

PATHS = (
    *("/", "/es/", "/es", "/overview", "/market", "/assets/1", "/es/assets/1", "/compare", "/log"),
    *("/embed/1", "/embed/compare", "/spark/1.svg", "/keys", "/log.atom", "/assets/77"),
    *("/api/v1/assets", "/api/v1/assets/1", "/api/v1/assets/1/series", "/api/v1/log"),
    *("/api/v1/assets/1/series.csv", "/api/v1/assets/1/candles", "/data/latest.json"),
    *("/data/assets/1/2026-01.json", f"/log/{SLOT}"),
)
VALUES = {
    "range": ("1y", "30d", "all", "1Y", ""),
    "from": ("", str(SLOT - 90_000), "2026-01-25", "2026-01-25T00:00:00+00:00", "x"),
    "to": ("", str(SLOT), "2026-01-26"),
    "field": ("price", "rank", "dominance", "nonsense"),
    "scale": ("", "log", "percent", "LOG"),
    "form": ("line", "area", "candles"),
    "currency": ("USD", "EUR", "usd"),
    "q": ("", " ", "a", "a b", "a+b", "=", "&", "q=a", "null", "é"),
    "sort": ("rank", "-rank", "name", "", "-percent_change_24h"),
    "only": ("", "gainers", "losers", "favourites"),
    "cap": ("", "1b", "unknown"),
    "show": ("", "rank,price", "price,rank", "market_cap"),
    "ids": ("", "1", "1,1027", "1,,1027", "1027,1"),
    "limit": ("50", "100", "10", "050", "-1", "1e2"),
    "offset": ("0", "1", "00"),
    "part": ("", "market", "chart", "nonsense"),
    "at": ("", str(SLOT), "2026-01-26T18:00:00Z"),
    "before": ("", str(SLOT)),
    "year": ("", "2026", "2025"),
    "theme": ("", "dark", "pink"),
    "width": ("120", "0120", "16", "x"),
    "height": ("32", "8"),
    "fields": ("price", "price,rank", "rank,price"),
    "points": ("500", "0500", "null"),
    "interval": ("1d", "1h"),
    "utm_source": ("x", ""),
}
PAIRS = st.sampled_from([(name, value) for name, values in VALUES.items() for value in values])
QUERIES = st.lists(PAIRS, max_size=5)


def asked_past_the_cache(web: Site, path: str, query: str) -> tuple[int, bytes]:
    answer = Answer()

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask() -> None:
        await web.app.inner(_scope(f"{path}?{query}", {}, "GET", "http"), nothing, answer.catch)

    asyncio.run(ask())
    return answer.status, answer.body


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(PATHS), QUERIES, QUERIES, st.randoms(use_true_random=False))
def test_what_has_one_name_has_one_answer(
    asked_web: Site,
    path: str,
    one: list[tuple[str, str]],
    more: list[tuple[str, str]],
    chance: random.Random,
) -> None:
    other = [*one, *more]
    chance.shuffle(other)
    ways = [urlencode(pairs) for pairs in (one, other, [*dict(one).items()])]
    ways.append("&".join(f"{n}={quote_plus(v, safe=',=')}" for n, v in one))
    answers = {way: asked_past_the_cache(asked_web, path, way) for way in dict.fromkeys(ways)}

    kept: dict[object, tuple[int, bytes]] = {}
    for way, (status, body) in answers.items():
        assert status in (200, 302, 400, 404), (path, way)
        key = key_of(path, way.encode())
        if key is not None:
            # Refusals are not kept, and quote what they refuse.
            answer = (status, body if status == 200 else b"")
            assert kept.setdefault(key, answer) == answer, (path, way)
