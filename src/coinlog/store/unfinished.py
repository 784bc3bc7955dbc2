"""The mark of a store that a move or a restore has not finished: nobody else uses it.

A table of one row beside the store's own. The ``store`` row is written last, in the one
transaction that takes the mark away, so a store with a source is never marked.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakSet

import sqlalchemy as sa

from coinlog.errors import UnfinishedMoveError
from coinlog.slots import iso
from coinlog.store import schema

MARK = sa.Table(
    "unfinished_move",
    sa.MetaData(),
    sa.Column("moved_from", sa.Text, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    mysql_charset="utf8mb4",
    mariadb_charset="utf8mb4",
)

RESTORED = "the backup of "
"""How the origin of a restore begins; a move's is the address of a store."""

# A page reads at every click, and a whole store does not become half of one.
_whole: WeakSet[sa.Engine] = WeakSet()


class Mark(NamedTuple):
    """From where a move began, and when."""

    moved_from: str
    began_at: int

    def __str__(self) -> str:
        restored = self.moved_from.startswith(RESTORED)
        what = f"restore of {self.moved_from}" if restored else f"move from {self.moved_from}"
        return f"{what}, begun {iso(self.began_at)}"

    @property
    def command(self) -> str:
        """The command that goes on with it."""
        return "coinlog restore" if self.moved_from.startswith(RESTORED) else "coinlog move"


def read_mark(connection: sa.Connection) -> Mark | None:
    """Return the mark; an empty table is left by a run that died as it began or was done."""
    if not sa.inspect(connection).has_table(MARK.name):
        return None
    row = connection.execute(sa.select(MARK.c.moved_from, MARK.c.began_at)).first()
    return Mark(*row) if row else None


def refuse_unfinished(connection: sa.Connection) -> None:
    """Refuse a store that is half moved: what it lacks would look like what never was.

    Raises:
        UnfinishedMoveError: it is.
    """
    engine = connection.engine
    if engine in _whole:
        return
    mark = read_mark(connection)
    if mark:
        raise UnfinishedMoveError(
            f"{engine.url.render_as_string()} is half a store: a {mark}, has not been finished; "
            f"the same `{mark.command}` goes on with it, and `coinlog migrate --down` empties it"
        )
    if _has_source(connection):
        _whole.add(engine)


def forget(engine: sa.Engine) -> None:
    """Look again next time: the store has been emptied."""
    _whole.discard(engine)


def _has_source(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table(schema.store.name):
        return False
    return connection.execute(sa.select(schema.store.c.source)).scalar() is not None
