"""A receiver of alerts: a real HTTP server, spoken to by Apprise's ``json://``."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

SECRET = "a-topic-nobody-guesses"
TOKEN = "3ccdd113474722377935511fc85d3dd4"
PATIENCE_SECONDS = 20.0


class Receiver:
    """Keeps what it is sent; can be slow, refuse, or be away, and come back on the same port."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.refused: set[str] = set()
        """Channels, and titles of messages, that are refused whatever the status."""
        self.answers_late = False
        """Whether a message is taken, and its answer waits for ``go_on`` alone."""
        self.go_on = threading.Event()
        self.go_on.set()
        self._http: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{SECRET}"

    @property
    def channels_url(self) -> str:
        """Return the beginning of an address with several recipients: its channels follow."""
        return f"mmost://127.0.0.1:{self.port}/{TOKEN}?channels="

    @property
    def subjects(self) -> list[str]:
        return [str(message["title"]) for message in self.messages]

    def start(self) -> None:
        self._http = _Server(("127.0.0.1", self.port), _Handler)
        self._http.owner = self  # type: ignore[attr-defined]
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._http:
            self.go_on.set()
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of who hangs up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        owner: Receiver = self.server.owner  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = json.loads(body)
        owner.asked += 1
        if owner.answers_late:
            owner.messages.append(message)
        owner.go_on.wait(PATIENCE_SECONDS)
        refused = owner.refused & {message.get("channel"), message.get("title")}
        status = 403 if refused else owner.status
        if status == 200 and not owner.answers_late:
            owner.messages.append(message)
        self.send_response(status)
        for name, value in owner.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
