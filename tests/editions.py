"""Published editions for tests: written into a folder, read back, served as any host would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from coinlog.publish.carrying_out import Published, publish
from coinlog.watching import Advance


@contextmanager
def unwatched(_what: str, _total: int | None) -> Iterator[Advance]:
    """Let nobody watch how far it is."""
    yield lambda _: None


def publish_at(url: sa.URL, folder: Path, now: float, **options: Any) -> Published:  # noqa: ANN401  those of publish
    """Publish a store as it stands at a time.

    In a thread of its own: where a browser has been started, this one has an event loop already.
    """
    usual = {"watch": unwatched, "consent": lambda _: True, "clock": lambda: now}
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(publish, url, folder, **{**usual, **options}).result()


def files_of(folder: Path) -> dict[str, bytes]:
    """Return all files of an edition but for its manifest, by path."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        name: path.read_bytes()
        for path in sorted(found)
        for name in (path.relative_to(folder).as_posix(),)
        if not name.startswith(".coinlog/")
    }


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """Serve a folder as a plain static host does, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
