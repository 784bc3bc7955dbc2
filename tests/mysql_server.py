"""A real MySQL server for tests, beside MariaDB's: the one that scripts/install_mysql.sh finds.

And both with certificates, for what must not be sent in the clear.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from certificates import Authority
from servers import MariaDB, free_port
from tls_servers import TOKEN_OPTIONS

ROOT = Path(__file__).resolve().parent.parent
# Tests lose power never, and waiting for the disk takes most of a start.
OPTIONS = (
    *("--mysqlx=OFF", "--secure-file-priv=NULL", "--performance-schema=OFF"),
    *("--innodb-flush-method=nosync", "--innodb-doublewrite=OFF"),
)


@functools.cache
def mysql_command() -> tuple[str, ...]:
    """Return the words that start MySQL's server; none where it cannot be had."""
    script = str(ROOT / "scripts" / "install_mysql.sh")
    found = subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True)
    return tuple(found.stdout.split("\n")[:-1])


class MySQL(MariaDB):
    """A MySQL server with the manners of the MariaDB one."""

    def __init__(self) -> None:
        self.options = ()
        self.folder = Path(tempfile.mkdtemp(prefix="coinlog-mysql-"))
        self.port = free_port()
        self.process = None
        self.user = None
        if self._run("mysqld", "--initialize-insecure").wait():
            raise RuntimeError(f"MySQL could not be set up: {self._log()}")

    def _run(self, program: str, *options: str) -> subprocess.Popen[bytes]:  # noqa: ARG002  MySQL has one program for all
        command = mysql_command()
        folders = [f"--datadir={self.folder}/data", f"--tmpdir={self.folder}"]
        messages = Path(command[-1]).parents[1] / "share" / "mysql"
        folders += [f"--lc-messages-dir={messages}", f"--pid-file={self.folder}/pid"]
        # Whoever runs the tests owns the folder, be it root.
        user = ["--user=root"] if os.getuid() == 0 else []
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                (*command, "--no-defaults", *folders, *user, *OPTIONS, *options),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


class TlsServers:
    """A MariaDB and a MySQL that show certificates of one authority, each started when needed."""

    def __init__(self, address: str) -> None:
        # MariaDB may run as a user of its own, who is not let into pytest's folders.
        self.authority = Authority(Path(tempfile.mkdtemp(prefix="coinlog-authority-")))
        self._options = self.authority.server_options(address)
        for path in (self.authority.folder, *self.authority.folder.iterdir()):
            path.chmod(0o755)
        self._running: dict[str, MariaDB] = {}

    def started(self, kind: str) -> MariaDB:
        """Return ``mariadb`` or ``mysql``, running."""
        if kind not in self._running:
            server = MySQL() if kind == "mysql" else MariaDB()
            server.options = self._options + (TOKEN_OPTIONS if kind == "mariadb" else ())
            server.start()
            self._running[kind] = server
        return self._running[kind]

    def remove(self) -> None:
        """End them and remove what is theirs."""
        for server in self._running.values():
            server.remove()
        shutil.rmtree(self.authority.folder)
