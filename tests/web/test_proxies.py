"""Whose word is taken for HTTPS: that of a named proxy, on the wire, and nobody else's."""

from __future__ import annotations

import re
from ipaddress import ip_network

import httpx
import pytest

from coinlog.errors import SettingError
from coinlog.settings import load_settings
from coinlog.web.patience import Limits
from coinlog.web.proxies import Networks, address_of, is_among, scheme_said
from sites import Site
from wires import wire

LOOPBACK: Networks = (ip_network("127.0.0.0/8"),)
BALANCERS: Networks = (ip_network("10.0.0.0/16"), ip_network("fd00::/8"))
STRICT = "strict-transport-security"


@pytest.fixture(scope="module")
def site(asked_web: Site) -> Site:
    asked_web.look()
    return asked_web


def ask(site: Site, proxies: Networks, said: str | None) -> list[httpx.Response]:
    """Ask twice for a feed and an error through the real server: made, and from its cache."""
    headers = {"host": "coinlog.example"} | ({"x-forwarded-proto": said} if said else {})
    with wire(site, Limits(proxies=proxies)) as (host, port):
        base = f"http://{host}:{port}"
        with httpx.Client(base_url=base, headers=headers) as client:
            return [client.get(path) for path in ("/log.atom", "/nowhere") for _ in range(2)]


def own_addresses(answers: list[httpx.Response]) -> set[str]:
    """Return the origins that the feed and its pages are said to be at."""
    return set(re.findall(r'href="(\w+://[^/"]+)/', "".join(one.text for one in answers[:2])))


def test_a_named_proxy_is_believed_when_it_says_https(site: Site) -> None:
    answers = ask(site, LOOPBACK, "https")

    assert own_addresses(answers) == {"https://coinlog.example"}
    assert [answer.headers.get(STRICT) for answer in answers] == ["max-age=31536000"] * 4
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404]


@pytest.mark.parametrize(
    ("proxies", "said"),
    [
        (BALANCERS, "https"),
        ((), "https"),
        (LOOPBACK, "http"),
        (LOOPBACK, "javascript"),
        (LOOPBACK, "https, http"),
        (LOOPBACK, None),
    ],
)
def test_anybody_else_and_anything_else_is_http(
    site: Site, proxies: Networks, said: str | None
) -> None:
    answers = ask(site, proxies, said)

    assert own_addresses(answers) == {"http://coinlog.example"}
    assert [answer.headers.get(STRICT) for answer in answers] == [None] * 4


def test_peers_are_told_apart_by_their_networks() -> None:
    among = {
        peer: is_among(address_of((peer, 1)), BALANCERS)
        for peer in ("10.0.3.4", "::ffff:10.0.3.4", "fd00::7", "10.1.0.1", "::1", "unix:")
    }

    assert among == {
        "10.0.3.4": True,
        "::ffff:10.0.3.4": True,
        "fd00::7": True,
        "10.1.0.1": False,
        "::1": False,
        "unix:": False,
    }
    assert not is_among(None, BALANCERS)


def test_the_nearest_proxy_has_the_last_word() -> None:
    said = [(b"x-forwarded-proto", b"http"), (b"x-forwarded-proto", b"http, HTTPS ")]

    assert scheme_said(said, "http") == "https"
    assert scheme_said([], "https") == "https"


def test_proxies_are_a_setting_that_begins_with_this_machine() -> None:
    def networks(**environ: str) -> list[str]:
        return [str(one) for one in load_settings(environ, None).proxies]

    assert networks() == ["127.0.0.1/32", "::1/128"]
    assert networks(COINLOG_PROXIES="10.0.0.7/16, fd00::/8") == ["10.0.0.0/16", "fd00::/8"]
    assert networks(COINLOG_PROXIES="none") == []
    with pytest.raises(SettingError, match=r"COINLOG_PROXIES.*networks with commas"):
        networks(COINLOG_PROXIES="balancer")
