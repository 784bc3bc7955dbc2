"""The database: is it there, may it be used, is it whole, is it equal to the archive."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import sqlalchemy as sa

from coinlog.backups.remembering import newest_backup
from coinlog.cli.cures import (
    BRING_BACK,
    from_backup,
    is_of_archive,
    is_waiting,
    texts_of_archive,
)
from coinlog.cli.doctor.archive import attempts_in
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.cli.report import short_hashes
from coinlog.errors import StoreError, UnfinishedMoveError
from coinlog.parts import Parts
from coinlog.sources.texts import counted
from coinlog.store import schema
from coinlog.store.engine import WAIT, store_errors
from coinlog.store.existing import is_new
from coinlog.store.limits import hurried
from coinlog.store.migrate import current_revision
from coinlog.store.schema import REVISION
from coinlog.store.unfinished import refuse_unfinished
from coinlog.verify.standing import Standing, read_standing

WHAT = "database"
CHECK_SECONDS = 5
_DRIVERS = re.compile(r"""\(([0-9]+), (["'])(.*?)\2\)""")
_INTERRUPTED = "interrupted"

_SIGNS = {
    "(1045,": "database_signin",
    "(1142,": "database_rights",
    "(1044,": "database_rights",
    "(1049,": "database_absent",
    "disk is full": "database_full",
    "(1114,": "database_full",
    "readonly": "database_readonly",
    "read only": "database_readonly",
    "read-only": "database_readonly",
    "not a database": "database_damaged",
    "malformed": "database_damaged",
    "CERTIFICATE": "database_tls",
    "SSL": "database_tls",
    "mismatch": "database_tls",
}


def examine_database(parts: Parts) -> Iterator[Finding]:
    """Yield what is to be said of the database."""
    url = parts.settings.database_url
    where = url.render_as_string()
    if is_new(url):
        yield _absent(parts, where)
        return
    try:
        revision = current_revision(parts.engine)
        if (finding := _schema(where, revision)) is not None:
            yield finding
            return
        text = f"{where}, schema {revision}"
        _try_to_write(parts.engine)
        if parts.engine.dialect.name == "sqlite":
            yield _whole(parts.engine, text)
        else:
            yield fine(WHAT, text)
        yield _equal(parts, read_standing(parts.engine))
    except UnfinishedMoveError as error:
        yield wrong(WHAT, "database_half_moved", str(error))
    except StoreError as error:
        yield wrong(WHAT, code_of(error), _words(where, error))


def _absent(parts: Parts, where: str) -> Finding:
    """Return what is to be said of a file that is not there: it is lost, or was never made."""
    attempts, made = attempts_in(parts), newest_backup(parts.settings.data, whole=True)
    if attempts:
        kept = counted(attempts, "attempt")
        verb = "is" if attempts == 1 else "are"
        text = (
            f"{where}: the file is not there: put it back, restore it (`coinlog restore` with "
            f"--without-archive), or let `coinlog load` make a new one ({kept} {verb} in the "
            "archive)"
        )
        return wrong(WHAT, "database_gone", text, "coinlog load")
    if made:
        text = f"{where}: the file is not there, and the archive is empty: put them back"
        return wrong(WHAT, "database_gone", text, f"coinlog restore {shlex.quote(str(made.path))}")
    return wrong(
        WHAT, "schema_absent", f"{where} is not there yet: recording makes it", "coinlog up"
    )


def _words(where: str, error: StoreError) -> str:
    """Return in words what a database has answered, and what to do."""
    text = _DRIVERS.sub(r"\3 (error \1)", str(error))
    if code_of(error) != "database_away":
        return text
    text = f"{where}: {text.removesuffix(WAIT)}"
    if not where.startswith("sqlite") and text.endswith("; "):
        text += "start the server, or correct DB_HOST and DB_PORT (or COINLOG_DATABASE_URL)"
    return f"{text.removesuffix('; ')}; what is captured meanwhile waits in the archive"


def code_of(error: StoreError) -> str:
    """Return the code for what a database has answered."""
    text = str(error)
    return next((code for sign, code in _SIGNS.items() if sign in text), "database_away")


def _schema(where: str, revision: str | None) -> Finding | None:
    if revision == REVISION:
        return None
    if revision is None:
        text = f"{where} has no tables yet"
        return wrong(WHAT, "schema_absent", text, "coinlog load")
    if revision > REVISION:
        text = (
            f"{where} is at schema {revision}, which a newer coinlog made, and this one knows "
            f"{REVISION}: use the newer one; recording goes into the archive meanwhile"
        )
        return wrong(WHAT, "schema_newer", text)
    text = f"{where} is at schema {revision}, and this coinlog needs {REVISION}"
    return wrong(WHAT, "schema_older", text, "coinlog migrate")


def _try_to_write(engine: sa.Engine) -> None:
    """Write what is there already, and take it back.

    Raises:
        StoreError: that was refused, or a move is not finished.
    """
    same = schema.store.update().values(version=schema.store.c.version)
    with store_errors(), engine.connect() as connection:
        refuse_unfinished(connection)
        connection.execute(same)
        connection.rollback()


def _whole(engine: sa.Engine, text: str) -> Finding:
    """Look through a file for damage, for some seconds; a large one is seen in part."""
    try:
        with (
            store_errors(),
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
            hurried(connection, CHECK_SECONDS),
        ):
            said = connection.execute(sa.text("PRAGMA quick_check(1)")).scalar()
    except StoreError as error:
        if _INTERRUPTED not in str(error):
            raise
        return fine(WHAT, f"{text}; no damage seen in {CHECK_SECONDS} s")
    if said == "ok":
        return fine(WHAT, text)
    return wrong(
        WHAT,
        "database_damaged",
        f"the file is damaged ({' '.join(str(said).split())[:200]}): move it away, and fill a new "
        "one from the archive",
        "coinlog load",
    )


def _equal(parts: Parts, standing: Standing | None) -> Finding:
    what = "verified"
    if standing is None:
        text = "never compared with the archive; COINLOG_VERIFY=daily does it by and by"
        return look(what, "never_verified", text, "coinlog verify")
    if standing.differences:
        return _unlike(parts, standing)
    last = standing.newest
    part = "a part" if last.sampled else "all"
    return fine(what, f"{part} of it, {last.slots:,} slots, equal to the archive")


def _unlike(parts: Parts, standing: Standing) -> Finding:
    """Return what differs, and what helps: a copy of the archive, loading, or a replay."""
    texts = standing.texts
    first = next((text for text in texts if is_of_archive(text)), standing.first)
    found = counted(standing.differences, "difference")
    text = f"{found} from the archive: {short_hashes(first)}"
    if is_of_archive(first):
        text = f"{text}; {BRING_BACK}, then `coinlog verify`"
        return wrong(
            "verified", "unlike_archive", text, from_backup(parts, texts_of_archive(texts))
        )
    waiting = all(is_waiting(text) for text in texts)
    do = "coinlog load" if waiting else "coinlog replay"
    return wrong("verified", "unlike_archive", f"{text}; then `coinlog verify`", do)
