"""What goes wrong while answering, as one HTTP status, one code and one sentence for the public."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException, NotFoundException, ValidationException
from litestar.openapi.spec import Parameter

from coinlog.errors import CoinlogError, NotFoundError, SchemaError, StoreError, UsageError
from coinlog.slots import iso
from coinlog.store.engine import NO_TABLES, OLDER_TABLES
from coinlog.web.answers import CODES, ErrorDetail

log = logging.getLogger(__name__)


class BusyError(CoinlogError):
    """So much of this kind waits to be made that no more is taken."""


class NoSuchAssetError(NotFoundError):
    """No asset of this id has been recorded."""


STORE_AWAY = (
    "the database {away}: {cause}; what a recorder captures meanwhile is kept "
    "in the archive and loaded when it is back; try again in a minute"
)
RETRY_SECONDS = 60
"""When to ask again for what cannot be answered: the minute that the messages name."""

_CAUSES = {
    "(1040,": "it takes no more connections",
    "(1203,": "it takes no more connections",
    "(1045,": "it refuses our user",
    "(1044,": "it refuses our user",
    "(1142,": "it refuses our user",
    "CERTIFICATE": "its certificate cannot be trusted",
    "said nothing": "it does not answer in time",
    "timed out": "it does not answer in time",
    "interrupted": "it does not answer in time",
    "(1969,": "it does not answer in time",
    "(3024,": "it does not answer in time",
    "unable to open": "its file is not there, or may not be read",
    "not a database": "its file is something else or damaged",
    "malformed": "its file is something else or damaged",
    "disk I/O": "its disk fails",
    "(2003,": "it cannot be reached",
    "(2006,": "it cannot be reached",
    "(2013,": "it cannot be reached",
}
NO_HOST = "the request's Host header is not the name of a host"
INTERNAL = "something is wrong in coinlog itself: the log of the program says what"


def describe(error: Exception, request: Request[Any, Any, Any]) -> ErrorDetail:
    """Return what the public is told of an error: never the database's own words."""
    if isinstance(error, StoreError):
        since: int | None = request.app.state.cache.watch.away_since
        # That the store is away has been said once, when it was noticed.
        log.log(logging.WARNING if since is None else logging.DEBUG, "%s", error)
        return _detail(503, store_away(error, since))
    if isinstance(error, BusyError):
        return ErrorDetail(503, "too_many", str(error))
    if isinstance(error, UsageError):
        return _detail(404 if isinstance(error, NotFoundError) else 400, str(error))
    if isinstance(error, ClientException):
        return _refused(error, request)
    log.error("an answer failed", exc_info=error)
    return _detail(500, INTERNAL)


def more_than_the_page(error: Exception, detail: ErrorDetail) -> str:
    """Return what an English page adds to its own sentences; empty where those say it all.

    Addresses of the API help programs, and nobody who reads a page.
    """
    said = (StoreError, NoSuchAssetError, NotFoundException)
    known = isinstance(error, said) or detail.message == INTERNAL
    return "" if known else detail.message


def store_away(error: StoreError, since: int | None) -> str:
    """Return what the public is told of a store that cannot be read."""
    away = "cannot be read now" if since is None else f"has not been readable since {iso(since)}"
    return STORE_AWAY.format(away=away, cause=cause_of(error))


def cause_of(error: StoreError) -> str:
    """Return why the store cannot be read, in words that name no host, user or file."""
    text = str(error)
    if isinstance(error, SchemaError):
        return f"it {NO_TABLES if NO_TABLES in text else OLDER_TABLES}"
    return next((cause for sign, cause in _CAUSES.items() if sign in text), "it cannot be used")


def _refused(error: ClientException, request: Request[Any, Any, Any]) -> ErrorDetail:
    """Return what is told of an error that the framework finds before we see the request."""
    if isinstance(error, ValidationException):
        return _detail(400, _validation_sentence(error, request))
    if isinstance(error, NotFoundException):
        return _detail(404, f"there is nothing at {request.url.path[:200]}: /schema lists the API")
    return _detail(400, NO_HOST)


def _detail(status: int, message: str) -> ErrorDetail:
    return ErrorDetail(status, CODES.get(status, "error"), message)


def _validation_sentence(error: ValidationException, request: Request[Any, Any, Any]) -> str:
    """Return what is wrong with a parameter: what was got, what is expected, an example."""
    found = error.extra if isinstance(error.extra, list) else []
    for one in found:
        name, message = one.get("key", ""), one.get("message", "")
        got = {**request.path_params, **request.query_params}.get(name, "")
        expected = message.partition(", got")[0].replace("`", "").replace("Expected", "expected")
        return (
            f"{name}={str(got)[:40]!r} cannot be used: {expected}, for example "
            f"{name}={example_of(request, name)}"
        )
    return error.detail


def documented(request: Request[Any, Any, Any]) -> list[Parameter]:
    """Return the parameters that the API's own description gives the request's address."""
    paths = request.app.openapi_schema.paths or {}
    operation = paths[request.scope["path_template"]].get
    parameters = (operation.parameters if operation else None) or []
    return [one for one in parameters if isinstance(one, Parameter)]


def example_of(request: Request[Any, Any, Any], name: str) -> str:
    """Return the example that the API's description gives for a parameter."""
    return next((first_example(one) for one in documented(request) if one.name == name), "1")


def first_example(parameter: Parameter) -> str:
    """Return a parameter's first example as text, empty where it has none."""
    examples = getattr(parameter.schema, "examples", None) or []
    return str(examples[0]) if examples else ""
