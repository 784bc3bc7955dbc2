"""The source, in a process of its own: serves the true numbers, or misbehaves as it is told.

What it was asked and what it served is written to a file before it answers, so that it is known
after it was killed too.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from cmc_server import CMCServer, Exchange, Reply
from coinlog.slots import iso
from market import FEAR_AND_GREED, GLOBAL_METRICS, LISTINGS, QUOTES
from weather.recorder import fork
from weather.truth import FIAT, IDS, asset_row, fear, total_cap

ALTERED = "altered"
"""Where the log tells of a body that was served instead of the true one."""

ELSEWHERE = "/elsewhere"
"""Where redirects point: nobody is to come here."""

PATHS = (LISTINGS, QUOTES, GLOBAL_METRICS, FEAR_AND_GREED, ELSEWHERE)


@dataclass(frozen=True)
class Honest:
    """The true answer to a request: its body, and the source's clock."""

    body: bytes
    at: int
    note: Callable[[bytes], None]
    """Notes another body that is served in its place, to know it again in the archive."""

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it: the source's clock."""
        date = format_datetime(datetime.fromtimestamp(self.at, UTC), usegmt=True)
        return {"Content-Type": "application/json", "Date": date}

    def with_body(self, body: bytes) -> Reply:
        """Return another body with the same headers."""
        self.note(body)
        return Reply(body, headers=self.headers)


Misbehaving = Callable[[Exchange, Honest], None]
"""An answer that is not the true one; sent to another process, so a module's own function, a
partial of one or an object that can be pickled."""


@dataclass(frozen=True)
class Asked:
    """One request that the source got, and the hash of the true answer to it."""

    slot: int
    path: str
    at: int
    sha256: str


class Source:
    """The source as its keeper sees it: where it is, what it is to say, what it was asked."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.start()

    def start(self) -> None:
        """Let it live, at a new address."""
        self._listening: dict[Path, str] = {}
        self._pipe, theirs = fork.Pipe()
        self._process = fork.Process(target=_serve, args=(theirs, self._log), daemon=True)
        self._process.start()
        theirs.close()
        self.url = str(self._pipe.recv())

    def kill(self) -> None:
        """End it with SIGKILL; ``start`` brings it back."""
        self._process.kill()
        self._process.join()

    def moment(self, slot: int, at: float) -> None:
        """Let it be the moment ``at``, by the source's clock, for the numbers of a slot."""
        self._order("moment", slot, int(at))

    def on(self, path: str, *answers: Misbehaving, for_ever: bool = False) -> None:
        """Misbehave at the next requests of a path; then be honest, or the last one for ever."""
        self._order("on", path, list(answers), for_ever)

    def calm(self) -> None:
        """Be honest from now on."""
        self._order("calm")

    def tls(self, certificate: Path, key: Path) -> str:
        """Listen with a certificate too; return that address."""
        if certificate not in self._listening:
            self._listening[certificate] = str(self._order("tls", certificate, key))
        return self._listening[certificate]

    def asked(self) -> list[Asked]:
        """Return every request so far."""
        if not self._log.exists():
            return []
        return [Asked(**json.loads(line)) for line in self._log.read_text().splitlines()]

    def _order(self, *order: object) -> object:
        self._pipe.send(order)
        return self._pipe.recv()


class _Market:
    """What the source knows and how it is minded."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._lock = threading.Lock()
        self._answers: defaultdict[str, list[Misbehaving]] = defaultdict(list)
        self._for_ever: set[str] = set()
        self._slot, self._at, self._listed = 0, 0, 0

    def answer(self, exchange: Exchange) -> None:
        path, params = exchange.request.path, exchange.request.params
        with self._lock:
            if path == LISTINGS:
                # Each answer has a moment of its own, so that two of them cannot be mixed unseen.
                self._listed += 1
            honest = self._honest(path, params)
            misbehaving = self._next(path)
        if misbehaving:
            misbehaving(exchange, honest)
        else:
            Reply(honest.body, headers=honest.headers)(exchange)

    def moment(self, slot: int, at: int) -> None:
        with self._lock:
            self._slot, self._at, self._listed = slot, at, 0

    def on(self, path: str, answers: list[Misbehaving], for_ever: bool) -> None:  # noqa: FBT001  an order's
        with self._lock:
            self._answers[path] = answers
            (self._for_ever.add if for_ever else self._for_ever.discard)(path)

    def calm(self) -> None:
        with self._lock:
            self._answers.clear()

    def _next(self, path: str) -> Misbehaving | None:
        answers = self._answers[path]
        last = len(answers) == 1 and path in self._for_ever
        return answers[0] if last else answers.pop(0) if answers else None

    def _honest(self, path: str, params: Mapping[str, str]) -> Honest:
        at = self._at + self._listed
        body = msgspec.json.encode(
            {
                "data": _data(path, params, self._slot, at),
                "status": {"timestamp": iso(at), "error_code": "0", "credit_count": 1},
            }
        )
        slot = self._slot
        self._note(slot, path, at, body)
        return Honest(body, at, lambda other: self._note(slot, ALTERED, at, other))

    def _note(self, slot: int, path: str, at: int, body: bytes) -> None:
        asked = Asked(slot, path, at, hashlib.sha256(body).hexdigest())
        os.write(self._log, json.dumps(vars(asked)).encode() + b"\n")


def _data(path: str, params: Mapping[str, str], slot: int, at: int) -> object:
    if path == LISTINGS:
        return [asset_row(asset_id, rank, at) for rank, asset_id in enumerate(IDS, 1)]
    if path == QUOTES:
        # Rates are of the slot, as nothing in the store tells the moment of their answer.
        ids = [int(text) for text in params["id"].split(",")]
        return [asset_row(each, 1, slot if each in FIAT else at) for each in ids]
    if path == GLOBAL_METRICS:
        return {"btc_dominance": 57.5, "quote": {"USD": {"total_market_cap": total_cap(slot)}}}
    return {"value": fear(slot), "value_classification": "Weather", "update_time": iso(slot)}


def _serve(pipe: Connection, log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    market, parent = _Market(log), os.getppid()
    orders: dict[str, Callable[..., Any]] = {
        "moment": market.moment,
        "on": market.on,
        "calm": market.calm,
    }
    # When the keeper ends, there is nobody to tell.
    with suppress(EOFError, ConnectionError), ExitStack() as stack:
        orders["tls"] = lambda certificate, key: _listen(stack, market, _tls(certificate, key))
        pipe.send(_listen(stack, market, None))
        while os.getppid() == parent:
            if pipe.poll(1):
                name, *further = pipe.recv()
                pipe.send(orders[name](*further))


def _listen(stack: ExitStack, market: _Market, tls: ssl.SSLContext | None) -> str:
    server = stack.enter_context(CMCServer(tls=tls))
    for path in PATHS:
        server.on(path, market.answer)
    return server.url


def _tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
