"""One serving process: uvicorn with our protocol, until it is told to stop."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import resource
import socket
from contextlib import suppress
from math import ceil

import uvicorn

from coinlog.web.admission import Admission
from coinlog.web.allowance import Allowance
from coinlog.web.cache import ByteCache
from coinlog.web.i18n import languages
from coinlog.web.look import environment
from coinlog.web.patience import MAX_CONNECTIONS, Limits
from coinlog.web.protocol import protocol_with

GRACEFUL_SECONDS = 2
_SPARE_FILES = 64
_NEEDED_SOON = (
    "anyio._backends._asyncio",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvloop",
)


def server_for(app: ByteCache, limits: Limits | None = None) -> uvicorn.Server:
    """Return a server of the application, to be run on sockets that listen already."""
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    has_uvloop = importlib.util.find_spec("uvloop") is not None
    config = uvicorn.Config(
        app,
        http=protocol_with(limits or Limits(connections=allowed_connections())),
        loop="uvloop" if has_uvloop else "asyncio",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    return uvicorn.Server(config)


def warm_up() -> None:
    """Load what the first requests would load, so that all workers share one copy of it."""
    for module in _NEEDED_SOON:
        with suppress(ImportError):  # uvloop is not there on every system
            importlib.import_module(module)
    for language in languages():
        templates = environment(language)
        for name in templates.list_templates():
            templates.get_template(name)


def run_worker(
    app: ByteCache, sockets: list[socket.socket], limits: Limits, number: int = 0
) -> None:
    """Serve until SIGTERM or SIGINT; ``number`` tells the workers apart."""
    app.tallies.become(number)
    server_for(app, limits).run(sockets)


def limits_for(admission: Admission, workers: int) -> Limits:
    """Return what each of some workers allows; made before forking, so that all count together.

    Connections are spread over the workers by the system, so each has its share of an address's.
    """
    return Limits(
        connections=allowed_connections(),
        connections_of_one=ceil(admission.connections / workers),
        proxies=admission.proxies,
        allowance=Allowance(admission.rate) if admission.rate else None,
    )


def allowed_connections() -> int:
    """Return how many connections the limit of open files leaves room for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, min(MAX_CONNECTIONS, files - _SPARE_FILES))
