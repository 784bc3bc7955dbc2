"""Answers in the words of the source's v3, for tests: rows, envelopes, a whole small market."""

from __future__ import annotations

from cmc_server import CMCServer, Exchange, json_reply

LISTINGS = "/v3/cryptocurrency/listings/latest"
QUOTES = "/v3/cryptocurrency/quotes/latest"
GLOBAL = "/v1/global-metrics/quotes/latest"
GREED = "/v3/fear-and-greed/latest"
STATUS = {"timestamp": "2026-01-26T18:00:30.000Z", "error_code": "0", "credit_count": 1}
SLOT = 1_769_450_400  # 2026-01-26T18:00:00Z

Row = dict[str, object]


def row(asset_id: int, price: object = 1.5, **further: object) -> Row:
    """Return an asset's row, with a price in USD."""
    quote = [{"id": 2781, "symbol": "USD", "price": price}]
    names = {"name": f"Asset {asset_id}", "symbol": "A", "slug": f"asset-{asset_id}"}
    return {"id": asset_id, **names, "quote": quote, "tags": [{"slug": "pow"}], **further}


def told(data: object, **status: object) -> dict[str, object]:
    """Return data in the source's envelope."""
    return {"data": data, "status": {**STATUS, **status}}


GLOBAL_DATA = {"btc_dominance": 55.5, "quote": {"2781": {"total_market_cap": 3e12}}}
GREED_DATA = {"value": 35, "value_classification": "Fear", "update_time": "2026-01-26T18:00:00Z"}


def by_id(exchange: Exchange) -> None:
    """Answer a request by ids with a row for each."""
    ids = [int(text) for text in exchange.request.params["id"].split(",")]
    json_reply(told([row(asset_id) for asset_id in ids]))(exchange)


def pages(exchange: Exchange) -> None:
    """Answer a page of a market of 9,000 assets, 10 a page at most."""
    start, limit = (int(exchange.request.params[name]) for name in ("start", "limit"))
    ids = range(start, min(start + limit, start + 10, 9001))
    json_reply(told([row(asset_id) for asset_id in ids]))(exchange)


TWO = [row(1), row(1027)]


def serve_market(server: CMCServer) -> None:
    """Let a server answer every request of a slot: 10 assets a page, and every id asked for."""
    server.on(LISTINGS, pages)
    server.on(QUOTES, by_id)
    server.on(GLOBAL, json_reply(told(GLOBAL_DATA)))
    server.on(GREED, json_reply(told(GREED_DATA)))
