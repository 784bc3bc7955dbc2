"""Settings about those who ask for the page: whom it believes, and how much it lets one have."""

from __future__ import annotations

from coinlog.settings import parsers
from coinlog.settings.setting import Setting

ADMISSION = (
    Setting(
        name="COINLOG_PROXIES",
        parse=parsers.proxies,
        default="127.0.0.1,::1",
        expected="addresses or networks with commas between, or none",
        example="10.0.0.0/16",
        help="Web servers and balancers before the page that are believed when they say that they "
        "were asked by HTTPS (`X-Forwarded-Proto`: links then say so, and browsers are told to "
        "stay with it, HSTS) and by whom (`X-Forwarded-For`: it is that address that is limited). "
        "From any other address these headers are ignored.",
        special=True,
    ),
    Setting(
        name="COINLOG_RATE",
        parse=parsers.whole(0, 1_000_000),
        default="6000",
        expected="a whole number of requests a minute from 1 to 1000000, or 0 for no limit",
        example="6000",
        help="Requests a minute that one address may send, all of them at once if it likes; what "
        "is beyond gets 429 with `Retry-After`. Of IPv6 a /64 counts as one address. Not limited "
        "are this machine itself, `/live` and `/ready`.",
        special=True,
    ),
    Setting(
        name="COINLOG_CONNECTIONS",
        parse=parsers.whole(0, 100_000),
        default="200",
        expected="a whole number from 1 to 100000, or 0 for no limit",
        example="200",
        help="Connections that one address may have open at once; a further one takes the place "
        "of its idlest. Those of `COINLOG_PROXIES` are not limited.",
        special=True,
    ),
)
