"""Upgrading a schema while others read and write: every step is short, and may be repeated.

A migration has ``upgrade``, whose statements change tables and views. One that gives new columns
their values has three functions besides, which come before it: ``expand`` adds the columns,
``fill`` writes some thousand rows at a time, each a transaction, and ``rows`` tells how many there
are. What has been filled is seen in the rows themselves, so whoever was interrupted begins again
and has little left to do. The program before goes on writing meanwhile, so ``upgrade`` ends with
the few rows that came behind the filling.

On MariaDB and MySQL a statement that changes a table waits until nobody uses it, and all who come
later wait behind it. So it waits two seconds at most, steps aside, and tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.ddl.base import AddColumn, visit_add_column
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from coinlog.errors import StoreUnavailableError
from coinlog.watching import Watch

_SCRIPTS = Path(__file__).parent / "migrations"

ROWS_AT_ONCE = 5_000
PATIENCE_SECONDS = 120
_IN_USE = {1205, 1213}
"""The server's numbers for a lock that was not had in time, and for a deadlock."""


@compiles(AddColumn, "mysql", "mariadb")
def add_instantly(element: AddColumn, compiler: Any, **options: Any) -> str:  # noqa: ANN401  SQLAlchemy's own types
    """Add a column without a copy of the table, or not at all: with ten million rows it matters."""
    return f"{visit_add_column(element, compiler, **options)}, ALGORITHM=INSTANT"


class Upgrade:
    """The way of one store from its revision to another, over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.config = Config()
        self.config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        self.config.attributes["connection"] = connection
        scripts = ScriptDirectory.from_config(self.config)
        self._scripts = [*reversed([*scripts.walk_revisions()])]
        self.known = [script.revision for script in self._scripts]

    def remove(self) -> None:
        """Remove all tables and views."""
        self._patiently(lambda: command.downgrade(self.config, "base"))

    def run(self, before: str | None, revision: str, watch: Watch) -> None:
        """Go from one revision to another, both of which are known.

        Raises:
            StoreUnavailableError: others use the tables all the time; doing it again goes on.
        """
        last = self.known[-1] if revision == "head" else revision
        for script in self._scripts[self._place(before) : self._place(last)]:
            # A store that is made now has nothing to fill.
            if before is not None and hasattr(script.module, "fill"):
                self._to(str(script.down_revision))
                self._fill(script.module, watch)
        self._to(last)

    def _place(self, revision: str | None) -> int:
        return 0 if revision is None else self.known.index(revision) + 1

    def _fill(self, module: ModuleType, watch: Watch) -> None:
        connection = self._connection

        def expand() -> None:
            with Operations.context(MigrationContext.configure(connection)):
                module.expand()
            connection.commit()

        def fill() -> None:
            with watch("filling new columns", module.rows(connection)) as advance:
                for rows in module.fill(connection, ROWS_AT_ONCE):
                    connection.commit()
                    advance(rows)

        self._patiently(expand)
        self._patiently(fill)

    def _to(self, revision: str) -> None:
        self._patiently(lambda: command.upgrade(self.config, revision))

    def _patiently(self, step: Callable[[], None]) -> None:
        """Take a step as soon as nobody is in its way."""

        def try_it() -> None:
            try:
                step()
            except OperationalError:
                self._connection.rollback()
                raise

        tries = Retrying(
            retry=retry_if_exception(_in_use),
            wait=wait_random(0.5, 2),
            stop=stop_after_delay(PATIENCE_SECONDS),
            reraise=True,
        )
        try:
            tries(try_it)
        except OperationalError as error:
            if not _in_use(error):
                raise
            raise StoreUnavailableError(
                f"the tables could not be changed within {PATIENCE_SECONDS} s, because somebody "
                "has been reading or writing them all that time in one transaction: end it (SHOW "
                "FULL PROCESSLIST names it) and run `coinlog migrate` again, which goes on"
            ) from error


def _in_use(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and bool(
        error.orig and error.orig.args and error.orig.args[0] in _IN_USE
    )
