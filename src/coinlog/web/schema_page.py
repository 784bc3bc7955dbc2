"""The page of the API, made from its OpenAPI description: no second list to keep."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from coinlog.web.api_examples import ERRORS, EXAMPLES
from coinlog.web.views import View

Json = dict[str, Any]


class ParameterView(View, frozen=True, kw_only=True):
    """A parameter of an operation: its name, what it may be, and what it means."""

    name: str
    kind: str
    default: str
    description: str
    example: str
    required: bool = False


class OperationView(View, frozen=True, kw_only=True):
    """One operation of the API: what it does, what it takes, what it answers.

    ``about`` is what the type of the answer says of itself; ``errors`` are statuses.
    """

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[ParameterView]
    request: str
    media_type: str
    about: str
    answer: str
    errors: list[int]


class ErrorView(View, frozen=True, kw_only=True):
    """An error that any operation can answer with: when, and how it looks."""

    status: int
    description: str
    answer: str


class SchemaView(View, frozen=True, kw_only=True):
    """The page of the API."""

    version: str
    openapi_url: str
    operations: list[OperationView]
    errors: list[ErrorView]


def schema_view(described: Json) -> SchemaView:
    """Return the operations of the API as the page shows them."""
    parts = described["components"]
    return SchemaView(
        version=described["info"]["version"],
        openapi_url="/schema/openapi.json",
        operations=[
            _operation(path, item["get"], parts["schemas"])
            for path, item in sorted(described["paths"].items())
        ],
        errors=[_error(status, parts["responses"][name]) for status, (name, *_) in ERRORS.items()],
    )


def _operation(path: str, operation: Json, schemas: Json) -> OperationView:
    media_type, content = next(iter(operation["responses"]["200"]["content"].items()))
    example = EXAMPLES.get(path)
    return OperationView(
        anchor=re.sub(r"\W+", "-", path).strip("-"),
        method="GET",
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        parameters=[_parameter(one) for one in operation["parameters"]],
        request=example.request if example else path,
        media_type=media_type,
        about=_about(content["schema"], schemas),
        answer=_pretty(content.get("example", "")),
        errors=[int(status) for status in operation["responses"] if status != "200"],
    )


def _about(schema: Json, schemas: Json) -> str:
    """Return what the type of an answer says of itself, without the marks of its docstring."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return " ".join(schemas.get(name, {}).get("description", "").replace("``", "").split())


def _parameter(parameter: Json) -> ParameterView:
    schema = parameter["schema"]
    limits = [str(schema[limit]) for limit in ("minimum", "maximum") if limit in schema]
    return ParameterView(
        name=parameter["name"],
        kind=" ".join((schema.get("type", ""), " to ".join(limits))).strip(),
        default=str(schema.get("default", "")),
        description=parameter["description"],
        example=str(parameter.get("example", "")),
        required=parameter["required"],
    )


def _error(status: int, response: Json) -> ErrorView:
    example = response["content"]["application/json"]["example"]
    return ErrorView(status=status, description=response["description"], answer=_pretty(example))


def _pretty(example: Any) -> str:  # noqa: ANN401  JSON, or text
    """Return JSON with a line for each value, but lists of plain values on one."""
    if isinstance(example, str):
        return example
    text = msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", _on_one_line, text)


def _on_one_line(found: re.Match[str]) -> str:
    return f"[{' '.join(found[1].split())}]"
