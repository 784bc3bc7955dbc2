"""AWS Lambda in small: a function's packages under AWS's own runtime client, on this machine.

``awslambdaric``, the program that Lambda runs, asks a Runtime API of ours for events and tells it
the answers. As on Lambda, the function is in ``var/task``, its layer in ``opt``, what the runtime
brings in ``var/runtime``, nothing else can be imported, nothing compiled is written, and shared
semaphores do not exist. Memory, time limits, roles and networks are not those of Lambda.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PREFIX = "/2018-06-01/runtime/"
NAME = "coinlog-test"
ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"
ANSWER_SECONDS = 90

# -I and -S leave nothing to import but the standard library and these folders, in Lambda's order.
FLAGS = ("-I", "-S", "-B")
BOOT = """
import sys
sys.path[:0] = sys.argv[1:4]
import _multiprocessing
class SemLock(_multiprocessing.SemLock):
    def __new__(cls, *words): raise OSError(38, "Function not implemented")
_multiprocessing.SemLock = SemLock
from awslambdaric.__main__ import main
main(["bootstrap", sys.argv[4]])
"""


@dataclass(frozen=True)
class Place:
    """The file system of a function: an interpreter, and folders as Lambda lays them."""

    python: str
    root: Path

    @property
    def folders(self) -> tuple[str, ...]:
        """What is imported from, in Lambda's order."""
        return tuple(str(self.root / name) for name in ("var/task", "opt/python", "var/runtime"))

    def unzip(self, function: Path, *layers: Path) -> None:
        """Lay the packages out as Lambda does with uploaded ones."""
        for package, folder in ((function, "var/task"), *((layer, "opt") for layer in layers)):
            with zipfile.ZipFile(package) as zipped:
                zipped.extractall(self.root / folder)


class FunctionError(Exception):
    """What a function raised, as Lambda is told: it would try again and then give up."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(f"{told['errorType']}: {told['errorMessage']}")
        self.kind = str(told["errorType"])


class LambdaFunction:
    """One execution environment of a function: begins in ``with``, and is cold at first."""

    def __init__(self, place: Place, handler: str, environment: Mapping[str, str]) -> None:
        self._api = _RuntimeAPI()
        self._log = place.root / f"{handler}.log"
        given = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/01/26/[$LATEST]{self._api.server_port}",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "LAMBDA_TASK_ROOT": place.folders[0],
            "LAMBDA_RUNTIME_DIR": place.folders[2],
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": handler,
            **environment,
        }
        command = (place.python, *FLAGS, "-c", BOOT, *place.folders, handler)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=place.folders[0], env=given, stdout=log, stderr=log
            )

    def invoke(self, event: object) -> dict[str, Any]:
        """Hand over an event and return the answer.

        Raises:
            FunctionError: the handler raised, or could not be loaded.
        """
        self._api.events.put(json.dumps(event).encode())
        give_up = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < give_up:
            try:
                what, told = self._api.answers.get(timeout=0.5)
            except queue.Empty:
                assert self._process.poll() is None, f"it ended: {self.log()}"
                continue
            if what != "response":
                raise FunctionError(told)
            return dict(told)
        raise AssertionError(f"no answer in {ANSWER_SECONDS} s: {self.log()}")

    def log(self) -> str:
        """Return what went to the function's log."""
        return self._log.read_text(errors="replace")[-4000:]

    def __enter__(self) -> Self:
        self._api.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(ANSWER_SECONDS)
        self._api.events.put(None)
        self._api.shutdown()
        self._api.server_close()
        self._api.thread.join()


class _RuntimeAPI(ThreadingHTTPServer):
    """What Lambda answers its runtime: the next event, and thanks for what became of it."""

    def __init__(self) -> None:
        self.events: queue.Queue[bytes | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _RuntimeAPI

    def do_GET(self) -> None:
        """Wait for an event and hand it over."""
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        deadline = int((time.time() + ANSWER_SECONDS) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": f"8476a536-e9f4-11e8-9739-{deadline:012x}",
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Content-Type": "application/json",
        }
        self._answer(200, event, headers)

    def do_POST(self) -> None:
        """Take an answer or an error: of an event (``.../ID/response``) or of the start."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path.startswith(PREFIX)
        self.server.answers.put((self.path.rsplit("/", 1)[1], json.loads(body)))
        self._answer(202, b'{"status":"OK"}\n', {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, text in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Answer until the function ends, which it may do at any moment."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *words: object) -> None:
        """Keep the tests' output clean."""
