"""What a request's head must be before anything is asked for an answer.

The parser lets through what two programs in a row could read in two ways: none or two names of a
host, a target that is no path, a version that is none. It is refused here, whatever it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from coinlog.web.problems import NO_HOST
from coinlog.web.refusals import refusal

_VERSIONS = ("1.1", "1.0")
_BODY, _HOST = (b"content-length", b"transfer-encoding"), b"host"
_SPECIAL = frozenset((*_BODY, b"upgrade", b"expect", _HOST))
_NAME = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?", re.ASCII
)
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)

OTHER_VERSION = refusal(400, "only HTTP/1.1 and HTTP/1.0 are spoken here")
ONE_HOST = refusal(400, "the request must have one Host header, neither none nor several")
BAD_HOST = refusal(400, NO_HOST)
OTHER_HOST = refusal(400, "the address names another host than the Host header")
NO_PATH = refusal(400, "the address must begin with a slash")


def look_at(
    target: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]
) -> tuple[bytes | None, bool, bool]:
    """Return the refusal of a head or ``None``; whether it is plain; whether a body follows.

    A plain one has nothing about it that needs an application to answer.
    """
    hosts, plain, body = [], True, False
    for name, value in headers:
        if name in _SPECIAL:
            if name == _HOST:
                hosts.append(value)
            else:
                plain = False
                body = body or (name in _BODY and value != b"0")
    return _fault(target, version, hosts), plain, body


def _fault(target: bytes, version: str, hosts: list[bytes]) -> bytes | None:
    if version not in _VERSIONS:
        return OTHER_VERSION
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        return ONE_HOST
    if hosts and not _is_host(hosts[0]):
        return BAD_HOST
    return None if target[:1] == b"/" else _fault_of_target(target, hosts)


def _fault_of_target(target: bytes, hosts: list[bytes]) -> bytes | None:
    """Return what is wrong with a target that is no path: of a whole address the host counts."""
    whole = _ABSOLUTE.match(target)
    if not whole:
        # Of the whole server something may be asked, by a method that is refused anyway.
        return None if target == b"*" else NO_PATH
    return None if hosts and whole[1].lower() == hosts[0].lower() else OTHER_HOST


@lru_cache(256)
def _is_host(value: bytes) -> bool:
    return bool(_NAME.fullmatch(value))
