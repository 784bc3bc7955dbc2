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
