"""A raw answer of the source: what was asked, what came back, byte for byte."""

from __future__ import annotations

import msgspec

from coinlog.market import Reason


class Answer(msgspec.Struct, frozen=True):
    """One request to the source and its final answer, or the failure in its place.

    ``name`` is unique in an attempt and the stem of the file in the archive: ``listings-1``,
    ``listings-2``, ``quotes-1``, ``global-metrics``, ``fear-and-greed``. ``body`` is what was
    received after content decoding. ``reason`` and ``detail`` are set where no usable answer
    came; a body may then still be there (an error's JSON, a cut-off answer). ``status`` is the
    HTTP status, 0 where there was none. ``received_at`` is our clock, ``server_date`` the
    server's own clock (its Date header), both in seconds UTC.
    """

    name: str
    endpoint: str
    params: dict[str, str]
    status: int
    body: bytes
    received_at: float
    elapsed_seconds: float
    tries: int = 1
    server_date: int | None = None
    reason: Reason | None = None
    detail: str = ""
