"""Replays of a recorder's archive, and what is compared after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pymysql
import sqlalchemy as sa

from coinlog.move.digests import Digests, read_digests
from coinlog.replay import Replayed, replay
from coinlog.store import schema
from market import Desk

OUR_CLOCK = ("stored_at", "settled_at", "version")
NOT_KEPT = {"verification", "thinning"}


def watch(_what: str, _total: int | None) -> nullcontext[Callable[[int], None]]:
    """Let nobody watch how far it is."""
    return nullcontext(lambda _steps: None)


def replayed(desk: Desk, store_url: sa.URL, *, force: bool = False) -> Replayed:
    """Replay what a recorder has kept into its store."""
    return replay(store_url, desk.archive, watch, force=force, clock=desk.clock)


def rows_of(desk: Desk) -> Digests:
    """Return hashes of all rows that a replay makes, without the times of our own clock."""
    tables = [t for t in schema.metadata.sorted_tables if t.name not in NOT_KEPT]
    return read_digests(desk.engine, tables=tables, leave_out=OUR_CLOCK)


@contextmanager
def administered(url: sa.URL) -> Iterator[pymysql.cursors.Cursor]:
    """Lend a connection of the server's administrator."""
    connection = pymysql.connect(host="127.0.0.1", port=url.port or 0, user="root")
    with connection, connection.cursor() as cursor:
        yield cursor
