"""The made-up market in a process of its own, for ``coinlog up --simulated``."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from coinlog.errors import CoinlogError
from coinlog.simulated.server import DEFAULT_ASSETS, DEFAULT_SEED, run

_START_SECONDS = 30
_LOOK_SECONDS = 1.0
# Not forked: a fork would share this process's sockets and signal handlers.
_spawn = multiprocessing.get_context("spawn")


@contextmanager
def simulated_process(*, seed: int = DEFAULT_SEED, assets: int = DEFAULT_ASSETS) -> Iterator[str]:
    """Serve a made-up market beside this process; yield its base URL.

    It ends with the block, and also when this process is killed.

    Raises:
        CoinlogError: it does not start.
    """
    ours, theirs = _spawn.Pipe(duplex=False)
    process = _spawn.Process(target=_serve, args=(theirs, os.getpid(), seed, assets), daemon=True)
    process.start()
    theirs.close()
    try:
        yield _address(ours)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _address(pipe: Connection) -> str:
    try:
        if pipe.poll(_START_SECONDS):
            return str(pipe.recv())
    except EOFError:
        pass
    raise CoinlogError(
        f"the simulated market did not start within {_START_SECONDS} s: "
        "see what `coinlog simulate` says"
    )


def _serve(pipe: Connection, parent: int, seed: int, assets: int) -> None:
    # Ctrl-C reaches the whole group; the parent ends us when it is done.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    run("127.0.0.1", 0, seed=seed, assets=assets, announce=pipe.send)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, however that went."""
    nothing = threading.Event()
    while os.getppid() == parent:
        nothing.wait(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
