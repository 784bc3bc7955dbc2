"""Answers that are not the true one: each sent to the source's process, so no closures."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any

import msgspec

import cmc_server
from cmc_server import Exchange, Reply
from weather.source import ELSEWHERE, Honest
from weather.truth import asset_row

FURTHER = range(10_000, 13_000)
"""The assets of an answer with a huge number of rows."""

_MARK = "here stands what is no number"


def slow_headers(exchange: Exchange, _honest: Honest) -> None:
    cmc_server.slow_headers()(exchange)


def slow_body(exchange: Exchange, _honest: Honest) -> None:
    cmc_server.slow_body()(exchange)


def stalled_after_headers(exchange: Exchange, honest: Honest) -> None:
    """Send whole headers, then nothing more."""
    exchange.write(cmc_server.head(200, honest.headers, len(honest.body)))
    exchange.wait(5)
    exchange.close()


def stalled(exchange: Exchange, honest: Honest) -> None:
    """Send whole headers and half of the body, then nothing more."""
    half = honest.body[: len(honest.body) // 2]
    exchange.write(cmc_server.head(200, honest.headers, len(honest.body)) + half)
    exchange.wait(5)
    exchange.close()


def endless(exchange: Exchange, _honest: Honest) -> None:
    cmc_server.endless(exchange)


def truncated(exchange: Exchange, honest: Honest) -> None:
    cmc_server.truncated(honest.body)(exchange)


def reset(exchange: Exchange, _honest: Honest) -> None:
    exchange.reset()


def bomb(exchange: Exchange, honest: Honest) -> None:
    """Send a megabyte of gzip that inflates to a gigabyte."""
    Reply(_zeros() * 64, headers={**honest.headers, "Content-Encoding": "gzip"})(exchange)


@cache
def _zeros() -> bytes:
    return gzip.compress(bytes(16 << 20))


@dataclass(frozen=True)
class Refusing:
    """An HTTP status, with the source's own code or without, and how long to wait.

    The wait is ``none``, or told in ``seconds`` or as a ``date`` by the source's clock.
    """

    status: int
    code: int | None = None
    wait: str = "none"
    seconds: int = 0

    def __call__(self, exchange: Exchange, honest: Honest) -> None:
        headers = dict(honest.headers)
        if self.wait == "seconds":
            headers["Retry-After"] = str(self.seconds)
        if self.wait == "date":
            moment = datetime.fromtimestamp(honest.at + self.seconds, UTC)
            headers["Retry-After"] = format_datetime(moment, usegmt=True)
        status = {"error_code": self.code, "error_message": "weather", "credit_count": 0}
        Reply(msgspec.json.encode({"status": status}), self.status, headers)(exchange)


@dataclass(frozen=True)
class Page:
    """A page of HTML in place of an answer."""

    status: int = 200

    def __call__(self, exchange: Exchange, _honest: Honest) -> None:
        cmc_server.html(self.status)(exchange)


@dataclass(frozen=True)
class Redirect:
    """A redirect to another host, where somebody waits."""

    target: str
    status: int = 302

    def __call__(self, exchange: Exchange, _honest: Honest) -> None:
        cmc_server.redirect(f"{self.target}{ELSEWHERE}", self.status)(exchange)


@dataclass(frozen=True)
class Altered:
    """The true answer with its rows altered by a function of this module and an asset."""

    alter: Callable[[list[dict[str, Any]], int, int], object]
    asset_id: int

    def __call__(self, exchange: Exchange, honest: Honest) -> None:
        answer = msgspec.json.decode(honest.body)
        self.alter(answer["data"], self.asset_id, honest.at)
        honest.with_body(msgspec.json.encode(answer))(exchange)


@dataclass(frozen=True)
class Priced:
    """The true answer with something else in place of an asset's price, as raw JSON text."""

    asset_id: int
    text: str

    def __call__(self, exchange: Exchange, honest: Honest) -> None:
        answer = msgspec.json.decode(honest.body)
        _row(answer["data"], self.asset_id)["quote"][0]["price"] = _MARK
        body = msgspec.json.encode(answer).replace(f'"{_MARK}"'.encode(), self.text.encode())
        honest.with_body(body)(exchange)


def without(rows: list[dict[str, Any]], asset_id: int, _at: int) -> None:
    rows.remove(_row(rows, asset_id))


def with_many(rows: list[dict[str, Any]], _asset_id: int, at: int) -> None:
    rows.extend(asset_row(each, 100, at) for each in FURTHER)


def doubled(rows: list[dict[str, Any]], asset_id: int, at: int) -> None:
    """Say an asset's row twice more, with other numbers: the first counts."""
    rows.extend(asset_row(asset_id, 1, at + 86_400 + number) for number in range(2))


def _row(rows: list[dict[str, Any]], asset_id: int) -> dict[str, Any]:
    return next(row for row in rows if row["id"] == asset_id)
