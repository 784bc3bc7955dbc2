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
_MOST_TELLING = ("limit", "range", "fields")


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
        example_answer="",
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
