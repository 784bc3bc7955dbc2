"""An example of every operation of the API: what is asked, and an answer that could be given.

The answers are made from the types that the API answers with, so that they cannot drift apart. A
new operation needs an entry here: a test says which one lacks it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from coinlog.gaps import Gap
from coinlog.notice import attribution
from coinlog.web import answers
from coinlog.web.admission import RATE, asked_too_often
from coinlog.web.problems import INTERNAL, STORE_AWAY

_EARLIER, _MISSED, _SLOT, _NEXT = 1_769_407_200, 1_769_428_800, 1_769_450_400, 1_769_472_000
_FIRST = 1_737_914_400
_DAY, _NEXT_DAY, _LAST_DAY = 1_769_299_200, 1_769_385_600, 1_769_472_000


class Example(msgspec.Struct, frozen=True):
    """What is asked, what could be answered (a type's or plain text), and the operation's title."""

    title: str
    request: str
    answer: Any


_ENVELOPE: dict[str, Any] = {
    "as_of": _SLOT + 12,
    "stale": False,
    "next_slot": _NEXT,
    "simulated": False,
    "attribution": answers.Attribution(),
}
_BITCOIN = answers.AssetIdentity(1, "BTC", "Bitcoin", "bitcoin")
_QUOTE = answers.QuoteAnswer(
    price=87654.321,
    market_cap=1751234567890.5,
    fully_diluted_market_cap=1840740741000.0,
    volume_24h=41234567890.25,
    circulating_supply=19978906.0,
    total_supply=19978906.0,
    max_supply=21000000.0,
    num_market_pairs=12345,
    percent_change_1h=0.125,
    percent_change_24h=-2.5,
    percent_change_7d=-5.75,
    percent_change_30d=1.0,
    last_updated=_SLOT - 60,
)
_LISTED: dict[str, Any] = {
    "id": 1,
    "symbol": "BTC",
    "name": "Bitcoin",
    "slug": "bitcoin",
    "rank": 1,
    "slot": _SLOT,
    "quote": _QUOTE,
}
_CANDLES = answers.CandlesAnswer(
    **_ENVELOPE,
    asset=_BITCOIN,
    interval="1d",
    starts=[_DAY, _NEXT_DAY],
    ends=[_NEXT_DAY, _LAST_DAY],
    open=[87001.5, 86920.25],
    high=[88012.75, 87654.321],
    low=[86544.0, 86210.5],
    close=[86890.125, 87654.321],
    points=[4, 4],
    first_slot=[_DAY, _NEXT_DAY],
    last_slot=[_DAY + 64800, _SLOT],
    complete=[True, False],
)
_STORED = answers.SlotAnswer(
    slot=_SLOT,
    outcome="stored",
    reason=None,
    detail=None,
    source="coinmarketcap",
    attempt="1",
    attempts=1,
    observed_at=_SLOT + 12,
    captured_at=_SLOT + 13,
    stored_at=_SLOT + 14,
    assets=208,
    credits=4,
    body_bytes=412345,
    duration_ms=1834,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    notes=[],
    missing=[],
)

_ATTEMPT = answers.AttemptAnswer(
    attempt="1",
    outcome="stored",
    reason=None,
    captured_at=_SLOT + 13,
    credits=4,
    sha256=str(_STORED.sha256),
    settled_at=_SLOT + 14,
)

_WHOSE = f'"{attribution(simulated=False)}"'
_CANDLE_COLUMNS = ",".join(
    (
        *("start", "end", "asset_id", "symbol", "name", "open", "high", "low", "close", "points"),
        *("first_slot", "last_slot", "complete", "attribution"),
    )
)
_DAY_CANDLE = "1,BTC,Bitcoin,87001.5,88012.75,86544.0,86890.125,4"
_DAY_SPAN = "2026-01-25T00:00:00Z,2026-01-25T18:00:00Z"
_SERIES_CSV = f"""slot,observed_at,asset_id,symbol,name,price,origin,attribution
2026-01-26T06:00:00Z,2026-01-26T06:00:12Z,1,BTC,Bitcoin,87001.5,observed,{_WHOSE}
2026-01-26T18:00:00Z,2026-01-26T18:00:12Z,1,BTC,Bitcoin,87654.321,observed,{_WHOSE}
"""
_CANDLES_CSV = f"""{_CANDLE_COLUMNS}
2026-01-25T00:00:00Z,2026-01-26T00:00:00Z,{_DAY_CANDLE},{_DAY_SPAN},true,{_WHOSE}
"""
_SPARK_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32" viewBox="0 0 120 32" '
    'role="img"><title>Price of Bitcoin, 30 days</title>…</svg>'
)
_FRESH = '{"status":"fresh","as_of":1769450412,"slot":1769450400,"next_slot":1769472000,"missed":0}'
_METRICS = """# HELP coinlog_store_up Whether the database can be read.
# TYPE coinlog_store_up gauge
coinlog_store_up 1
# HELP coinlog_missed_slots Slots due since the newest stored one, past their grace.
# TYPE coinlog_missed_slots gauge
coinlog_missed_slots 0
"""

EXAMPLES: dict[str, Example] = {
    "/api/v1/assets": Example(
        "The market table",
        "/api/v1/assets?limit=1&sort=-market_cap",
        answers.AssetsAnswer(**_ENVELOPE, assets=[answers.AssetAnswer(**_LISTED)], total=208),
    ),
    "/api/v1/assets/{asset_id}": Example(
        "One asset",
        "/api/v1/assets/1",
        answers.OneAssetAnswer(
            **_ENVELOPE,
            **_LISTED,
            is_fiat=False,
            listed=True,
            first_slot=_FIRST,
            last_slot=_SLOT,
            names=[answers.NameAnswer(_FIRST, "Bitcoin", "BTC", "bitcoin")],
            record=answers.RecordAnswer(124912.75, 1759795200, 75102.5, 1744056000, 1460, _FIRST),
        ),
    ),
    "/api/v1/assets/{asset_id}/series": Example(
        "An asset's history",
        "/api/v1/assets/1/series?range=7d&fields=price",
        answers.SeriesAnswer(
            **_ENVELOPE,
            asset=_BITCOIN,
            slots=[_EARLIER, _SLOT],
            observed_at=[_EARLIER + 12, _SLOT + 12],
            origin=["observed", "observed"],
            gaps=[Gap(_MISSED, _SLOT, "missed")],
            sampled=False,
            price=[87001.5, 87654.321],
        ),
    ),
    "/api/v1/assets/{asset_id}/series.csv": Example(
        "An asset's history for spreadsheets",
        "/api/v1/assets/1/series.csv?range=7d&fields=price",
        _SERIES_CSV,
    ),
    "/api/v1/assets/{asset_id}/candles": Example(
        "An asset's candles", "/api/v1/assets/1/candles?interval=1d&range=7d", _CANDLES
    ),
    "/api/v1/assets/{asset_id}/candles.csv": Example(
        "An asset's candles for spreadsheets",
        "/api/v1/assets/1/candles.csv?interval=1d&range=7d",
        _CANDLES_CSV,
    ),
    "/api/v1/log": Example(
        "The ledger",
        "/api/v1/log?limit=1",
        answers.LogAnswer(**_ENVELOPE, slots=[_STORED]),
    ),
    "/api/v1/log/{slot}": Example(
        "One slot of the ledger",
        "/api/v1/log/20260126T180000Z",
        answers.OneSlotAnswer(
            **_ENVELOPE,
            **msgspec.structs.asdict(_STORED),
            folder="captures/20260126T180000Z/1",
            settled=[_ATTEMPT],
            before=_MISSED,
            after=None,
        ),
    ),
    "/spark/{name}": Example(
        "An asset's sparkline",
        "/spark/1.svg?range=30d&width=120&height=32",
        _SPARK_SVG,
    ),
    "/live": Example("Is the process up", "/live", '{"status":"up"}'),
    "/ready": Example("Can it serve", "/ready", '{"status":"ready"}'),
    "/fresh": Example("Is the data new", "/fresh", _FRESH),
    "/metrics": Example("What there is to count", "/metrics", _METRICS),
}

ERRORS: dict[int, tuple[str, str, str]] = {
    400: (
        "BadRequest",
        (
            "A parameter is unknown, given twice or has a value that cannot be used; or the "
            "request cannot be read."
        ),
        "limit='0' cannot be used: expected int >= 1, for example limit=100",
    ),
    404: (
        "NotFound",
        "There is no such asset, slot or address.",
        "no asset with the id 999999 has been recorded: /api/v1/assets?q=bitcoin finds ids by name",
    ),
    405: (
        "MethodNotAllowed",
        "Nothing here can be written.",
        "POST is not answered here: use GET or HEAD",
    ),
    408: (
        "TooSlow",
        "The request did not arrive within 20 seconds.",
        "the request did not arrive in time",
    ),
    429: (
        "TooMany",
        (
            "The address has sent more requests than it may within a minute; `Retry-After` says "
            "after how many seconds one is answered again."
        ),
        asked_too_often(RATE, 1),
    ),
    500: ("Internal", "Something is wrong in coinlog itself.", INTERNAL),
    503: (
        "StoreUnavailable",
        (
            "The database cannot be read at the moment, or there are too many connections. What "
            "was answered before is answered again, with its age."
        ),
        STORE_AWAY.format(
            away="has not been readable since 2026-01-26T18:00:00Z", cause="it cannot be reached"
        ),
    ),
}
"""Every error: its name in the description, when it is given, and an example of its sentence."""
