"""Real servers for the tests: MariaDB in a folder of its own, and free ports.

A server listens on 127.0.0.1 alone, knows nothing of other servers on the machine, and is gone
with its folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Self

import pymysql
import sqlalchemy as sa

START_SECONDS = 60
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
SKELETON_OPTIONS = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-log-bin")
SERVER_OPTIONS = (
    *("--bind-address=127.0.0.1", "--innodb-buffer-pool-size=64M", "--skip-log-bin"),
    # What is written stays when the server is killed, though not when the machine is: no test
    # cuts its power, and waiting for the disk would take a third of all.
    "--innodb-flush-method=nosync",
)

_numbers = count(1)


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Return when something listens on a port; raise where the process ends before that."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up:
                raise
        else:
            return
        # Returns when the process ends, so that a server that cannot start is told at once.
        _ended_within(process, 0.02)


class MariaDB:
    """A MariaDB server that can be stopped, killed and started again, on the same port."""

    def __init__(self, place: Path | None = None) -> None:
        self.options: tuple[str, ...] = ()
        self.folder = Path(tempfile.mkdtemp(prefix="coinlog-mariadb-", dir=place))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root; its package brings a user for it.
        self.user = "mysql" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        if self._run("mariadb-install-db", *SKELETON_OPTIONS).wait():
            raise RuntimeError(f"mariadb-install-db failed: {self._log()}")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def start(self) -> None:
        """Start it and return when it answers."""
        options = (f"--port={self.port}", f"--socket={self.folder}/socket", *SERVER_OPTIONS)
        self.process = self._run("mariadbd", *options, *self.options)
        try:
            wait_for_port(self.port, self.process, START_SECONDS)
            # The port opens before signals and statements are heard.
            self.execute("DO 1")
        except (OSError, pymysql.Error) as error:
            self.kill()
            raise RuntimeError(f"MariaDB did not start: {self._log()}") from error

    def stop(self) -> None:
        """End it in good order; no-op where it does not run."""
        if self.process:
            self.execute("SHUTDOWN")
            self.process.wait(START_SECONDS)
            self.process = None

    def kill(self) -> None:
        """End it as a power cut would; no-op where it does not run."""
        if self.process:
            self.process.kill()
            self.process.wait(START_SECONDS)
            self.process = None

    def start_again_if_ended(self) -> bool:
        """Start it where it has ended by itself, as a machine does; return whether it had."""
        ended = self.process is not None and self.process.poll() is not None
        if ended:
            self.start()
        return ended

    def remove(self) -> None:
        """End it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def database(self) -> Iterator[sa.URL]:
        """Make an empty database with a user of its own and give its address, then drop both."""
        name = self.make_database()
        try:
            yield self.url(name)
        finally:
            if self.process:
                self.drop_database(name)

    def make_database(self) -> str:
        """Make an empty database, with a user of its own who is called as it is."""
        name = f"test_{next(_numbers)}"
        self.execute(
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4",
            f"CREATE USER {name}@'%' IDENTIFIED BY 'p@ss/{name}'",
            *self.grants(name),
        )
        return name

    def grants(self, name: str) -> tuple[str, str]:
        """Return what gives the user of a database all rights to it."""
        return (
            f"GRANT ALL ON {name}.* TO {name}@'%'",
            # Where a replay builds the store anew; an underscore stands for any letter here.
            rf"GRANT ALL ON `{name}\_replay`.* TO {name}@'%'",
        )

    def drop_database(self, name: str) -> None:
        """Drop a database and its user."""
        others = f"DROP DATABASE IF EXISTS {name}_replay"
        self.execute(f"DROP DATABASE IF EXISTS {name}", others, f"DROP USER {name}@'%'")

    def url(self, name: str) -> sa.URL:
        """Return the address of a database made by ``database``."""
        return sa.URL.create(
            "mysql+pymysql",
            username=name,
            password=f"p@ss/{name}",
            host="127.0.0.1",
            port=self.port,
            database=name,
        )

    def execute(self, *statements: str) -> None:
        """Run statements as the server's administrator."""
        with self.administrator() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def administrator(self) -> Iterator[pymysql.cursors.Cursor]:
        """Lend a connection of the server's administrator."""
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)
        with connection, connection.cursor() as cursor:
            yield cursor

    def _run(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        path = shutil.which(program, path=PATH)
        if not path:
            raise RuntimeError(f"{program} is not installed: `make test` does it, or says how")
        # Its own folder for temporary tables: two servers in /tmp remove each other's.
        folders = (f"--datadir={self.folder}/data", f"--tmpdir={self.folder}")
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                (path, "--no-defaults", *folders, *options),
                user=self.user,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
