"""``make tunnel``: MySQL Workbench on this machine, the database in its private network.

A small task of its own is started in the account, a port here leads through it to the database,
and the task is stopped at the end, however that comes. The database stays closed to the internet.
"""

from __future__ import annotations

import select
import shlex
import socket
import subprocess
import sys
from dataclasses import replace

from rich.markup import escape

from coinlog.aws.prepare import PAGE
from coinlog.errors import UsageError
from coinlog.settings import parsers
from coinlog_infra import given
from coinlog_infra.aws import Account
from coinlog_infra.errors import DeployError
from coinlog_infra.outputs import Deployed, read_deployed
from coinlog_infra.say import note, plain, run, say, step
from coinlog_infra.sessions import Far, find_plugin, forwarding, wait_for_agent
from coinlog_infra.tasks import Clock, running

TOKEN_MINUTES = 15
PORT = 3307
"""Where it is opened here: 3306 is often a database of this machine's own."""

OPEN_SECONDS = 30.0
LOOK_SECONDS = 0.5
CA = given.ROOT / "src" / "coinlog" / "aws" / "rds-ca.pem"


def sign_in(account: Account, deployed: Deployed) -> str:
    """Return a password that is good for new connections in the next 15 minutes."""
    token = account.client("rds").generate_db_auth_token(
        DBHostname=deployed.database_host,
        Port=int(deployed.database_port),
        DBUsername=PAGE,
        Region=account.region,
    )
    return str(token)


def tunnel(account: Account, deployed: Deployed, port: int, clock: Clock) -> int:
    """Open the tunnel and keep it open until Ctrl-C; return 1 where it broke."""
    find_plugin()
    _refuse_taken(port)
    far = Far(deployed.database_host, int(deployed.database_port), port)
    with running(account, deployed, deployed.tunnel_task, note) as task:
        with step("A task for the tunnel runs"):
            target = wait_for_agent(account, task, clock)
        with forwarding(account, target, far) as process:
            with step(f"Port {port} leads to the database"):
                _wait_until_open(process, port, clock)
            _tell(deployed, port)
            return _keep(process, account, deployed)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"port {port} of this machine cannot be used ({error.strerror}): "
                f"expected a free one, for example make tunnel PORT={port + 1}"
            ) from None


def _wait_until_open(process: subprocess.Popen[bytes], port: int, clock: Clock) -> None:
    until = clock.now() + OPEN_SECONDS
    while clock.now() < until:
        if process.poll() is not None:
            raise DeployError(f"the plugin ended with exit code {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            clock.wait(LOOK_SECONDS)
        else:
            return
    raise DeployError(f"port {port} did not open within {OPEN_SECONDS:.0f} s: try again")


def _tell(deployed: Deployed, port: int) -> None:
    say(f"""
  [bold]MySQL Workbench[/]: Database → Connect, or a new connection with
    Hostname   127.0.0.1
    Port       {port}
    Username   {PAGE}            [dim]reads, and may do nothing else[/]
    Password   Enter here prints one, good for {TOKEN_MINUTES} minutes
    Schema     {escape(deployed.database_name)}
    SSL        Use SSL: Require and Verify CA; SSL CA File:
               {escape(str(CA))}
    Advanced   Enable Cleartext Authentication Plugin   [dim]inside TLS[/]

  [bold]mysql[/], MySQL's own client, with the password in MYSQL_PWD:
    mysql -h 127.0.0.1 -P {port} -u {PAGE} --ssl-mode=VERIFY_CA \\
      --ssl-ca={escape(shlex.quote(str(CA)))} \\
      --enable-cleartext-plugin {escape(deployed.database_name)}
    [dim]MariaDB's client, which may be called mysql too, does not know these options:
    mysql --version says whose it is.[/]

  [dim]Enter prints a password; Ctrl-C closes the tunnel and stops its task.[/]""")


def _keep(process: subprocess.Popen[bytes], account: Account, deployed: Deployed) -> int:
    """Stay until the plugin ends; each line on standard input asks for a password."""
    listening = True
    while process.poll() is None:
        if not listening:
            process.wait()
            break
        if not select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
            continue
        listening = bool(sys.stdin.readline())
        if listening:
            plain(sign_in(account, deployed))
    note(f"the tunnel broke: the plugin ended with exit code {process.returncode}")
    return 1


def main() -> int:
    """Open a tunnel at ``PORT``, or at 3307; ``HOST`` is another database, a restored one, say."""
    port, host = _port(given.said("PORT") or str(PORT)), _host(given.said("HOST"))
    options = given.load_options()
    account = Account(options.region)
    deployed = read_deployed(account, options.name)
    if host:
        deployed = replace(deployed, database_host=host)
    return tunnel(account, deployed, port, Clock())


def _port(text: str) -> int:
    try:
        return parsers.whole(1024, 65_535)(text)
    except ValueError:
        raise UsageError(
            f"PORT is {text[:20]!r}: expected a whole number from 1024 to 65535, "
            f"for example PORT={PORT}"
        ) from None


def _host(text: str) -> str:
    try:
        return parsers.host(text) if text else ""
    except ValueError:
        raise UsageError(
            f"HOST is {text[:60]!r}: expected the host name of a database in the same network, "
            "as RDS shows it"
        ) from None


if __name__ == "__main__":
    run(main)
