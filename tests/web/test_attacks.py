"""Requests as attackers write them, byte for byte: none is a failure of ours, and none tells more.

Whatever is sent, each answer is whole, carries the headers of every answer once, and is an error
in the one shape or a page; nothing in it says what it was made with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

import msgspec
import pytest

from coinlog import __version__
from coinlog.web.patience import Limits
from coinlog.web.security import SECURITY_HEADERS
from samples import SLOT
from sites import Site
from wires import send, until_closed, wire

EVERY_KIND = (
    *("/", "/es/", "/overview", "/market", "/compare", "/log", "/assets/1", "/embed/1", "/keys"),
    *("/schema", "/nowhere", "/live", "/ready", "/fresh", "/metrics", "/log.atom"),
    *("/api/v1/assets", "/api/v1/log", "/data/latest.json", "/schema/openapi.json"),
)
HOST = b"Host: coinlog.example\r\n"
ENDS = b"Connection: close\r\n\r\n"
MADE_WITH = re.compile(
    rb"python|uvicorn|litestar|starlette|httptools|sqlite|sqlalchemy|traceback|cpython"
    rb"|" + re.escape(__version__).encode(),
    re.IGNORECASE,
)


def get(target: bytes, *headers: bytes, host: bytes = HOST, body: bytes = b"") -> bytes:
    return ask(b"GET " + target, *headers, host=host, body=body)


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return ask(b"POST /", *headers, body=body)


def ask(start: bytes, *headers: bytes, host: bytes = HOST, body: bytes = b"") -> bytes:
    more = b"".join(header + b"\r\n" for header in headers)
    return start + b" HTTP/1.1\r\n" + host + more + ENDS + body


CHUNKED, LENGTH = b"Transfer-Encoding: chunked", b"Content-Length: %d"
HOSTS = {
    "no host": (400, get(b"/log", host=b"")),
    "two hosts": (400, get(b"/log", b"Host: evil.example")),
    "an empty host": (200, get(b"/log", host=b"Host:\r\n")),
    "a host that is markup": (400, get(b"/log.atom", host=b'Host: "><script>\r\n')),
    "a host with a path": (400, get(b"/log", host=b"Host: a/b@c\r\n")),
    "a whole address": (200, get(b"http://COINLOG.example/log")),
    "a whole address elsewhere": (400, get(b"http://evil.example/log.atom")),
    "a whole address with a user": (400, get(b"http://u:p@coinlog.example/")),
    "a whole address without a path": (400, get(b"http://evil.example")),
    "another scheme": (400, get(b"ftp://coinlog.example/")),
}
PATHS = {
    "two slashes": (400, get(b"//evil.example/")),
    "two slashes further on": (400, get(b"/es//evil.example/")),
    "two slashes in disguise": (400, get(b"/%2fevil.example/")),
    "a backslash": (400, get(b"/\\evil.example/")),
    "a backslash in disguise": (400, get(b"/%5cevil.example/")),
    "upwards": (404, get(b"/../../etc/passwd")),
    "upwards in disguise": (404, get(b"/static/%2e%2e/%2e%2e/etc/passwd")),
    "upwards and a slash in disguise": (404, get(b"/static/..%2f..%2fetc%2fpasswd")),
    "through a page": (404, get(b"/log/../live")),
    "a parameter of the path": (404, get(b"/log;jsessionid=1")),
    "a dot at the end": (404, get(b"/log.")),
    "a line break": (404, get(b"/%0d%0aX-Evil:%20y")),
    "a NUL in disguise": (400, get(b"/log%00.html")),
    "a NUL": (400, get(b"/lo\0g")),
    "not UTF-8": (400, get(b"/%c0%ae%c0%ae/")),
    "not ASCII": (400, get("/ñ".encode())),
    "no path": (400, get(b"log")),
    "only a query": (400, get(b"?x")),
    "an asterisk": (400, get(b"*")),
    "100 kB": (400, get(b"/" + b"a" * 100_000)),
}
METHODS = {
    "OPTIONS of everything": (405, ask(b"OPTIONS *")),
    "OPTIONS": (405, ask(b"OPTIONS /")),
    "TRACE": (405, ask(b"TRACE /", b"X-Secret: canary")),
    "CONNECT": (400, ask(b"CONNECT evil.example:443")),
    "CONNECT of a path": (405, ask(b"CONNECT /")),
    "PROPFIND": (405, ask(b"PROPFIND /")),
    "none that is known": (400, ask(b"BREW /")),
    "a small one": (400, ask(b"get /")),
    "an override": (200, get(b"/log", b"X-HTTP-Method-Override: DELETE")),
}
VERSIONS = {
    "HTTP/0.9": (400, b"GET /log\r\n\r\n"),
    "HTTP/1.0": (200, b"GET /log HTTP/1.0\r\n\r\n"),
    "HTTP/1.2": (400, b"GET /log HTTP/1.2\r\n" + HOST + ENDS),
    "HTTP/2.0 in words": (400, b"GET /log HTTP/2.0\r\n" + HOST + ENDS),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "an upgrade to HTTP/2": (200, get(b"/log", b"Upgrade: h2c", b"Connection: upgrade")),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "every byte": (400, bytes(range(256))),
}
SMUGGLED = b"GET /api/v1/log HTTP/1.1\r\nHost: coinlog.example\r\nX: "
FRAMING = {
    "a length and chunks": (400, post(LENGTH % 5, CHUNKED, body=b"0\r\n\r\n" + SMUGGLED)),
    "chunks and a length": (400, post(CHUNKED, LENGTH % 5, body=b"0\r\n\r\n" + SMUGGLED)),
    "two lengths": (400, post(LENGTH % 5, LENGTH % 6, body=b"abcde" + SMUGGLED)),
    "one length twice": (400, post(LENGTH % 5, LENGTH % 5, body=b"abcde" + SMUGGLED)),
    "a list of lengths": (400, post(b"Content-Length: 5, 5", body=b"abcde" + SMUGGLED)),
    "a length below zero": (400, post(LENGTH % -1, body=SMUGGLED)),
    "a length with a sign": (400, post(b"Content-Length: +5", body=b"abcde" + SMUGGLED)),
    "a length in hex": (400, post(b"Content-Length: 0x5", body=b"abcde" + SMUGGLED)),
    "a length of 23 digits": (400, post(b"Content-Length: " + b"9" * 23)),
    "chunks that are none": (405, post(CHUNKED, body=b"zz\r\n" + SMUGGLED)),
    "a chunk below zero": (405, post(CHUNKED, body=b"-1\r\n" + SMUGGLED)),
    "a huge chunk": (405, post(CHUNKED, body=b"f" * 18 + b"\r\n" + SMUGGLED)),
    "a bare line feed in a chunk": (405, post(CHUNKED, body=b"2;\nxx\r\n0\r\n\r\n" + SMUGGLED)),
    "an unknown coding": (405, post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED)),
    "two codings": (400, post(CHUNKED, b"Transfer-Encoding: identity", body=SMUGGLED)),
    "a space before the colon": (400, post(b"Transfer-Encoding : chunked", body=SMUGGLED)),
    "a vertical tab": (400, post(b"Transfer-Encoding:\x0bchunked", body=SMUGGLED)),
    "a body where none belongs": (200, get(b"/log", LENGTH % 3, body=b"abc" + SMUGGLED)),
    "a request in a body": (200, get(b"/log", LENGTH % len(SMUGGLED), body=SMUGGLED)),
}
HEADERS = {
    "a folded header": (400, get(b"/log", b"X: a\r\n b")),
    "a folded first header": (400, b"GET /log HTTP/1.1\r\n X: a\r\n" + HOST + ENDS),
    "bare line feeds": (400, b"GET /log HTTP/1.1\nHost: x\n\n"),
    "bare carriage returns": (400, b"GET /log HTTP/1.1\rHost: x\r\r"),
    "a NUL in a header": (400, get(b"/log", b"X: a\0b")),
    "a NUL in a name": (400, get(b"/log", b"X\0: a")),
    "no colon": (400, get(b"/log", b"nonsense")),
    "no name": (400, get(b"/log", b": x")),
    "a space in a name": (400, get(b"/log", b"X Y: x")),
    "not ASCII": (200, get(b"/log", "Accept-Language: ñ\r\nIf-None-Match: ñ".encode())),
    "10,000 headers": (400, get(b"/log", *[b"x%d: y" % n for n in range(10_000)])),
    "a header of 100 kB": (400, get(b"/log", b"X: " + b"a" * 100_000)),
    "tabs for spaces": (400, b"GET\t/log\tHTTP/1.1\r\n" + HOST + ENDS),
    "an expectation": (200, get(b"/log", b"Expect: 200-maybe")),
}
ATTACKS = [
    pytest.param(status, request_bytes, id=f"{kind}: {name}")
    for kind, table in {
        "host": HOSTS,
        "path": PATHS,
        "method": METHODS,
        "version": VERSIONS,
        "framing": FRAMING,
        "headers": HEADERS,
    }.items()
    for name, (status, request_bytes) in table.items()
]


@pytest.fixture(scope="module")
def address(asked_web: Site) -> Iterator[tuple[str, int]]:
    asked_web.look()
    with wire(asked_web) as address:
        yield address


def split(answer: bytes) -> tuple[int, list[bytes], bytes]:
    """Return an answer's status, headers and body; fails where it is not one whole answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    [length] = [one for one in headers if one.startswith(b"content-length: ")]
    assert first.startswith(b"HTTP/1.1 ")
    assert len(body) == int(length.partition(b": ")[2]), "there is more than one answer"
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(("status", "request_bytes"), ATTACKS)
def test_each_attack_gets_one_whole_answer_that_tells_nothing(
    address: tuple[str, int], status: int, request_bytes: bytes
) -> None:
    found, headers, body = split(until_closed(send(address, request_bytes)))

    assert found == status
    names = [header.partition(b":")[0] for header in headers]
    assert len(names) == len(set(names))
    assert {b"%s: %s" % pair for pair in SECURITY_HEADERS} <= set(headers)
    assert b"server" not in names
    assert not MADE_WITH.search(b"\n".join(headers) + body)
    if b"content-type: application/json" in headers:
        assert msgspec.json.decode(body)["error"]["status"] == status
    else:
        assert b"content-type: text/html; charset=utf-8" in headers
        assert b"//evil.example" not in body


