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
RIGHTS = {LOADER: ("SELECT", "INSERT", "UPDATE"), PAGE: ("SELECT",)}
DELETES = {
    LOADER: (
        # A better answer for a slot takes the place of what a lesser one wrote.
        "quote",
        "latest",
        "missing",
        "global_metrics",
        "fear_and_greed",
        # Names, and from when on they and the schedule hold, are put right by what comes late.
        "asset",
        "asset_name",
        "schedule",
        # Backfilled answers are taken back to be settled in order; a result is noted once.
        "backfill",
        "verification",
    )
}
"""The tables whose rows a user may replace: never the ledger's, nor its attempts."""

Right = tuple[frozenset[str], str]
"""What may be done, and to what, as ``SHOW GRANTS`` writes it."""

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
    who, wanted = f"'{user}'@'%'", _rights(user, str(engine.url.database))
    signs_in = f"{who} {identified} REQUIRE SSL"
    _run(engine, [f"CREATE USER IF NOT EXISTS {signs_in}", f"ALTER USER {signs_in}"])
    if _excess(engine, who, set(wanted)):
        _run(engine, [f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {who}"])
    _run(engine, [f"GRANT {', '.join(sorted(may))} ON {on} TO {who}" for may, on in wanted])
    replaced = DELETES.get(user, ())
    more = f", in {', '.join(replaced)} also DELETE" if replaced else ""
    return f"user {user} may {', '.join(RIGHTS[user])}{more}, through TLS"


def _rights(user: str, database: str) -> list[Right]:
    """Return what a user may do, in the whole database and in single tables."""
    name = database.replace("`", "``")
    # An underscore stands for any letter where rights to a whole database are given.
    whole = re.sub(r"([_%])", r"\\\1", name)
    deletes = [(frozenset({"DELETE"}), f"`{name}`.`{table}`") for table in DELETES.get(user, ())]
    return [(frozenset(RIGHTS[user]), f"`{whole}`.*"), *deletes]


def _excess(engine: sa.Engine, who: str, wanted: set[Right]) -> bool:
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
