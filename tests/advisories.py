"""A server that knows of holes: it answers pip-audit as OSV does, and npm as its registry does."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Advisories:
    """The server; ``holes`` are the names of packages that have one."""

    def __init__(self, *holes: str) -> None:
        self.asked: set[str] = set()
        self.holes = holes
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._http.server_port}/"

    def answer(self, told: dict[str, Any]) -> dict[str, Any]:
        """Return what is known of a package, as OSV is asked, or of many, as npm asks."""
        if "package" in told:
            name = told["package"]["name"]
            self.asked.add(name)
            return {"vulns": [_osv(name)]} if name in self.holes else {}
        self.asked |= told.keys()
        return {name: [_npm()] for name in told if name in self.holes}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                packed = self.headers.get("Content-Encoding") == "gzip"
                told = json.loads(gzip.decompress(body) if packed else body)
                self._send(200, json.dumps(server.answer(told)).encode())

            def do_GET(self) -> None:
                self._send(404, b"{}")

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                """Keep the tests' output clean."""

        return Handler


def _osv(name: str) -> dict[str, Any]:
    fixed = [{"introduced": "0"}, {"fixed": "99"}]
    ranges = [{"type": "ECOSYSTEM", "events": fixed}]
    package = {"name": name, "ecosystem": "PyPI"}
    return {
        "id": "PYSEC-0000-1",
        "details": "made up",
        "affected": [{"package": package, "ranges": ranges}],
    }


def _npm() -> dict[str, Any]:
    return {
        "id": 1,
        "url": "https://example.org/hole",
        "title": "a hole that is made up",
        "severity": "high",
        "vulnerable_versions": "<99",
        "cwe": [],
        "cvss": {"score": 7, "vectorString": ""},
    }
