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
from dataclasses import dataclass, replace
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
from weather.truth import IDS, asset_row, charge, fear, total_cap

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
    """One request that the source got: the hash of what it served, and the credits charged for it.

    Of an answer that is not the true one there is no hash, and it costs nothing, unless it is the
    true one altered: that has a line more, with ``ALTERED`` in place of its path.
    """

    slot: int
    path: str
    at: int
    sha256: str = ""
    credits: int = 0


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

    def calm(self) -> bool:
        """Be honest from now on; return whether any answer was not since the last time."""
        return bool(self._order("calm"))

    def tls(self, certificate: Path, key: Path) -> str:
        """Listen with a certificate too; return that address."""
        if certificate not in self._listening:
            self._listening[certificate] = str(self._order("tls", certificate, key))
        return self._listening[certificate]

    def asked(self) -> list[Asked]:
        """Return every request so far."""
        return read_log(self._log)

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
        self._slot, self._now = 0, 0
        # Whoever comes after one that was killed goes on where that one was.
        self._told = {one.at for one in read_log(log)}
        self._misbehaved = False

    def answer(self, exchange: Exchange) -> None:
        path, params = exchange.request.path, exchange.request.params
        with self._lock:
            if path == LISTINGS:
                self._go_on()
            misbehaving = self._next(path)
            honest = self._honest(path, params)
            self._note(Asked(self._slot, path, honest.at), None if misbehaving else honest.body)
            self._misbehaved |= bool(misbehaving)
        if misbehaving:
            misbehaving(exchange, honest)
        else:
            Reply(honest.body, headers=honest.headers)(exchange)

    def moment(self, slot: int, at: int) -> None:
        with self._lock:
            self._slot, self._now = slot, at

    def on(self, path: str, answers: list[Misbehaving], for_ever: bool) -> None:  # noqa: FBT001  an order's
        with self._lock:
            self._answers[path] = answers
            (self._for_ever.add if for_ever else self._for_ever.discard)(path)

    def calm(self) -> bool:
        with self._lock:
            self._answers.clear()
            misbehaved, self._misbehaved = self._misbehaved, False
            return misbehaved

    def _go_on(self) -> None:
        """Let it be a moment that has never been: each recording begins with one of its own.

        So no two of them can be mixed unseen, in whatever order they come.
        """
        self._now += 1
        while self._now in self._told:
            self._now += 1
        self._told.add(self._now)

    def _next(self, path: str) -> Misbehaving | None:
        answers = self._answers[path]
        last = len(answers) == 1 and path in self._for_ever
        return answers[0] if last else answers.pop(0) if answers else None

    def _honest(self, path: str, params: Mapping[str, str]) -> Honest:
        slot, at = self._slot, self._now
        status = {"timestamp": iso(at), "error_code": "0", "credit_count": charge(path, at)}
        body = msgspec.json.encode({"data": _data(path, params, at), "status": status})
        altered = Asked(slot, ALTERED, at, credits=charge(path, at))
        return Honest(body, at, lambda other: self._note(altered, other))

    def _note(self, asked: Asked, served: bytes | None) -> None:
        if served is not None:
            digest = hashlib.sha256(served).hexdigest()
            costs = asked.credits or charge(asked.path, asked.at)
            # Of an answer that is no JSON nobody can read what it has cost.
            costs *= _is_json(served)
            asked = replace(asked, sha256=digest, credits=costs)
        os.write(self._log, json.dumps(vars(asked)).encode() + b"\n")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def read_log(log: Path) -> list[Asked]:
    """Return every request that a source's log tells of."""
    if not log.exists():
        return []
    return [Asked(**json.loads(line)) for line in log.read_text().splitlines()]


def _data(path: str, params: Mapping[str, str], at: int) -> object:
    if path == LISTINGS:
        return [asset_row(asset_id, rank, at) for rank, asset_id in enumerate(IDS, 1)]
    if path == QUOTES:
        return [asset_row(int(text), 1, at) for text in params["id"].split(",")]
    if path == GLOBAL_METRICS:
        return {"btc_dominance": 57.5, "quote": {"USD": {"total_market_cap": total_cap(at)}}}
    return {"value": fear(at), "value_classification": "Weather", "update_time": iso(at)}


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
