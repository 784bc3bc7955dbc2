"""The page of the API, made from its OpenAPI description: no second list to keep."""

from __future__ import annotations

from urllib.parse import urlencode

from litestar.openapi.spec import OpenAPI, Operation, Parameter

from coinlog.web.problems import first_example
from coinlog.web.views import View

ERRORS = (
    "400 a parameter is unknown or its value cannot be used",
    "404 there is no such asset",
    "503 the database cannot be read at the moment",
)
EXAMPLES = {
    "/api/v1/assets": """{
  "assets": [{
    "id": 1, "symbol": "BTC", "name": "Bitcoin", "slug": "bitcoin", "rank": 1, "slot": 1769450400,
    "quote": {"price": 87654.321, "market_cap": 1751234567890.5, "percent_change_24h": -2.5, ...}
  }],
  "total": 200, "currency": "USD", "as_of": 1769450412, "stale": false, "next_slot": 1769472000, ...
}""",
    "/api/v1/assets/{asset_id}": """{
  "id": 1, "symbol": "BTC", "name": "Bitcoin", "slug": "bitcoin", "rank": 1,
  "listed": true, "slot": 1769450400, "quote": {"price": 87654.321, ...},
  "first_slot": 1737914400, "last_slot": 1769450400,
  "names": [{"from_slot": 1737914400, "name": "Bitcoin", "symbol": "BTC", "slug": "bitcoin"}],
  "record": {"high": 124912.75, "high_slot": 1759795200, "low": 75102.5, "low_slot": 1744056000,
  "quotes": 1460}, ...
}""",
    "/api/v1/assets/{asset_id}/series": """{
  "asset": {"id": 1, "symbol": "BTC", "name": "Bitcoin", "slug": "bitcoin"}, "currency": "USD",
  "slots": [1769407200, 1769450400], "observed_at": [1769407212, 1769450412],
  "price": [87001.5, 87654.321], "origin": ["observed", "observed"],
  "gaps": [{"from": 1769428800, "to": 1769450400, "reason": "missed"}], "sampled": false, ...
}""",
    "/api/v1/assets/{asset_id}/series.csv": """slot,observed_at,asset_id,symbol,name,price,...
2026-01-26T18:00:00Z,2026-01-26T18:00:12Z,1,BTC,Bitcoin,87654.321,...""",
    "/api/v1/assets/{asset_id}/candles": """{
  "asset": {"id": 1, "symbol": "BTC", "name": "Bitcoin", "slug": "bitcoin"}, "currency": "USD",
  "interval": "1d", "starts": [1769299200, 1769385600], "ends": [1769385600, 1769472000],
  "open": [87001.5, 86920.25], "high": [88012.75, 87654.321], "low": [86544.0, 86210.5],
  "close": [86890.125, 87654.321], "points": [4, 4], "first_slot": [1769299200, 1769385600],
  "last_slot": [1769364000, 1769450400], "complete": [true, false], ...
}""",
    "/api/v1/assets/{asset_id}/candles.csv": """start,end,asset_id,symbol,name,open,high,low,...
2026-01-25T00:00:00Z,2026-01-26T00:00:00Z,1,BTC,Bitcoin,87001.5,88012.75,86544.0,...""",
    "/api/v1/log": """{
  "slots": [{
    "slot": 1769450400, "outcome": "stored", "reason": null, "observed_at": 1769450412,
    "captured_at": 1769450413, "stored_at": 1769450414, "assets": 208, "credits": 4, ...
  }], ...
}""",
    "/api/v1/log/{slot}": """{
  "slot": 1769450400, "outcome": "stored", "observed_at": 1769450412, "captured_at": 1769450413,
  "assets": 208, "credits": 4, "sha256": "9f2c...", "folder": "captures/20260126T180000Z/1",
  "settled": [{"attempt": "1", "outcome": "stored", "captured_at": 1769450413, ...}],
  "before": 1769428800, "after": null, ...
}""",
}
_MOST_TELLING = ("limit", "interval", "range", "fields")


class ParameterView(View, frozen=True, kw_only=True):
    """A parameter of an operation of the API."""

    name: str
    where: str
    description: str
    example: str
    required: bool = False


class OperationView(View, frozen=True, kw_only=True):
    """One operation of the API: what it does, what it takes, what it answers."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[ParameterView]
    example_url: str
    example_answer: str
    errors: list[str]


class SchemaView(View, frozen=True, kw_only=True):
    """The page of the API."""

    version: str
    openapi_url: str
    operations: list[OperationView]


def schema_view(openapi: OpenAPI) -> SchemaView:
    """Return the operations of the API as the page shows them."""
    paths = openapi.paths or {}
    return SchemaView(
        version=openapi.info.version,
        openapi_url="/schema/openapi.json",
        operations=[_operation(path, item.get) for path, item in sorted(paths.items()) if item.get],
    )


def _operation(path: str, operation: Operation) -> OperationView:
    documented = [one for one in operation.parameters or [] if isinstance(one, Parameter)]
    parameters = [_parameter(one) for one in documented]
    return OperationView(
        method="GET",
        path=path,
        summary=(operation.summary or path),
        description=(operation.description or ""),
        parameters=parameters,
        example_url=_example_url(path, parameters),
        example_answer=EXAMPLES.get(path, ""),
        errors=list(ERRORS),
    )


def _parameter(parameter: Parameter) -> ParameterView:
    return ParameterView(
        name=parameter.name,
        where=parameter.param_in,
        description=parameter.description or "",
        example=first_example(parameter),
        required=parameter.required,
    )


def _example_url(path: str, parameters: list[ParameterView]) -> str:
    values = {one.name: one.example for one in parameters if one.where == "path"}
    query = {
        one.name: one.example
        for one in parameters
        if one.where == "query" and one.name in _MOST_TELLING and one.example
    }
    return path.format(**values) + (f"?{urlencode(query)}" if query else "")
