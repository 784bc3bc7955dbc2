"""The API's description for programs (OpenAPI 3.1), made complete.

What the framework finds out by itself is kept: parameters, limits and types. What it cannot know
is added: titles, examples of requests and answers, and every error in its one shape.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPI

from coinlog.web.answers import ErrorAnswer, error_answer
from coinlog.web.api_examples import ERRORS, EXAMPLES, Example

Json = dict[str, Any]


_TOO_MANY = 429
_RETRY_AFTER = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}


def describe_api(openapi: OpenAPI) -> Json:
    """Return the whole description as it is sent."""
    found = openapi.to_schema()
    for path, item in found["paths"].items():
        item["get"] = _operation(path, item["get"])
    parts = found.setdefault("components", {})
    parts["responses"] = {name: _error(status) for status, (name, _, _) in ERRORS.items()}
    _, schemas = msgspec.json.schema_components(
        [ErrorAnswer], ref_template="#/components/schemas/{name}"
    )
    parts.setdefault("schemas", {}).update(schemas)
    return found


def _operation(path: str, operation: Json) -> Json:
    example = EXAMPLES.get(path)
    responses = operation["responses"]
    ok = responses["200"]
    ok["description"] = "The answer"
    ok.pop("headers", None)
    if example:
        for content in ok.get("content", {}).values():
            content["example"] = answer_of(example)
    return {
        "summary": example.title if example else operation["summary"],
        "description": _one_paragraph(operation.get("description", "")),
        "operationId": _id_of(path),
        "tags": [path.split("/")[1]],
        "parameters": [_parameter(one) for one in operation.get("parameters", [])],
        "responses": {
            "200": ok,
            **{
                str(status): {"$ref": f"#/components/responses/{ERRORS[status][0]}"}
                for status in errors_of(path)
            },
        },
    }


def answer_of(example: Example) -> Any:  # noqa: ANN401  JSON, or text
    """Return an example's answer as it stands in JSON: structured, or as text."""
    if not isinstance(example.answer, str):
        return msgspec.to_builtins(example.answer)
    is_json = example.answer.startswith("{")
    return msgspec.json.decode(example.answer) if is_json else example.answer


def errors_of(path: str) -> list[int]:
    """Return the statuses of the errors that an operation can answer with."""
    absent = set() if "{" in path else {404}
    return [status for status in ERRORS if status not in absent]


def error_example(status: int) -> ErrorAnswer:
    """Return an example of an error."""
    return error_answer(status, ERRORS[status][2])


def _error(status: int) -> Json:
    _, description, _ = ERRORS[status]
    return {
        "description": description,
        **({"headers": {"Retry-After": _RETRY_AFTER}} if status == _TOO_MANY else {}),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ErrorAnswer"},
                "example": msgspec.to_builtins(error_example(status)),
            }
        },
    }


def _parameter(parameter: Json) -> Json:
    """Return a parameter without what the framework repeats: one example, one type."""
    schema = dict(parameter["schema"])
    examples = schema.pop("examples", [])
    description = schema.pop("description", "")
    for choice in schema.pop("oneOf", []):
        # Absent is what null means in an address.
        if choice != {"type": "null"}:
            schema.update(choice)
    for limit in ("minimum", "maximum"):
        if limit in schema:
            schema[limit] = int(schema[limit])
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter["required"],
        "description": parameter.get("description", description),
        "schema": schema,
        **({"example": examples[0]} if examples else {}),
    }


def _one_paragraph(text: str) -> str:
    return " ".join(text.split())


def _id_of(path: str) -> str:
    """Return an operation's name for generated clients: ``assets_asset_id_series_csv``."""
    return re.sub(r"\W+", "_", path.removeprefix("/api/v1")).strip("_")
