"""The form in which recording and serving tell what they do: lines for people, or JSON.

With ``COINLOG_LOG=json`` each event is one line of JSON on the standard output, warnings and errors
are one line each on the standard error, and nothing else is told. No secret of the settings can get
into a line, and no text from elsewhere can begin a new one.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import click
import msgspec

from coinlog.alerts.hosts import host_of
from coinlog.settings import Settings
from coinlog.slots import iso
from coinlog.sources.texts import one_line
from coinlog.telling import without

MOST_TEXT = 2000
LEAST_TOKEN = 8
_BEGINNING = 200
_SEPARATORS = re.compile(r"[/?&=:@,#]+")
_BRACKETS = re.compile(r"[\[\](){}<>|\s]+")


class Lines:
    """How this process tells: like logging, there is one for all of it."""

    def __init__(self) -> None:
        self.json = False
        self._secrets: tuple[str, ...] = ()

    def follow(self, settings: Settings) -> None:
        """Tell as the settings want it, and none of their secrets."""
        self.json = settings.log == "json"
        kept = (settings.api_key, settings.move_password, settings.import_password)
        secrets = [one.reveal() for one in kept if one]
        for address in settings.alert_urls:
            secrets += secret_parts(address.reveal())
        self._secrets = tuple(filter(None, [*secrets, settings.database_url.password or ""]))

    def hide(self, addresses: Iterable[str]) -> None:
        """Tell none of these addresses of alerts either: a file holds them, and no setting."""
        parts = [part for address in addresses for part in secret_parts(address)]
        self._secrets = tuple(dict.fromkeys([*self._secrets, *parts]))

    def event(self, name: str, level: str = "info", **facts: object) -> None:
        """Tell programs what was done, in one line."""
        click.echo(self.line(name, level, facts))

    def complaint(self, name: str, level: str, **facts: object) -> None:
        """Tell programs what should be looked at, in one line beside the events."""
        click.echo(self.line(name, level, facts), err=True)

    def line(self, name: str, level: str, facts: dict[str, object]) -> str:
        """Return an event as JSON."""
        told = {"time": iso(int(time.time())), "level": level, "event": name, **facts}
        return msgspec.json.encode(self.clean(msgspec.to_builtins(told))).decode()

    def clean(self, told: Any) -> Any:  # noqa: ANN401  whatever is told
        """Return what is told without secrets."""
        return without(self._secrets, told)


def secret_parts(address: str) -> list[str]:
    """Return an alert's address and what in it may be a token: user, password, path and query.

    A token may stand in the brackets of a template. What is as short as a usual word is none, and
    would take pieces out of every line.
    """
    rest = address.partition("://")[2]
    found = _SEPARATORS.split(rest)
    if found.count(host := host_of(address)) == 1:
        # Errors name it, so that one address is told from another.
        found.remove(host)
    found += [inner for part in found for inner in _BRACKETS.split(part) if inner != part]
    parts = [part for part in found if len(part) >= LEAST_TOKEN]
    return [address, rest, *parts, *(unquote(part) for part in parts)]


lines = Lines()


class OneLine(logging.Formatter):
    """Writes what goes wrong anywhere in the program in one line; for people with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as it is written."""
        # Without secrets first: half of one would not be found any more.
        message = _both_ends(str(lines.clean(record.getMessage())))
        trace = self.formatException(record.exc_info) if record.exc_info else None
        if lines.json:
            facts: dict[str, object] = {"logger": record.name, "message": message}
            if trace:
                facts["trace"] = trace
            return lines.line("log", record.levelname.lower(), facts)
        said = lines.clean(f"{message}\n{trace}" if trace else message)
        return f"{record.levelname} {record.name}: {said}"


def _both_ends(text: str) -> str:
    """Return a text in one line, without its middle where it is long.

    A traceback in it says at its end what was wrong.
    """
    if len(text) <= MOST_TEXT:
        return one_line(text, MOST_TEXT)
    beginning, end = text[:_BEGINNING], text[_BEGINNING - MOST_TEXT :]
    return f"{one_line(beginning, MOST_TEXT)} … {one_line(end, MOST_TEXT)}"


def log_to_stderr(level: str) -> None:
    """Let what goes wrong be written by our form; of other libraries only what is wrong."""
    logging.basicConfig(level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(OneLine())
    logging.getLogger("coinlog").setLevel(level)
    # A connection that is given up when a command is stopped is no news, and no traceback.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
