"""One option of a deployment, and how the text that is given for it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network

NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,23}")
YES, NO = ("yes", "true", "1", "on"), ("no", "false", "0", "off")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option: how it is called in a field, in ``deploy.toml`` and for ``make``.

    ``setting`` is the program's own setting for the same. One that is not ``remembered`` is not
    written into ``deploy.toml``.
    """

    field: str
    key: str
    variable: str
    parse: Callable[[str], object]
    write: Callable[[object], str] = str
    expected: str
    example: str
    help: str
    setting: str = ""
    remembered: bool = True


def parse_name(text: str) -> str:
    """Return a name that every part of AWS takes: letters, digits and single hyphens."""
    if not NAME.fullmatch(text):
        raise ValueError
    return text


def parse_flag(text: str) -> bool:
    """Return whether a text says yes."""
    if text.lower() in (*YES, *NO):
        return text.lower() in YES
    raise ValueError


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser of one of some words."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError
        return text.lower()

    return parse


def matching(pattern: re.Pattern[str], *, lower: bool = False) -> Callable[[str], str]:
    """Return a parser of what a pattern matches whole."""

    def parse(text: str) -> str:
        value = text.lower() if lower else text
        if not pattern.fullmatch(value):
            raise ValueError
        return value

    return parse


def parse_networks(text: str) -> tuple[str, ...]:
    """Return networks in CIDR notation; a plain address is a network of one.

    A network that is the whole internet is refused: that is what ``public`` is for.
    """
    parts = [part for part in re.split(r"[\s,]+", text.strip()) if part]
    networks = [ip_network(part, strict=False) for part in parts]
    if not networks:
        raise ValueError
    if any(network.prefixlen < 8 for network in networks):  # noqa: PLR2004  a sixteenth-million of IPv4
        raise ValueError("it is a large part of the internet (PUBLIC=yes lets everybody look)")
    return tuple(dict.fromkeys(map(str, networks)))


def write_networks(value: object) -> str:
    """Return networks as ``parse_networks`` reads them."""
    return ",".join(value) if isinstance(value, tuple) else str(value)
