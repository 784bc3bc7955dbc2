"""What a request's head must be before anything is asked for an answer.

The parser lets through what two programs in a row could read in two ways: none or two names of a
host, a target that is no path, a version that is none. It is refused here, whatever it asks for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from coinlog.web.problems import NO_HOST
from coinlog.web.proxies import FORWARDED_FOR, FORWARDED_PROTO
from coinlog.web.refusals import refusal

_VERSIONS = ("1.1", "1.0")
_BODY, _HOST = (b"content-length", b"transfer-encoding"), b"host"
_UNUSUAL = (*_BODY, b"upgrade", b"expect")
NOTED = frozenset((*_UNUSUAL, _HOST, FORWARDED_FOR, FORWARDED_PROTO))
"""The headers that say something of how a request is to be taken; few of those that are sent."""

Noted = list[tuple[bytes, bytes]]

_NAME = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?", re.ASCII
)
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)

OTHER_VERSION = refusal(400, "only HTTP/1.1 and HTTP/1.0 are spoken here")
ONE_HOST = refusal(400, "the request must have one Host header, neither none nor several")
BAD_HOST = refusal(400, NO_HOST)
OTHER_HOST = refusal(400, "the address names another host than the Host header")
NO_PATH = refusal(400, "the address must begin with a slash")


class Head(NamedTuple):
    """What the noted headers of a request say.

    A ``plain`` one has nothing about it that needs an application to answer.
    """

    fault: bytes | None
    plain: bool
    has_body: bool
    hosts: tuple[bytes, ...]


PLAIN = Head(None, True, False, ())  # noqa: FBT003  what it says stands above


def look_at(version: str, noted: Noted) -> Head:
    """Return what the noted headers of a request say, and what is wrong with them."""
    hosts = tuple(value for name, value in noted if name == _HOST)
    lengths = [value for name, value in noted if name in _BODY]
    plain = not any(name in _UNUSUAL for name, _ in noted)
    return Head(_fault(version, hosts), plain, any(one != b"0" for one in lengths), hosts)


def _fault(version: str, hosts: tuple[bytes, ...]) -> bytes | None:
    if version not in _VERSIONS:
        return OTHER_VERSION
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        return ONE_HOST
    return None if all(map(_NAME.fullmatch, hosts)) else BAD_HOST


def fault_of_target(target: bytes, hosts: tuple[bytes, ...]) -> bytes | None:
    """Return what is wrong with a target that is no path: of a whole address the host counts."""
    whole = _ABSOLUTE.match(target)
    if not whole:
        # Of the whole server something may be asked, by a method that is refused anyway.
        return None if target == b"*" else NO_PATH
    return None if hosts and whole[1].lower() == hosts[0].lower() else OTHER_HOST