@pytest.mark.parametrize("target", EVERY_KIND)
def test_no_answer_says_what_it_was_made_with(address: tuple[str, int], target: str) -> None:
    _, headers, body = split(until_closed(send(address, get(target.encode()))))

    assert not MADE_WITH.search(b"\n".join(headers))
    assert __version__.encode() not in body


STRANGERS = (
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Prefix: /evil",
    b"X-Forwarded-Port: 666",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Scheme: https",
    b"X-Forwarded-Server: evil.example",
    b"Forwarded: for=192.0.2.1;host=evil.example;proto=https",
    b"X-Original-URL: /live",
    b"X-Rewrite-URL: /live",
    b"X-Host: evil.example",
    b"Front-End-Https: on",
)


@pytest.mark.parametrize("named", [False, True])
def test_only_the_scheme_is_taken_from_a_named_proxy_and_nothing_from_strangers(
    sqlite_web: Site, *, named: bool
) -> None:
    targets = (b"/log.atom", b"/assets/1", b"/sitemap.xml", b"/nowhere")
    proxies = (ip_network("127.0.0.0/8"),) if named else ()
    limits = Limits(proxies=proxies)
    sqlite_web.store(SLOT)
    sqlite_web.look()
    with wire(sqlite_web, limits) as address:
        plain = [split(until_closed(send(address, get(one)))) for one in targets]
        told = [split(until_closed(send(address, get(one, *STRANGERS)))) for one in targets]

    def without_scheme(answer: tuple[int, list[bytes], bytes]) -> tuple[int, bytes]:
        status, _, body = answer
        return status, body.replace(b"https://coinlog", b"http://coinlog")

    assert list(map(without_scheme, told)) == list(map(without_scheme, plain))
    strict = b"strict-transport-security: max-age=31536000"
    assert [strict in headers for _, headers, _ in told] == [named] * 4
