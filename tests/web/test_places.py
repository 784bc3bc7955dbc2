"""Who keeps a connection when there are more than there is place for: on the wire, and alone."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from ipaddress import ip_network

import pytest

from coinlog.web.patience import Limits
from coinlog.web.places import Place, Places
from coinlog.web.tallies import ANSWERED, place_of
from sites import Site
from wires import GET, SOON, check_refusal, send, until_closed, wire

LIVE = GET % (b"/live", b"")
HERE, THERE = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def site(asked_web: Site) -> Site:
    asked_web.look()
    return asked_web


def asking(client: socket.socket) -> bool:
    """Ask on a connection that is open; return whether it is answered."""
    try:
        client.sendall(LIVE)
        said = client.recv(65_536)
        # Head and body may come one after the other.
        while said.startswith(b"HTTP/1.1 200 ") and not said.endswith(b"}"):
            said += client.recv(65_536)
        return said.startswith(b"HTTP/1.1 200 ")
    except (ConnectionResetError, BrokenPipeError):
        return False


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)  # noqa: FBT003  its argument has no name
    try:
        return client.recv(65_536) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def come_from(host: str, address: tuple[str, int], data: bytes = b"") -> socket.socket:
    client = socket.create_connection(address, SOON, source_address=(host, 0))
    client.sendall(data)
    return client


def test_a_newcomer_takes_the_place_of_whoever_waits_longest(site: Site) -> None:
    with wire(site, Limits(connections=3, receive_seconds=SOON)) as address, ExitStack() as stack:
        first, second, third = (stack.enter_context(send(address, b"")) for _ in range(3))
        assert all(asking(one) for one in (first, second, third))
        assert asking(first)
        newcomer = stack.enter_context(send(address, b""))

        assert asking(newcomer)
        assert until_closed(second) == b""
        assert asking(first)
        assert asking(third)


def test_who_has_begun_to_ask_and_must_go_is_told_so(site: Site) -> None:
    with wire(site, Limits(connections=1, receive_seconds=SOON)) as address:
        slow = send(address, b"GET / HTTP/1.1\r\nx: ")
        with send(address, b"") as newcomer:
            assert asking(newcomer)
            check_refusal(until_closed(slow), 503)


def test_an_address_pushes_out_its_own_connections_and_nobody_elses(site: Site) -> None:
    limits = Limits(connections_of_one=2, receive_seconds=SOON)
    with wire(site, limits) as address, ExitStack() as stack:
        other = stack.enter_context(come_from(THERE, address))
        assert asking(other)
        own = [stack.enter_context(come_from(HERE, address)) for _ in range(5)]
        assert asking(own[-1])

        assert [until_closed(one) for one in own[:3]] == [b""] * 3
        assert asking(own[-2])
        assert asking(other)


def test_an_address_beyond_its_own_limit_is_told_that_and_the_server_is_not_to_blame(
    site: Site,
) -> None:
    limits = Limits(connections_of_one=1, receive_seconds=SOON)
    failures = site.app.tallies.counts[ANSWERED + place_of(503)]
    with wire(site, limits) as address:
        slow = send(address, b"GET / HTTP/1.1\r\nx: ")
        with send(address, b"") as newcomer:
            assert asking(newcomer)
            answer = until_closed(slow)

    check_refusal(answer, 429)
    assert b"\r\nretry-after: 60\r\n" in answer
    assert b"this address may hold 1 connection at once" in answer
    assert site.app.tallies.counts[ANSWERED + place_of(503)] == failures


def test_a_named_proxy_has_any_number_of_connections(site: Site) -> None:
    limits = Limits(
        connections_of_one=2, receive_seconds=SOON, proxies=(ip_network("127.0.0.1/32"),)
    )
    with wire(site, limits) as address, ExitStack() as stack:
        own = [stack.enter_context(come_from(HERE, address)) for _ in range(5)]

        assert all(asking(one) for one in own)


class Connection:
    """A guest that notes that it was sent away."""

    def __init__(self) -> None:
        self.gone = False

    def make_room(self, why: Place) -> None:
        self.gone = True
        self.why = why


def test_whoever_is_being_answered_stays_and_then_the_newcomer_is_turned_away() -> None:
    places = Places(2)
    first, second, third = Connection(), Connection(), Connection()
    assert places.enter(first, b"a") is Place.GIVEN
    assert places.enter(second, b"b") is Place.GIVEN
    places.work(first)
    places.work(second)

    assert places.enter(third, b"c") is Place.ALL_TAKEN
    places.wait(second)
    assert places.enter(third, b"c") is Place.GIVEN
    assert second.why is Place.ALL_TAKEN
    assert (first.gone, second.gone, third.gone) == (False, True, False)


def test_places_are_given_back_once_and_nothing_is_kept_of_who_has_gone() -> None:
    places = Places(2, 1)
    first, second = Connection(), Connection()
    assert places.enter(first, b"a") is Place.GIVEN
    assert places.enter(second, b"a") is Place.GIVEN
    places.leave(first)
    places.leave(second)
    places.leave(second)
    places.wait(second)

    assert first.gone
    assert [places.enter(Connection(), name) for name in (b"a", b"b")] == [Place.GIVEN] * 2
    assert places.enter(Connection(), b"c") is Place.GIVEN
