"""The made-up market as a real HTTP server: in the foreground, or in a thread for tests."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType

import uvicorn

from coinlog.errors import UsageError
from coinlog.simulated.application import Application
from coinlog.simulated.faults import parse_faults
from coinlog.simulated.profiles import MAX_ASSETS

DEFAULT_SEED = 250
DEFAULT_ASSETS = 1_000
DEFAULT_PORT = 8333


def create_app(
    *,
    seed: int = DEFAULT_SEED,
    assets: int = DEFAULT_ASSETS,
    faults: Mapping[str, float] | None = None,
) -> Application:
    """Return the ASGI application of a made-up market with ``assets`` assets.

    Raises:
        UsageError: there are fewer than 2 or more than 10,000 assets.
    """
    if not 2 <= assets <= MAX_ASSETS:
        raise UsageError(
            f"{assets} assets cannot be simulated: expected from 2 to {MAX_ASSETS}, "
            f"for example {DEFAULT_ASSETS}"
        )
    return Application(seed=seed, assets=assets, faults=faults or {})


def run(  # noqa: PLR0913  each is an option of `coinlog simulate`
    host: str,
    port: int,
    *,
    seed: int = DEFAULT_SEED,
    assets: int = DEFAULT_ASSETS,
    faults: Sequence[str] = (),
    announce: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve a made-up market until SIGINT or SIGTERM.

    ``announce`` is called with the base URL as soon as requests are accepted; ``port`` 0 takes a
    free one. ``faults`` are texts such as ``1008:0.1``: that share of the requests fails so.

    Raises:
        UsageError: the address cannot be listened on, or an argument cannot be used.
    """
    app = create_app(seed=seed, assets=assets, faults=parse_faults(faults))
    with _listen(host, port) as listener:
        server = _Server(app, listener, announce)
        with _stopped_by_signals(server):
            server.run(sockets=[listener])


@contextlib.contextmanager
def simulated_server(
    *, seed: int = DEFAULT_SEED, assets: int = 300, faults: Sequence[str] = ()
) -> Iterator[str]:
    """Serve a made-up market on a free port from a thread; yield its base URL.

    For tests and benchmarks: the socket and the thread are gone when the block ends.
    """
    app = create_app(seed=seed, assets=assets, faults=parse_faults(faults))
    ready = threading.Event()
    with _listen("127.0.0.1", 0) as listener:
        server = _Server(app, listener, lambda _url: ready.set())
        thread = threading.Thread(target=server.run, args=([listener],), name="simulated-market")
        thread.start()
        try:
            ready.wait()
            yield server.url
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it is ready and leaves signals to us."""

    def __init__(
        self, app: Application, listener: socket.socket, announce: Callable[[str], None]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                interface="asgi3",
                log_config=None,
                log_level="critical",  # Broken connections are made on purpose here.
                access_log=False,
                date_header=False,  # The application's clock is the one that was asked for.
                server_header=False,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
            )
        )
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept requests, then say so."""
        await super().startup(sockets)
        self._announce(self.url)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: in a thread they are not ours, and ``run`` handles them."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; its errors say what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} on {host} is in use: stop the program that listens there, or choose "
                f"another port, for example --port {port + 1 if port < 65_535 else DEFAULT_PORT}"
            ) from error
        raise UsageError(
            f"cannot listen on {host} port {port} ({error.strerror or error}): expected an address "
            f"of this machine and a free port, for example --host 127.0.0.1 --port {DEFAULT_PORT}"
        ) from error


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the server in order, and restore the handlers after."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
