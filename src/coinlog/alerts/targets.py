"""Where messages go: addresses of Apprise, which hold secrets and are never shown.

Apprise is held on a short lead: redirects are not followed, nothing is kept on disk, nothing is
attached, no plugins of others and no lists of addresses are loaded, and what would act on this
machine itself (its desktop, its log, its USB) is refused. What Apprise logs can name a secret, so
of it only the number of an HTTP status is passed on.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from threading import Thread
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from coinlog.alerts.left import Alert
from coinlog.alerts.words import plain
from coinlog.errors import AlertError, SettingError

SEND_SECONDS = 20.0
"""How long one message may take, whatever its receiver does."""

MOST_TARGETS = 50

LOCAL = frozenset(
    ("blink1", "dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "syslog"),
)
"""What acts on this machine: an alert of a recorder that runs on a server is for somewhere else."""

FILES = frozenset(("template", "keyfile", "subfile", "pgpkey", "key_file", "certfile"))
"""Parameters of addresses that name a file, which Apprise would read or fetch."""

# The host of any other address may be a token.
_SELF_HOSTED = frozenset(
    ("apprise", "apprises", "form", "forms", "gotify", "gotifys", "json", "jsons", "xml", "xmls"),
)
_MAIL = frozenset(("mailto", "mailtos"))
_STATUS = re.compile(r"error=([0-9]{3})\b")
_SCHEMA = re.compile(r"[a-z][a-z0-9+.-]{1,19}")


class Target:
    """One address; ``label`` is what may be said of it, ``id`` what its marks are called."""

    def __init__(self, service: Any, url: str, number: int) -> None:  # noqa: ANN401  Apprise's own
        self._service = service
        schema = urlsplit(url).scheme.lower()
        name = plain(str(service[0].service_name)) or schema
        self.label = f"address {number}, {name}{_host(url, schema)}"
        # So little of a hash tells one address from another and gives none away.
        self.id = f"{schema}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"

    def __repr__(self) -> str:
        return f"Target({self.label})"

    def send(self, alert: Alert, seconds: float = SEND_SECONDS) -> str | None:
        """Send an alert.

        Raises:
            AlertError: the receiver did not take it, or not in time; it names no secret.
        """
        done: list[bool] = []
        heard = _Heard()
        thread = Thread(target=self._notify, args=(alert, done), daemon=True, name="coinlog-send")
        with heard:
            thread.start()
            thread.join(seconds)
        if thread.is_alive():
            raise AlertError(f"{self.label}, gave no answer within {seconds:.0f} s")
        if done != [True]:
            status = f" (HTTP {heard.status})" if heard.status else ""
            raise AlertError(f"{self.label}, did not take the message{status}")
        return None

    def _notify(self, alert: Alert, done: list[bool]) -> None:
        kinds = _apprise()
        try:
            sent = self._service.notify(
                title=alert.subject,
                body=alert.text,
                body_format=kinds.NotifyFormat.TEXT,
                interpret_escapes=False,
            )
            done.append(bool(sent))
        except Exception:  # noqa: BLE001  whatever a plugin raises may name a secret
            done.append(False)


def open_targets(urls: Sequence[str], where: str) -> list[Target]:
    """Return the targets of addresses; ``where`` names the setting for messages.

    Raises:
        SettingError: one cannot be used; the message tells which, and no secret.
    """
    if len(urls) > MOST_TARGETS:
        raise SettingError(f"{where} has {len(urls)} addresses: expected {MOST_TARGETS} at most")
    return [_open(url, number, where) for number, url in enumerate(dict.fromkeys(urls), 1)]


def _open(url: str, number: int, where: str) -> Target:
    asset = _asset()
    said = f"{where}: address {number}"
    schema, separator, _ = url.partition("://")
    schema = schema.lower()
    if not separator or not _SCHEMA.fullmatch(schema):
        raise SettingError(f"{said} is no address: expected one of Apprise, such as ntfy://topic")
    if schema in LOCAL:
        raise SettingError(
            f"{said} begins with {schema}://, which would act on this machine alone: expected a "
            "service that reaches you elsewhere"
        )
    named = sorted(FILES & {name.lower() for name, _ in parse_qsl(urlsplit(url).query)})
    if named:
        raise SettingError(f"{said} names a file in {named[0]}=: expected none, none is read")
    service = _apprise().Apprise(asset=asset)
    with _Heard():
        added = service.add(url)
    if not added or len(service) != 1:
        raise SettingError(f"{said} ({schema}://…) cannot be used: {_hint(schema)}")
    return Target(service, url, number)


def _hint(schema: str) -> str:
    known = _schemas()
    if schema in known:
        return "expected all parts that Apprise's page on this service names"
    near = get_close_matches(schema, known, n=1)
    return f"did you mean {near[0]}://?" if near else "expected a service that Apprise knows"


def _schemas() -> list[str]:
    manager = _apprise().manager_plugins.NotificationManager()
    return sorted(str(schema) for schema in manager.schemas())


def _host(url: str, schema: str) -> str:
    """Return the host of an address that one chooses oneself; elsewhere it may be a token."""
    try:
        host = urlsplit(url).hostname if schema in _SELF_HOSTED | _MAIL else None
    except ValueError:
        host = None
    return f" at {plain(host, 80)}" if host else ""


@cache
def _apprise() -> ModuleType:
    """Return Apprise, loaded at first use: it takes a second and 30 MB."""
    with warnings.catch_warnings():
        # It looks for modules that newer Pythons have no more.
        warnings.simplefilter("ignore")
        apprise = import_module("apprise")
        import_module("apprise.manager_plugins").NotificationManager().load_modules()
    logging.getLogger("apprise").addFilter(_Heard.drop)
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


class _Heard:
    """What Apprise logged meanwhile, of which the status of an answer alone is kept."""

    listening: ClassVar[list[_Heard]] = []

    def __init__(self) -> None:
        self.status = ""

    def __enter__(self) -> None:
        self.listening.append(self)

    def __exit__(self, *_: object) -> None:
        self.listening.remove(self)

    @classmethod
    def drop(cls, record: logging.LogRecord) -> bool:
        """Keep the status of a record for who listens, and let nothing of it be logged."""
        found = _STATUS.search(record.getMessage())
        for one in cls.listening if found else ():
            one.status = found[1] if found else ""
        return False
