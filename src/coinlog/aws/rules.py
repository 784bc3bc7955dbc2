"""The rules of alerts on AWS: the object ``alerts.toml`` at the archive's root, if there is one.

Without it the recorder's own failures are told, as they always were.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence

import sqlalchemy as sa

from coinlog.alerts.config import parse_alerts
from coinlog.alerts.left import FOLDER, Alert, Level, leave_alert
from coinlog.alerts.looking import look, look_without_store
from coinlog.alerts.recorder_rules import Failing
from coinlog.alerts.rule import Rule
from coinlog.archive import Archive
from coinlog.errors import ArchiveError, DamagedError, SettingError
from coinlog.market import SourceKind

RULES = "alerts.toml"
USUAL: tuple[Rule, ...] = (Failing(),)

_log = logging.getLogger(__name__)


def leave_alerts(engine: sa.Engine, archive: Archive, now: float, settled: Sequence[int]) -> int:
    """Leave what the rules have to tell and nobody has left yet; return how many alerts are new."""
    return look(engine, archive, rules_in(archive, now), now, settled=settled)


def leave_that_database_is_away(archive: Archive, trouble: str) -> None:
    """Leave that the database is away, where that is watched and has lasted."""
    now = time.time()
    try:
        rules = rules_in(archive, now)
        look_without_store(archive, rules, now, SourceKind.COINMARKETCAP, trouble)
    except ArchiveError as error:
        _log.warning("that the database is away could not be left for send: %s", error)


def rules_in(archive: Archive, now: float) -> tuple[Rule, ...]:
    """Return the rules; a file that cannot be used is told once, and the usual ones hold."""
    try:
        body = archive.objects.read(RULES)
    except DamagedError:
        return USUAL
    try:
        return parse_alerts(body, RULES).rules
    except SettingError as error:
        _log.warning("%s; meanwhile failing slots alone are told", error)
        name = f"{FOLDER}config-{hashlib.sha256(body).hexdigest()[:8]}.json"
        text = f"{error}.\n\nUntil it is mended you are told of failing slots alone.\n"
        said = Alert(f"coinlog: {RULES} cannot be used", text, now, level=Level.WARNING)
        leave_alert(archive, name, said)
        return USUAL
