"""Published editions for tests: written into a folder, read back, served as any host would."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from coinlog.publish.carrying_out import Published, publish
from coinlog.watching import Advance

Blocks = dict[str, list[tuple[str, str]]]


@contextmanager
def unwatched(_what: str, _total: int | None) -> Iterator[Advance]:
    """Let nobody watch how far it is."""
    yield lambda _: None


def publish_at(url: sa.URL, folder: Path | str, now: float, **options: Any) -> Published:  # noqa: ANN401  those of publish
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


class _Host(BaseHTTPRequestHandler):
    """Serves a folder as static hosts do.

    A page is at its address without a slash and with one, ``404.html`` is where nothing is, texts
    are packed, and ``_headers`` says what is sent with what.
    """

    protocol_version = "HTTP/1.1"
    folder: Path
    blocks: Blocks

    def do_GET(self) -> None:  # the name that the library asks for
        path = unquote(urlsplit(self.path).path)
        file, status = _found(self.folder, path)
        body = file.read_bytes()
        kind = guess_type(file.name)[0] or "application/octet-stream"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for start, pairs in self.blocks.items():
            for name, value in pairs if path.startswith(start) else ():
                self.send_header(name, value)
        if kind.partition("/")[0] == "text" or kind.endswith(("json", "xml", "javascript")):
            body = gzip.compress(body, 5, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


def _found(folder: Path, path: str) -> tuple[Path, int]:
    """Return the file that answers to a path, and with which status."""
    for file in (folder / path.strip("/"), folder / path.strip("/") / "index.html"):
        if file.is_file():
            return file, 200
    return folder / "404.html", 404


def _blocks(folder: Path) -> Blocks:
    """Return what ``_headers`` holds: pairs by the beginning of a path."""
    blocks: Blocks = {}
    for line in (folder / "_headers").read_text().splitlines():
        if line.startswith("/"):
            pairs = blocks.setdefault(line.rstrip("*"), [])
        elif line.strip():
            name, _, value = line.strip().partition(": ")
            pairs.append((name, value))
    return blocks


class _Server(ThreadingHTTPServer):
    block_on_close = False  # a browser holds connections open, and nobody waits for them

    def handle_error(self, *_: object) -> None:
        """Say nothing of browsers that are closed before they have read an answer."""


@contextmanager
def serving_folder(folder: Path) -> Iterator[str]:
    """Serve a folder as a plain static host does, and give its address."""
    host = type("_HostOfFolder", (_Host,), {"folder": folder, "blocks": _blocks(folder)})
    server = _Server(("127.0.0.1", 0), host)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
