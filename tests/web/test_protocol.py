"""The server on the wire: slow, greedy and broken clients, and the order of answers."""

from __future__ import annotations

import os
import select
import socket
from contextlib import ExitStack

import httpx
import pytest

from coinlog.web.entries import Entry
from coinlog.web.patience import Limits
from samples import SLOT
from sites import Site
from wires import GET, SOON, check_refusal, send, until_closed, wire

SERIES = "/api/v1/assets/1/series?range=1d"
QUICK = 0.25
HURRIED = Limits(receive_seconds=QUICK, idle_seconds=QUICK)


@pytest.fixture
def site(sqlite_web: Site) -> Site:
    sqlite_web.store(SLOT)
    sqlite_web.look()
    return sqlite_web


LARGE = b"/large"


@pytest.fixture
def large(site: Site) -> Site:
    """Return a site of which one answer has 8 MB."""
    entry = Entry(os.urandom(8_000_000), [(b"content-type", b"application/octet-stream")])
    site.app.static[LARGE] = entry
    return site


def until_gone(client: socket.socket) -> None:
    """Wait until the server has cut the connection off, reading nothing."""
    asked = select.poll()
    asked.register(client, select.POLLHUP)
    assert asked.poll(SOON * 1000)
    while client.recv(1_000_000):
        continue


def test_a_connection_that_asks_nothing_is_closed(site: Site) -> None:
    with wire(site, HURRIED) as address:
        check_refusal(until_closed(send(address, b"")), 408)


def test_a_head_that_never_ends_is_closed_however_steadily_it_drips(site: Site) -> None:
    with wire(site, HURRIED) as address, send(address, b"GET / HTTP/1.1\r\nx: ") as client:
        client.settimeout(QUICK / 10)
        answer = b""
        while not answer:
            try:
                answer = client.recv(65_536)
            except TimeoutError:
                client.sendall(b"y")

    check_refusal(answer, 408)


def test_blank_lines_keep_no_connection_open(site: Site) -> None:
    with wire(site, HURRIED) as address:
        check_refusal(until_closed(send(address, b"\r\n\r\n")), 408)
        answer = until_closed(send(address, GET % (b"/live", b"") + b"\r\n\r\n"))

    assert answer.count(b"HTTP/1.1 200 ") == 1


def narrow(address: tuple[str, int], request: bytes, room: int = 4096) -> socket.socket:
    """Ask with room for little of the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.settimeout(SOON)
    client.connect(address)
    client.sendall(request)
    return client


@pytest.mark.parametrize("more", [b"", b"connection: close\r\n"])
@pytest.mark.parametrize("count", [1, 3])
def test_who_does_not_read_an_answer_is_cut_off(large: Site, more: bytes, count: int) -> None:
    with (
        wire(large, HURRIED) as address,
        narrow(address, GET % (LARGE, more) * count) as client,
        pytest.raises(ConnectionResetError),
    ):
        until_gone(client)


def test_who_reads_an_answer_slowly_gets_it_whole(large: Site) -> None:
    closing = GET % (LARGE, b"connection: close\r\n")
    with wire(large, HURRIED) as address:
        whole = until_closed(send(address, closing))
        said = b""
        with narrow(address, closing, 200_000) as client:
            while part := client.recv(400_000):
                said += part
                select.select([], [], [], QUICK / 10)

    body = whole.partition(b"\r\n\r\n")[2]
    assert said.endswith(body)


def test_a_body_that_never_comes_is_closed_after_its_answer(site: Site) -> None:
    request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"
    with wire(site, HURRIED) as address:
        answer = until_closed(send(address, request))

    assert answer.startswith(b"HTTP/1.1 405 ")


def test_hundreds_of_slow_connections_keep_nobody_waiting(site: Site) -> None:
    with wire(site) as address, ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(send(address, b"GET / HTTP/1.1\r\nx: "))
        with httpx.Client(base_url="http://{}:{}".format(*address)) as client:
            seconds = [
                client.get(SERIES).raise_for_status().elapsed.total_seconds() for _ in range(100)
            ]

    assert sorted(seconds)[98] < 0.5


def test_an_idle_connection_is_closed(site: Site) -> None:
    with wire(site, HURRIED) as address:
        answer = until_closed(send(address, GET % (b"/live", b"")))

    assert answer.count(b"HTTP/1.1 200 ") == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_request_is_refused_like_everything_else(
    site: Site, request_bytes: bytes
) -> None:
    with wire(site) as address:
        client = socket.create_connection(address, timeout=SOON)
        client.sendall(request_bytes)
        check_refusal(until_closed(client), 400)


def test_requests_sent_at_once_are_answered_in_their_order(site: Site) -> None:
    targets = [SERIES.encode(), b"/api/v1/log", b"/nowhere", SERIES.encode(), b"/live"]
    requests = [GET % (target, b"") for target in targets]
    requests[-1] = GET % (targets[-1], b"connection: close\r\n")
    with wire(site) as address:
        until_closed(send(address, GET % (targets[0], b"connection: close\r\n")))
        answer = until_closed(send(address, b"".join(requests)))

    marks = [b'"slots":[', b'"outcome":', b"HTTP/1.1 404 ", b'"slots":[', b'"status":"up"']
    places = [answer.find(mark) for mark in marks[:3]] + [answer.rfind(mark) for mark in marks[3:]]
    assert -1 not in places
    assert places == sorted(places)
    assert site.app.hits == 2


def test_an_answer_from_the_cache_is_the_same_on_the_wire_as_one_made(site: Site) -> None:
    with wire(site) as address, httpx.Client(base_url="http://{}:{}".format(*address)) as client:
        made, kept = client.get(SERIES), client.get(SERIES)
        unchanged = client.get(SERIES, headers={"if-none-match": kept.headers["etag"]})
        head = client.head(SERIES)

    assert site.app.hits == 2
    assert made.content == kept.content
    assert dict(made.headers) == dict(kept.headers) == dict(head.headers)
    assert (unchanged.status_code, unchanged.content, head.content) == (304, b"", b"")
    assert "date" in kept.headers
    assert "server" not in kept.headers


def test_the_connection_ends_after_a_cached_answer_where_the_client_wants_it(site: Site) -> None:
    with wire(site) as address:
        for request in (
            GET % (SERIES.encode(), b"connection: close\r\n"),
            b"GET %s HTTP/1.0\r\n\r\n" % SERIES.encode(),
        ):
            for _ in range(2):
                answer = until_closed(send(address, request))
                assert answer.count(b"HTTP/1.1 200 OK") == 1
                assert b"connection: close" in answer


def test_an_upgrade_to_something_else_is_answered_as_if_not_asked(site: Site) -> None:
    upgrade = b"upgrade: websocket\r\nconnection: upgrade, close\r\n"
    with wire(site) as address:
        answer = until_closed(send(address, GET % (b"/live", upgrade)))

    assert answer.startswith(b"HTTP/1.1 200 ")
