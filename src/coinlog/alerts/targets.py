"""Where messages go: addresses of Apprise, which hold secrets and are never shown.

Redirects are not followed, nothing is attached, no plugins of others and no lists of addresses are
loaded, and what would act on this machine itself (its desktop, its log, its USB) is refused.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from difflib import get_close_matches
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote

from coinlog.alerts.delivering import SEND_SECONDS
from coinlog.alerts.hosts import WITH_HOST, host_of, schema_of
from coinlog.alerts.left import Alert
from coinlog.alerts.services import Heard, notify, schemas, service_at
from coinlog.alerts.words import plain
from coinlog.errors import (
    AlertError,
    MissingPackageError,
    PartlySentError,
    SettingError,
    UncertainAlertError,
)

SLOW_SECONDS = 15.0
"""After which a failure is one of a receiver that gave no answer: mail programs wait so long."""

MOST_TARGETS = 50

LOCAL = frozenset(
    ("blink1", "dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "syslog"),
)
"""What acts on this machine: an alert of a recorder that runs on a server is for somewhere else."""

FILES = frozenset(
    ("template", "keyfile", "subfile", "pgpkey", "pgppub", "pgpprv", "key_file", "certfile"),
)
"""Parameters of addresses that name a file, which Apprise would read or fetch."""

_SCHEMA = re.compile(r"[a-z][a-z0-9+.-]{1,19}")
_ANOTHER = re.compile(r"[,;]\s*[a-z][a-z0-9+.-]{1,19}://", re.IGNORECASE)


class Target:
    """One address; ``label`` is what may be said of it, ``id`` what its marks are called."""

    def __init__(self, service: Any, url: str, number: int) -> None:  # noqa: ANN401  Apprise's own
        self._service = service
        schema = schema_of(url)
        name = plain(str(service[0].service_name)) or schema
        self.label = f"address {number}, {name}{_host(url)}"
        # So little of a hash tells one address from another and gives none away.
        told = _without_password(url, schema)
        self.id = f"{schema}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"

    @property
    def patience(self) -> float:
        """How many seconds an answer is waited for."""
        return float(self._service[0].socket_read_timeout)

    def __repr__(self) -> str:
        return f"Target({self.label})"

    def send(self, alert: Alert, seconds: float = SEND_SECONDS) -> str | None:
        """Send an alert.

        Raises:
            UncertainAlertError: no answer came in time; it names no secret.
            PartlySentError: some recipients of this address took it, others did not.
            AlertError: the receiver did not take it.
        """
        heard = Heard()
        begun = time.monotonic()
        thread = Thread(target=notify, args=(self._service, alert, heard), daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive() and not heard.taken:
            raise UncertainAlertError(f"{self.label}, gave no answer within {seconds:.0f} s")
        if not heard.done:
            raise self._failure(heard, time.monotonic() - begun)
        return None

    def _failure(self, heard: Heard, took: float) -> AlertError:
        reason = f" ({heard.reason})" if heard.reason else ""
        if heard.taken:
            return PartlySentError(
                f"{self.label}, took the message for some of its recipients and not for all"
                f"{reason}: give each an address of its own"
            )
        slow = took >= min(self.patience, SLOW_SECONDS)
        if slow and not heard.never_reached:
            return UncertainAlertError(f"{self.label}, gave no answer in time{reason}")
        return AlertError(f"{self.label}, did not take the message{reason}")


class Opened(NamedTuple):
    """The targets of what can be used, and what is wrong with the rest: it names no secret."""

    targets: Sequence[Target]
    problems: Sequence[str] = ()


def open_targets(urls: Sequence[str], where: str) -> list[Target]:
    """Return the targets of addresses; ``where`` names the setting for messages.

    Raises:
        SettingError: one cannot be used; the message tells which, and no secret.
    """
    if len(urls) > MOST_TARGETS:
        raise SettingError(_too_many(urls, where))
    return [_open(url, number, where) for number, url in enumerate(dict.fromkeys(urls), 1)]


def usable_targets(urls: Sequence[str], where: str) -> Opened:
    """Return the targets of those addresses that can be used: one bad one silences no other."""
    targets: list[Target] = []
    problems: list[str] = []
    wanted = list(dict.fromkeys(urls))
    for number, url in enumerate(wanted[:MOST_TARGETS], 1):
        try:
            targets.append(_open(url, number, where))
        except (SettingError, MissingPackageError) as error:
            problems.append(str(error))
    if len(wanted) > MOST_TARGETS:
        problems.append(_too_many(wanted, where))
    return Opened(targets, problems)


def _too_many(urls: Sequence[str], where: str) -> str:
    return f"{where} has {len(urls)} addresses: expected {MOST_TARGETS} at most"


def _open(url: str, number: int, where: str) -> Target:
    said = f"{where}: address {number}"
    schema = schema_of(url)
    if "://" not in url or not _SCHEMA.fullmatch(schema):
        raise SettingError(f"{said} is no address: expected one of Apprise, such as ntfy://topic")
    if schema in LOCAL:
        raise SettingError(
            f"{said} begins with {schema}://, which would act on this machine alone: expected a "
            "service that reaches you elsewhere"
        )
    named = sorted(FILES & _parameters(url))
    if named:
        raise SettingError(f"{said} names a file in {named[0]}=: expected none, none is read")
    service = service_at(url)
    if service is None:
        raise SettingError(f"{said} ({schema}://…) cannot be used: {_hint(url, schema)}")
    return Target(service, url, number)


def _parameters(url: str) -> set[str]:
    """Return the names of an address's parameters as Apprise finds them: behind the first ``?``.

    What would be a fragment elsewhere (``#channel?template=…``) is none to it.
    """
    pairs = re.split("[&;]", url.partition("?")[2])
    names = (pair.partition("=")[0].replace("+", " ") for pair in pairs)
    return {unquote(name).lower().strip() for name in names}


def _hint(url: str, schema: str) -> str:
    if _ANOTHER.search(url):
        return "it holds another address behind a comma: put a space between addresses"
    known = schemas()
    if schema in known:
        return "expected all parts that Apprise's page on this service names"
    near = get_close_matches(schema, known, n=1)
    return f"did you mean {near[0]}://?" if near else "expected a service that Apprise knows"


def _without_password(url: str, schema: str) -> str:
    """Return an address without a password that people choose, where it can hold one.

    Marks in the archive are called after it: by their hash, guesses at a password could be tried.
    Tokens are too long to be guessed.
    """
    if schema not in WITH_HOST:
        return url
    bare = re.sub(r"(://[^:/?#]*):[^/?#]*@", r"\1@", url, count=1)
    return re.sub(r"([?&;]pass(?:word)?=)[^&;]*", r"\1", bare, flags=re.IGNORECASE)


def _host(url: str) -> str:
    host = host_of(url)
    return f" at {plain(host, 80)}" if host else ""
