"""The parameters that addresses of the API share, with what each can be.

Values are checked where they are used, with a sentence; the patterns here only tell programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from coinlog.market import QUOTE_FIELDS
from coinlog.slots import MAX_ASSET_ID
from coinlog.timeline import RANGES
from coinlog.web import query

DEFAULT_LIMIT = 100
_TIME = "^([0-9]{9,11}|20[0-9]{2}-.+)$"


def parameter(name: str, description: str, example: Any, **limits: Any) -> QueryParameter:  # noqa: ANN401  Litestar's own types
    """Return a parameter of an address with its description and an example."""
    examples = [Example(value=example)]
    return QueryParameter(name=name, description=description, examples=examples, **limits)


def choice(name: str, description: str, example: str, choices: Sequence[str]) -> QueryParameter:
    """Return a parameter that is one of several words."""
    return parameter(name, description, example, schema_extra={"enum": [*choices]})


def several(
    name: str, description: str, example: str, of: str, longest: int | None = None
) -> QueryParameter:
    """Return a parameter that lists things of a pattern with commas between."""
    pattern = {"pattern": f"^({of})(,({of}))*$"}
    return parameter(name, description, example, schema_extra=pattern, max_length=longest)


def moment(name: str, description: str, example: str) -> QueryParameter:
    """Return a parameter that is a time."""
    return parameter(name, description, example, schema_extra={"pattern": _TIME})


AssetId = Annotated[
    int,
    PathParameter(
        description="The asset's CoinMarketCap id.",
        examples=[Example(value=1)],
        ge=1,
        le=MAX_ASSET_ID,
    ),
]
Limit = Annotated[int, parameter("limit", "How many at most.", 100, ge=1, le=query.MAX_LIMIT)]
Range = Annotated[
    str | None,
    choice("range", "1d, 7d, 30d, 90d, 1y or all; else 1y, or from and to.", "30d", [*RANGES]),
]
From = Annotated[
    str | None, moment("from", "Start: ISO 8601 or epoch seconds.", "2026-01-01T00:00:00Z")
]
To = Annotated[str | None, moment("to", "End, included; now unless given.", "2026-01-31T18:00:00Z")]
Fields = Annotated[
    str | None, several("fields", "Fields of a quote.", "price,market_cap", "|".join(QUOTE_FIELDS))
]
Points = Annotated[
    int | None,
    parameter("points", "Thin to so many, keeping extremes.", 500, ge=10, le=query.MAX_POINTS),
]
Before = Annotated[
    str | None, moment("before", "Only slots before this time.", "2026-01-26T18:00:00Z")
]
