"""Apprise on a short lead: nothing kept on disk, nothing followed, nothing logged, all of it heard.

What it logs can name a secret, so of that only the number of an HTTP status is passed on, or in
words of our own why nobody was reached, and whether somebody took a message.
"""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from coinlog.alerts.left import Alert
from coinlog.errors import MissingPackageError

READ_SECONDS = 18.0
"""How long an answer is waited for where the address says nothing of it: Apprise's own 4 s would
call many a message lost that has come, and send it again."""

_STATUS = re.compile(r"error=([0-9]{3})\b")
_TAKEN = re.compile(r"\b(?:sent|rang|queued)\b|^send [0-9]", re.IGNORECASE)
_NEVER_REACHED = re.compile(
    "NewConnection|NameResolution|ConnectTimeout|Failed to (?:resolve|establish)"
)
_REASONS = (
    (re.compile("Connection refused|ConnectionRefused"), "the connection was refused"),
    (re.compile("NameResolution|Failed to resolve|Name or service"), "its host is not known"),
    (re.compile("ConnectTimeout"), "no connection came about in time"),
    (re.compile("CERTIFICATE_VERIFY_FAILED"), "its certificate cannot be trusted"),
    (re.compile("Network is unreachable|No route to host"), "no way leads to its host"),
    (re.compile("Connection reset|RemoteDisconnected"), "it hung up"),
)


class Heard:
    """What came of a message, by what Apprise returned and logged meanwhile."""

    def __init__(self) -> None:
        self.done = self.taken = self.never_reached = False
        self.reason = ""

    def hear(self, record: logging.LogRecord) -> None:
        """Keep what a record tells, and nothing of its text."""
        text = record.getMessage()
        if record.levelno >= logging.WARNING and (found := _STATUS.search(text)):
            self.reason = f"HTTP {found[1]}"
        for sign, reason in _REASONS:
            if sign.search(text):
                self.reason = reason
                break
        self.taken |= record.levelno == logging.INFO and bool(_TAKEN.search(text))
        self.never_reached |= bool(_NEVER_REACHED.search(text))


_listening: ContextVar[Heard | None] = ContextVar("coinlog_listening", default=None)
"""Who sends in this thread: others send at the same time, and one that hung may still."""


def service_at(url: str) -> Any:  # noqa: ANN401  Apprise's own
    """Return what sends to an address; ``None`` where Apprise makes nothing of it."""
    service = _apprise().Apprise(asset=_asset())
    try:
        added = service.add(url)
    except Exception:  # noqa: BLE001  whatever a plugin raises may name a secret
        return None
    if not added or len(service) != 1:
        return None
    # Unless the address says how long.
    if service[0].socket_read_timeout == type(service[0]).socket_read_timeout:
        service[0].socket_read_timeout = READ_SECONDS
    return service


def notify(service: Any, alert: Alert, heard: Heard) -> None:  # noqa: ANN401  Apprise's own
    """Send an alert, and keep what came of it."""
    kinds = _apprise()
    _listening.set(heard)
    # Whatever a plugin raises may name a secret.
    with suppress(Exception):
        heard.done = bool(
            service.notify(
                title=alert.subject,
                body=alert.text,
                notify_type=kinds.NotifyType(alert.level),
                body_format=kinds.NotifyFormat.TEXT,
                interpret_escapes=False,
            )
        )


def schemas() -> list[str]:
    """Return what addresses can begin with."""
    manager = _apprise().manager_plugins.NotificationManager()
    return sorted(str(schema) for schema in manager.schemas())


@cache
def _apprise() -> ModuleType:
    """Return Apprise, loaded at first use: it takes a second and 30 MB."""
    with warnings.catch_warnings():
        # It looks for modules that newer Pythons have no more.
        warnings.simplefilter("ignore")
        try:
            apprise = import_module("apprise")
        except ImportError as error:
            raise MissingPackageError(
                f"addresses of alerts need apprise, which cannot be loaded ({error}): install it, "
                "or add the layer that has it"
            ) from error
        import_module("apprise.manager_plugins").NotificationManager().load_modules()
    # Who was sent to, and that nobody was reached, it tells at its finest.
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    logging.getLogger("apprise").addFilter(_drop)
    # The library below it logs paths, which hold tokens.
    for name in ("urllib3", "requests", "smtplib"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return apprise


@cache
def _asset() -> Any:  # noqa: ANN401  Apprise's own
    apprise = _apprise()
    return apprise.AppriseAsset(
        app_id="coinlog",
        app_desc="coinlog",
        app_url="",
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        secure_logging=True,
    )


def _drop(record: logging.LogRecord) -> bool:
    """Let who sends hear a record, and let nothing of it be logged."""
    heard = _listening.get()
    with suppress(Exception):
        if heard:
            heard.hear(record)
    return False
