"""Whose word is taken for how a request was sent: that of the proxies that were named, alone.

A balancer or web server that speaks HTTPS for us says so in ``X-Forwarded-Proto``. Anybody can
write that header, so it counts only on connections that come from an address of such a proxy.
Nothing else that a proxy can add is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

HTTP, HTTPS = "http", "https"

Networks = tuple[IPv4Network | IPv6Network, ...]

NOBODY: Networks = ()

_FORWARDED_PROTO = b"x-forwarded-proto"


def is_among(peer: tuple[str, int] | None, proxies: Networks) -> bool:
    """Return whether a connection comes from one of the proxies."""
    if peer is None or not proxies:
        return False
    try:
        address = ip_address(peer[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        # A socket that listens to both families writes 10.0.0.1 as ::ffff:10.0.0.1.
        address = address.ipv4_mapped or address
    return any(address in network for network in proxies)


def scheme_said(headers: Iterable[tuple[bytes, bytes]], scheme: str) -> str:
    """Return the scheme that a proxy names; the connection's own where it names none.

    Of several proxies in a row the last writes last, so its word is the last in the list.
    """
    said = [value for name, value in headers if name == _FORWARDED_PROTO]
    last = said[-1].rpartition(b",")[2].strip().lower().decode("latin-1") if said else ""
    return last if last in (HTTP, HTTPS) else scheme
