"""Alerts for the commands that record: made of the settings, looked after once or for as long."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

from coinlog.alerts.bell import Bell
from coinlog.alerts.config import Alerting, read_alerts
from coinlog.alerts.delivering import SEND_SECONDS, kept_seconds
from coinlog.alerts.history import Surroundings
from coinlog.alerts.targets import Opened, Target, open_targets, usable_targets
from coinlog.cli.credits import ask_plan
from coinlog.cli.lines import lines
from coinlog.cli.report import err, warn
from coinlog.cli.room import folders_in_use
from coinlog.errors import CoinlogError, SettingError, SourceError
from coinlog.parts import Parts
from coinlog.recorder import Recording
from coinlog.settings import Settings
from coinlog.settings.parsers import split_urls
from coinlog.slots import MINUTE
from coinlog.sources.key_info import KeyInfo
from coinlog.store.engine import open_engine

DELIVER_SECONDS = 60.0 - SEND_SECONDS
"""How long a command that records once goes on to begin sending: the next one sends the rest."""

URLS_LETTERS = 65_536
ASKED_EVERY = 30 * MINUTE
MEGABYTE = 1_000_000

_log = logging.getLogger(__name__)


def alerting(settings: Settings) -> Alerting | None:
    """Return what the file of alerts says; ``None`` where there is none.

    Raises:
        SettingError: it cannot be used.
    """
    return read_alerts(settings.alerts) if settings.alerts else None


def targets_of(settings: Settings, found: Alerting) -> list[Target]:
    """Return where messages go, by the settings and by the file.

    Raises:
        SettingError: an address cannot be used; the message names no secret.
    """
    given = [url.reveal() for url in settings.alert_urls]
    targets = open_targets(given, "COINLOG_ALERT_URLS")
    if found.urls_file:
        targets += open_targets(read_urls(found.urls_file), str(found.urls_file))
    return targets


def usable_targets_of(settings: Settings, found: Alerting) -> Opened:
    """Return where messages can go, and what is wrong with the other addresses."""
    given = [url.reveal() for url in settings.alert_urls]
    opened = usable_targets(given, "COINLOG_ALERT_URLS")
    if not found.urls_file:
        return opened
    try:
        more = usable_targets(read_urls(found.urls_file), str(found.urls_file))
    except SettingError as error:
        more = Opened((), (str(error),))
    return Opened([*opened.targets, *more.targets], [*opened.problems, *more.problems])


def read_urls(path: Path) -> list[str]:
    """Return the addresses in a file, one a line; what begins with ``#`` is a comment.

    Raises:
        SettingError: it cannot be read, or holds none.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(URLS_LETTERS + 1)
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
        raise SettingError(
            f"urls_file names {path}, which cannot be read ({cause}): expected a file with an "
            "Apprise address a line"
        ) from None
    found = split_urls(text)
    lines.hide(found)
    if len(text) > URLS_LETTERS:
        raise SettingError(
            f"urls_file names {path}, which is too large: expected {URLS_LETTERS:,} letters at most"
        )
    if not found:
        raise SettingError(f"urls_file names {path}, which holds no address: expected one a line")
    return found


def bell_of(parts: Parts) -> Bell | None:
    """Return what looks after alerts; ``None`` where there is no file of them, or no use in it.

    A file that cannot be used is told and keeps nobody from recording, whatever is wrong with it.
    """
    try:
        found = alerting(parts.settings)
        if found is None:
            return None
        return Bell(
            open_engine(parts.settings.database_url, read_only=True),
            parts.archive,
            rules=found.rules,
            targets=partial(_told, parts.settings, found),
            source=parts.plan.source,
            kept=kept_seconds(parts.plan.interval_seconds),
            around=_surroundings(parts),
        )
    except CoinlogError as error:
        warn(str(error), "[yellow]alerts:[/] ", err)
    except Exception:  # noqa: BLE001  a mistake of ours in here must not end recording
        _log.exception("alerts cannot be looked after")
    return None


def ring_after(parts: Parts, settled: Sequence[int]) -> None:
    """Look after alerts once, behind a recording that is done, for a limited time."""
    bell = bell_of(parts)
    if bell:
        until = time.monotonic() + DELIVER_SECONDS
        bell.once(settled, lambda: time.monotonic() > until)


def slots_of(recording: Recording) -> list[int]:
    """Return the slots that a recording settled."""
    return [key.slot for key in recording.settled]


def _told(settings: Settings, found: Alerting) -> Opened:
    """Return where messages go; that there is nowhere is told, once a process."""
    opened = usable_targets_of(settings, found)
    if not opened.targets and not opened.problems:
        warn(
            "they go nowhere: put addresses into COINLOG_ALERT_URLS or into the file that "
            "urls_file names",
            "[yellow]alerts:[/] ",
            err,
        )
    return opened


def _surroundings(parts: Parts) -> Surroundings:
    @lru_cache(maxsize=1)
    def asked(_turn: int) -> KeyInfo | None:
        try:
            return ask_plan(parts)
        except SourceError:
            return None

    def plan() -> KeyInfo | None:
        return asked(int(time.time() // ASKED_EVERY)) if parts.settings.api_key else None

    return Surroundings(partial(_free_mb, parts.settings), plan)


def _free_mb(settings: Settings) -> Mapping[str, float]:
    """Return the free space where the data folder and the archive's folder are."""
    return {
        str(folder): shutil.disk_usage(there).free / MEGABYTE
        for folder, there in folders_in_use(settings).items()
    }
