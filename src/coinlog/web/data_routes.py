"""The files under ``/data/``, made from the store: what a published edition has ready as files."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State

from coinlog.chunks.files import read_file
from coinlog.chunks.names import Named, parse
from coinlog.chunks.record import Record
from coinlog.errors import NotFoundError
from coinlog.web.api import TheWatch
from coinlog.web.watch import Moment, Watch

JSON = "application/json"


@get("/data/{path:path}", include_in_schema=False)
async def data(request: Request[Any, Any, State], watch: TheWatch) -> Response[bytes]:
    """Return a file; what its address asks beyond its path is ignored, as by a static host."""
    # As it was sent: Litestar's own has lost a slash at its end, and names are exact.
    path = request.scope["raw_path"].decode()
    named = parse(path.removeprefix("/data/"))
    build: str = request.app.state.bundle.build
    body = None if named is None else await watch.read(partial(_read, watch, build), named)
    if body is None:
        raise NotFoundError(f"there is no file at {path[:200]}: docs/data.md lists them")
    return Response(body, media_type=JSON)


def _read(watch: Watch, build: str, named: Named) -> bytes | None:
    with watch.moment() as moment:
        return read_file(record_of(watch, moment), named, build)


def record_of(watch: Watch, moment: Moment) -> Record:
    """Return a moment as files are made from it."""
    return Record(watch.reader, moment.head, moment.now, partial(watch.timeline, moment))
