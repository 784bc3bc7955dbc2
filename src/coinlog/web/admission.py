"""What is allowed to whoever comes: how many requests, how many connections, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

from coinlog.web.proxies import NOBODY, Networks

RATE = 6000
CONNECTIONS = 200


@dataclass(frozen=True)
class Admission:
    """The limits of one server, and the proxies whose word is taken; 0 is no limit.

    ``rate`` is requests a minute of one address, ``connections`` how many of one are open at
    once. Proxies have any number, each request being counted for whom they name.
    """

    proxies: Networks = NOBODY
    rate: int = RATE
    connections: int = CONNECTIONS


EVERYBODY = Admission()


def asked_too_often(per_minute: int, seconds: int) -> str:
    """Return what is told to an address that asks more often, whoever counts it."""
    word = "second" if seconds == 1 else "seconds"
    return (
        f"more than {per_minute:,} requests within a minute came from this address: "
        f"try again in {seconds} {word}"
    )
