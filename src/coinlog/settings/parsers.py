"""What each kind of setting must look like, and what it becomes.

A parser takes the text of a setting and returns its value, or raises ``ValueError``; whoever
calls adds the name, what is expected and an example. A ``ValueError`` may say more in words, but
never with the text itself, which can be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from coinlog.settings.secret import Secret
from coinlog.slots import DAY, HOUR, AssetSelection, parse_assets

MEGABYTE = 1_000_000
YEAR = 366 * DAY

HISTORY = ("ask", "none", "30d", "90d", "1y", "3y", "all")
LOG_FORMS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\.?)*")


def text(value: str) -> str:
    """Return a text that is not empty and fits on a line."""
    if not value.strip() or not value.isprintable():
        raise ValueError("it is empty or holds characters that cannot be printed")
    return value.strip()


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within bounds, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value.strip()) or not low <= int(value) <= high:
            raise ValueError
        return int(value)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of seconds within bounds, both included."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value.strip()):
            raise ValueError
        if not low <= float(value) <= high:
            raise ValueError
        return float(value)

    return parse


def megabytes(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole megabytes within bounds that returns bytes."""
    parse = whole(low, high)
    return lambda value: parse(value) * MEGABYTE


def assets(value: str) -> str:
    """Return a selection of assets in its one way of writing it, so that equal ones look equal."""
    return format_assets(parse_assets(value))


def format_assets(selection: AssetSelection) -> str:
    """Return a selection as it is written in the settings: ``top:200+id:4687``."""
    ids = "id:" + ",".join(map(str, selection.ids)) if selection.ids else ""
    return "+".join(part for part in (f"top:{selection.top}" if selection.top else "", ids) if part)


def log_form(value: str) -> str:
    """Return the form in which is logged: one of ``LOG_FORMS``."""
    if value.strip().lower() not in LOG_FORMS:
        raise ValueError
    return value.strip().lower()


def log_level(value: str) -> str:
    """Return a log level as Python's logging names it: ``INFO``."""
    if value.strip().lower() not in LOG_LEVELS:
        raise ValueError
    return value.strip().upper()


def history(value: str) -> str:
    """Return how far back ``coinlog up`` fetches the past: one of ``HISTORY``."""
    if value.strip().lower() not in HISTORY:
        raise ValueError
    return value.strip().lower()


def rounds(value: str) -> int:
    """Return the seconds between two rounds of verifying, from an hour to a year; 0 is never."""
    word = value.strip().lower()
    named = {"none": "0d", "off": "0d", "daily": "1d", "weekly": "7d"}.get(word, word)
    match = re.fullmatch(r"([0-9]{1,3})([hd])", named)
    seconds = int(match[1]) * {"h": HOUR, "d": DAY}[match[2]] if match else -1
    if seconds < 0 or (not seconds and named == word) or seconds > YEAR:
        raise ValueError
    return seconds


def host(value: str) -> str:
    """Return a host name or an address; IPv6 addresses stand without brackets."""
    name = value.strip()
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if re.fullmatch(r"[^:]+:[0-9]{1,5}", name):
        raise ValueError("the port is a setting of its own")
    if _is_address(bare):
        return bare
    if not _HOST.fullmatch(name) or re.fullmatch(r"[0-9.]+", name):
        raise ValueError
    return name


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def proxies(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return networks, from addresses and ``10.0.0.0/16``, with commas between; none by ``none``.

    An address with bits beyond its mask (``10.0.0.1/16``) stands for its network.
    """
    if value.strip().lower() == "none":
        return ()
    return tuple(ip_network(one.strip(), strict=False) for one in value.split(","))


def folder(value: str) -> Path:
    """Return an absolute path, from the current folder where it is relative; ``~`` is home."""
    path = Path(text(value)).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError("it is there, and it is no folder")
    return path


def file(value: str) -> Path:
    """Return an absolute path of a file, which need not be there yet; ``~`` is home."""
    path = Path(text(value)).expanduser().absolute()
    if path.is_dir():
        raise ValueError("it is a folder")
    return path


def alert_urls(value: str) -> tuple[Secret, ...]:
    """Return addresses as ``split_urls`` finds them, of which one at least is an address.

    One that is none is refused where it is opened: it should not silence the others.
    """
    found = split_urls(value)
    if not any("://" in url for url in found):
        raise ValueError("number 1 is no address" if found else "it holds no address")
    return tuple(Secret(url) for url in found)


def split_urls(text: str) -> list[str]:
    """Return the addresses in a text: separated by white space, without lines of comment."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [url for line in lines for url in line.split()]


def archive(value: str) -> str:
    """Return an absolute folder, or ``s3://bucket/prefix`` without a slash at its end."""
    value = text(value)
    if not re.match(r"[A-Za-z0-9+]{2,}:", value):
        return str(folder(value))
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/?#\s]+)*/?", value):
        raise ValueError
    return value.rstrip("/")


def cmc_url(value: str) -> str:
    """Return the base address of the API without a slash at its end or two in a row.

    CoinMarketCap answers 403 to a doubled slash. The path must not name a version of the API:
    each request does.
    """
    parts = urlsplit(text(value))
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must not hold a user or a password")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    if re.search(r"/v[0-9]+$", path):
        raise ValueError("it must not end in a version: each request names its own")
    _ = parts.port  # Raises ValueError where it is no number.
    host(parts.hostname)
    return f"{parts.scheme}://{parts.netloc}{path}"


def api_key(value: str) -> Secret:
    """Return a key that can be sent as a header."""
    key = value.strip()
    if re.fullmatch(r"""(["']).*\1""", key):
        raise ValueError("it is wrapped in quotes, which are no part of it")
    if not re.fullmatch(r"[!-~]{1,256}", key):
        raise ValueError("it holds a space, a line break or a letter that no key has")
    return Secret(key)


def password(value: str) -> Secret:
    """Return a password: any characters."""
    return Secret(value)
