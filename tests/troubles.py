"""What a MariaDB behind a proxy can suffer: each trouble begins with a block and ends with it.

Nothing is played: locks are held by another session, connections by other programs, the server
is killed, and the proxy cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pymysql

from servers import MariaDB, free_port
from tcp_proxy import Proxy, proxied
from waiting import until

LOCK_WAIT_SECONDS = 1
# The least that MariaDB takes.
FEW_CONNECTIONS = 10
USUAL_CONNECTIONS = 151
USUAL_LOCK_WAIT_SECONDS = 50
_TOO_MANY = 1040
_WAITING = (
    "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx "
    "WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id <> CONNECTION_ID()"
)


class Troubles:
    """The troubles of one database of a server; clients come through the proxy."""

    def __init__(self, server: MariaDB, proxy: Proxy, database: str) -> None:
        self.server, self.proxy, self.database = server, proxy, database

    def named(self, name: str) -> AbstractContextManager[None]:
        """Return a trouble by its name, of those in ``PASSING``."""
        trouble: Callable[[], AbstractContextManager[None]] = getattr(self, name)
        return trouble()

    @contextmanager
    def refused(self) -> Iterator[None]:
        """The server is gone, and nobody listens in its place."""
        self.proxy.refuse()
        yield
        self.proxy.accept()

    @contextmanager
    def moved(self) -> Iterator[None]:
        """The server is gone, and comes back at another address."""
        self.proxy.refuse()
        yield
        self.server.stop()
        self.server.port = free_port()
        self.server.start()
        self.proxy.accept(self.server.port)

    @contextmanager
    def behind_another(self) -> Iterator[None]:
        """The server is gone, and is reached by another way for a while."""
        self.proxy.refuse()
        yield
        with proxied(self.server.port) as other:
            self.proxy.accept(other.port)
            # Whoever comes next comes by that way; who is there when it closes must come again.
            before = other.facts()["opened"]
            until(lambda: other.facts()["opened"] > before, seconds=60)
        self.proxy.accept(self.server.port)

    @contextmanager
    def killed(self) -> Iterator[None]:
        """The server's process is killed, and started again."""
        self.server.kill()
        try:
            yield
        finally:
            self.server.start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The way is open, and nobody answers."""
        self.proxy.silence()
        yield
        self.proxy.accept()
        self.proxy.cut()

    @contextmanager
    def cut_in_a_statement(self, sent: int = 3_000) -> Iterator[None]:
        """All connections break when so many bytes more have been sent."""
        self.proxy.cut_after(sent)
        yield
        self.proxy.accept()

    @contextmanager
    def commit_not_sent(self) -> Iterator[None]:
        """The connection breaks before a COMMIT goes out."""
        self.proxy.cut_commits(answered=False)
        yield
        self.proxy.accept()

    @contextmanager
    def commit_not_heard(self) -> Iterator[None]:
        """The connection breaks after a COMMIT was done and before anybody hears of it."""
        self.proxy.cut_commits(answered=True)
        yield
        self.proxy.accept()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """The server takes no writes, as one that another has replaced."""
        self.server.execute("SET GLOBAL read_only = 1")
        try:
            yield
        finally:
            self.server.execute("SET GLOBAL read_only = 0")

    @contextmanager
    def full_house(self) -> Iterator[None]:
        """Other programs hold all connections that there may be (1040)."""
        with self.server.administrator() as cursor, ExitStack() as stack:
            cursor.execute(f"SET GLOBAL max_connections = {FEW_CONNECTIONS}")
            self.proxy.cut()
            try:
                while self._joined(stack):
                    pass
                yield
            finally:
                cursor.execute(f"SET GLOBAL max_connections = {USUAL_CONNECTIONS}")

    def _joined(self, stack: ExitStack) -> bool:
        url = self.server.url(self.database)
        try:
            one = pymysql.connect(
                host="127.0.0.1",
                port=self.server.port,
                user=str(url.username),
                password=str(url.password),
            )
        except pymysql.OperationalError as error:
            if error.args[0] != _TOO_MANY:
                raise
            return False
        stack.callback(one.close)
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another session holds the row that every writer needs, longer than one waits (1205)."""
        wait = "SET GLOBAL innodb_lock_wait_timeout = {}".format
        with self.server.administrator() as cursor:
            cursor.execute(wait(LOCK_WAIT_SECONDS))
            # Only who comes anew waits for less than usual.
            self.proxy.cut()
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT * FROM {self.database}.store FOR UPDATE")  # noqa: S608  our own names
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
                cursor.execute(wait(USUAL_LOCK_WAIT_SECONDS))

    @contextmanager
    def deadlocked(self) -> Iterator[None]:
        """Another session and the writer each hold what the other needs (1213).

        Ends when the writer has met it: of the two, the one that has written less must give way.
        """
        with self.server.administrator() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS heavy")
            cursor.execute("CREATE TABLE IF NOT EXISTS heavy.rows (number INT) ENGINE=InnoDB")
            cursor.execute("BEGIN")
            cursor.execute("INSERT INTO heavy.rows SELECT seq FROM heavy.seq_1_to_20000")
            cursor.execute(f"SELECT * FROM {self.database}.attempt FOR UPDATE")  # noqa: S608  our own names
            yield
            self._waiter()
            cursor.execute(f"UPDATE {self.database}.store SET version = version")  # noqa: S608  our own names
            cursor.execute("ROLLBACK")

    @contextmanager
    def session_killed(self) -> Iterator[None]:
        """The writer's session is killed in the middle of its transaction (2006, 2013)."""
        with self.server.administrator() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT * FROM {self.database}.attempt FOR UPDATE")  # noqa: S608  our own names
            yield
            self.server.execute(f"KILL CONNECTION {self._waiter()}")
            cursor.execute("ROLLBACK")

    def _waiter(self) -> int:
        """Return the session that waits for a lock, as soon as there is one."""
        found: list[int] = []

        def look() -> bool:
            with self.server.administrator() as cursor:
                cursor.execute(_WAITING)
                found.extend(int(row[0]) for row in cursor.fetchall())
            return bool(found)

        # What InnoDB tells of transactions is made anew only when nobody has asked for 0.1 s.
        until(look, seconds=60, pause=0.2)
        return found[0]


PASSING = {
    "refused": r"\(2003,",
    "moved": r"\(2003,",
    "behind_another": r"\(2003,",
    "killed": r"\((2003|2006|2013),",
    "cut_in_a_statement": r"\((2006|2013),",
    "commit_not_sent": r"\((2006|2013),",
    "commit_not_heard": r"\((2006|2013),",
    "read_only": r"\(1290,",
    "full_house": r"\(1040,",
    "locked": r"\(1205,",
    "deadlocked": r"\(1213,",
    "session_killed": r"\((2006|2013|1927),",
}
"""What passes by itself, and what the database or the driver says of it."""

AT_ONCE = frozenset({"cut_in_a_statement", "commit_not_sent", "commit_not_heard"})
"""What strikes once and is over; nothing waits for its end."""

MET = frozenset({"deadlocked", "session_killed"})
"""What ends by itself when a writer has met it."""
