"""The step that prepares the database: its tables and the two users.

``python -m coinlog.aws.prepare`` runs as a task of its own in the new container image, right after
the stack has it: until then new code works on the old schema. The master secret is in DB_USER and
DB_PASSWORD, which nothing else ever sees. The functions and the page sign in as the users made
here, with tokens of AWS. Doing it again changes nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import sqlalchemy as sa

from coinlog.errors import CoinlogError, SettingError, UsageError
from coinlog.settings import load_settings
from coinlog.store.engine import open_engine, store_errors
from coinlog.store.migrate import migrate

LOADER, PAGE = "coinlog_load", "coinlog_page"
RIGHTS = {LOADER: ("SELECT", "INSERT", "UPDATE", "DELETE"), PAGE: ("SELECT",)}

AWS_PLUGIN = "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'"
"""How a user signs in: the plugin is there on Amazon RDS and nowhere else."""

_GRANT = re.compile(r"GRANT (.+?) ON (.+?) TO ")


def main() -> None:
    """Prepare the database that the settings name; exit code 0: it is ready, 1: failed, 2: wrong.

    Example:
        DB_HOST=... DB_USER=admin DB_PASSWORD_FILE=... python -m coinlog.aws.prepare
    """
    try:
        for line in prepare(load_settings(dotenv=None).database_url):
            sys.stdout.write(f"coinlog: {line}\n")
    except CoinlogError as error:
        sys.stderr.write(f"coinlog: {error}\n")
        sys.exit(2 if isinstance(error, UsageError) else 1)


def prepare(url: sa.URL, identified: str = AWS_PLUGIN) -> list[str]:
    """Make the database, its tables and its users where they are not; return what was done.

    ``identified`` is how the users sign in, in SQL, for servers that are not Amazon's.

    Raises:
        SettingError: the store is no MySQL or MariaDB.
        StoreError: the database cannot be used, or this user may not do all this.
    """
    if url.get_backend_name() == "sqlite" or not url.database:
        raise SettingError("no server is named: expected DB_HOST, DB_USER and DB_PASSWORD")
    _make_database(url)
    engine = open_engine(url)
    try:
        steps = [f"schema {step}" for step in migrate(engine)] or ["the schema is up to date"]
        made = [_make_user(engine, user, identified) for user in RIGHTS]
    finally:
        engine.dispose()
    return [*steps, *made]


def _make_database(url: sa.URL) -> None:
    engine = open_engine(url.set(database=""))
    try:
        name = str(url.database).replace("`", "``")
        _run(engine, [f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4"])
    finally:
        engine.dispose()


def _make_user(engine: sa.Engine, user: str, identified: str) -> str:
    """Make a user who may do what is listed and no more; say how it signs in."""
    who, rights = f"'{user}'@'%'", ", ".join(RIGHTS[user])
    # An underscore stands for any letter where rights are given.
    place = re.sub(r"([_%])", r"\\\1", str(engine.url.database).replace("`", "``"))
    signs_in = f"{who} {identified} REQUIRE SSL"
    _run(engine, [f"CREATE USER IF NOT EXISTS {signs_in}", f"ALTER USER {signs_in}"])
    if _excess(engine, who, {(frozenset(RIGHTS[user]), f"`{place}`.*")}):
        _run(engine, [f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {who}"])
    _run(engine, [f"GRANT {rights} ON `{place}`.* TO {who}"])
    return f"user {user} may {rights}, through TLS"


def _excess(engine: sa.Engine, who: str, wanted: set[tuple[frozenset[str], str]]) -> bool:
    """Return whether a user has rights that it should not have."""
    with store_errors(), engine.connect() as connection:
        lines = connection.execute(sa.text(f"SHOW GRANTS FOR {who}")).scalars().all()
    found = {
        (frozenset(match[1].split(", ")), match[2].replace("\\\\", "\\"))
        for line in lines
        if (match := _GRANT.match(line))
    }
    return bool(found - wanted - {(frozenset({"USAGE"}), "*.*")})


def _run(engine: sa.Engine, statements: Iterable[str]) -> None:
    with store_errors(), engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


if __name__ == "__main__":
    main()
