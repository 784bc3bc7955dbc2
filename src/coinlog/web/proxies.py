"""Whose word is taken for how, and by whom, a request was sent: that of the named proxies.

A balancer or web server that speaks HTTPS for us says so in ``X-Forwarded-Proto``, and whom it
speaks for in ``X-Forwarded-For``. Anybody can write these headers, so they count only on
connections that come from an address of such a proxy. Nothing else that a proxy can add is looked
at.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

HTTP, HTTPS = "http", "https"

Networks = tuple[IPv4Network | IPv6Network, ...]
Address = IPv4Address | IPv6Address

NOBODY: Networks = ()
_PRIVATE_NAMES = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
    *("fc00::/7", "fe80::/10"),
)
_PRIVATE: Networks = tuple(map(ip_network, _PRIVATE_NAMES))

FORWARDED_PROTO = b"x-forwarded-proto"
FORWARDED_FOR = b"x-forwarded-for"
_ADDRESSES_KEPT = 4096
_LAST_BYTES = 256
_IPV6_SITE_BYTES = 8


def address_of(peer: tuple[str, int] | None) -> Address | None:
    """Return the address that a connection comes from, ``None`` where it has none."""
    return _read(peer[0]) if peer else None


def is_among(address: Address | None, networks: Networks) -> bool:
    """Return whether an address is in one of the networks."""
    return address is not None and any(address in network for network in networks)


def is_private(address: Address | None) -> bool:
    """Return whether an address is one that the internet does not know (RFC 1918, RFC 4193)."""
    return is_among(address, _PRIVATE)


def site_of(address: Address) -> bytes:
    """Return what is counted as one address: of IPv6 the first half, the rest is the client's."""
    if isinstance(address, IPv6Address):
        return address.packed[:_IPV6_SITE_BYTES]
    return address.packed


def scheme_said(headers: Iterable[tuple[bytes, bytes]], scheme: str) -> str:
    """Return the scheme that a proxy names; the connection's own where it names none.

    Of several proxies in a row the last writes last, so its word is the last in the list.
    """
    said = [value for name, value in headers if name == FORWARDED_PROTO]
    last = said[-1].rpartition(b",")[2].strip().lower().decode("latin-1") if said else ""
    return last if last in (HTTP, HTTPS) else scheme


def forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return whom a request is said to be sent for: the last few that were written, in order."""
    return b",".join([value for name, value in headers if name == FORWARDED_FOR])[-_LAST_BYTES:]


@lru_cache(_ADDRESSES_KEPT)
def client_said(said: bytes, proxies: Networks) -> Address | None:
    """Return the last address in the list that is none of the proxies': each adds who asked it.

    What stands before that address is the client's own word. Where all are proxies it is the
    first of them; ``None`` where the nearest proxy has written no address.
    """
    nearest = None
    for hop in reversed(said.split(b",")):
        address = _read(hop.strip().decode("latin-1"))
        if address is None or not is_among(address, proxies):
            return address or nearest
        nearest = address
    return nearest


def _read(text: str) -> Address | None:
    """Return the address that a text names; some proxies write its port too."""
    bare = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        # A zone (fe80::1%eth0) says which way, not who.
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # A socket that listens to both families writes 10.0.0.1 as ::ffff:10.0.0.1.
        return address.ipv4_mapped or address
    return address
