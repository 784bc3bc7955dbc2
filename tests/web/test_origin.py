"""Whole addresses in answers: only of hosts that can be one, and each host's its own answer."""

from __future__ import annotations

import pytest

from coinlog.web.canonical import names_its_origin
from coinlog.web.origin import origin_in


@pytest.mark.parametrize(
    "host",
    ["coinlog.example", "localhost:5000", "127.0.0.1:80", "[::1]:5000", "a", "xn--mnchen-3ya.de"],
)
def test_hosts_are_repeated(host: str) -> None:
    assert origin_in([(b"host", host.encode())]) == f"http://{host}"


@pytest.mark.parametrize(
    "host",
    [
        "",
        '"><script>',
        "a b",
        "evil.example/path",
        "user@host",
        "a:b",
        "[::1",
        "é",
        "-a",
        "a" * 300,
    ],
)
def test_what_is_no_host_is_not_repeated(host: str) -> None:
    assert origin_in([(b"host", host.encode())]) == ""
    assert origin_in([]) == ""


def test_the_scheme_is_the_connections_and_no_header_changes_it() -> None:
    host = (b"host", b"Coinlog.Example")

    assert origin_in([host], "https") == "https://coinlog.example"
    assert origin_in([host, (b"x-forwarded-proto", b"https")]) == "http://coinlog.example"
    assert origin_in([host], "javascript") == ""


def test_pages_and_feeds_name_their_origin_and_other_answers_do_not() -> None:
    named = ("/", "/es/", "/assets/1", "/es/compare", "/log", "/log.atom", "/es/log.atom")
    others = ("/embed/1", "/es/og/home.png", "/spark/1.svg", "/api/v1/log", "/data/latest.json")

    assert all(names_its_origin(path) for path in named)
    assert not any(names_its_origin(path) for path in others)
