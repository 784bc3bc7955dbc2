"""How many requests an address may send, whose request it is, and what it is told beyond that."""

from __future__ import annotations

import os
import time
from ipaddress import ip_address, ip_network

import pytest

from coinlog.settings import load_settings
from coinlog.web import protocol
from coinlog.web.admission import CONNECTIONS, RATE
from coinlog.web.allowance import Allowance
from coinlog.web.patience import Limits
from coinlog.web.proxies import Networks, client_said, site_of
from coinlog.web.security import SECURITY_HEADERS, STRICT
from coinlog.web.watch import State
from samples import SLOT
from sites import Site
from wires import GET, send, until_closed, wire

LOOPBACK: Networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
SOMEBODY = b"x-forwarded-for: 192.0.2.7\r\n"
CLOSE = b"connection: close\r\n"


@pytest.fixture
def site(sqlite_web: Site) -> Site:
    sqlite_web.store(SLOT)
    sqlite_web.look()
    return sqlite_web


class Clock:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def allowing(per_minute: int, proxies: Networks = LOOPBACK) -> Limits:
    """Return limits under which no time passes: what was used up stays so."""
    return Limits(proxies=proxies, allowance=Allowance(per_minute, Clock()))


def statuses(address: tuple[str, int], *requests: bytes) -> list[int]:
    """Send requests one after the other on connections of their own."""
    return [int(until_closed(send(address, one)).split()[1]) for one in requests]


def asked(target: bytes = b"/log", more: bytes = SOMEBODY) -> bytes:
    return GET % (target, more + CLOSE)


def test_a_minutes_worth_may_come_at_once_and_then_it_is_one_step_at_a_time() -> None:
    clock = Clock()
    allowance = Allowance(30, clock)
    assert [allowance.wait(7) for _ in range(30)] == [0.0] * 30

    assert allowance.wait(7) == pytest.approx(2.0)
    clock.now += 1.9
    assert allowance.wait(7) == pytest.approx(0.1)
    clock.now += 0.2
    assert allowance.wait(7) == 0
    clock.now += 3600
    assert [allowance.wait(7) > 0 for _ in range(31)] == [False] * 30 + [True]


def test_addresses_are_counted_apart_and_those_beyond_the_table_push_out_the_least_active() -> None:
    clock = Clock()
    allowance = Allowance(2, clock, sets=1)
    busy = [(name, allowance.wait(name), allowance.wait(name)) for name in (1, 2, 3)]
    assert busy == [(1, 0, 0), (2, 0, 0), (3, 0, 0)]

    assert [allowance.wait(name) for name in range(10, 1000)] == [0.0] * 990
    assert [allowance.wait(name) > 0 for name in (1, 2, 3)] == [True] * 3


def test_workers_forked_from_one_process_count_together() -> None:
    allowance = Allowance(100)
    name = allowance.name_of(b"somebody")
    pid = os.fork()
    if not pid:
        for _ in range(100):
            allowance.wait(name)
        os._exit(0)
    os.waitpid(pid, 0)

    assert allowance.wait(name) > 0


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("198.51.100.9, 192.0.2.7", "192.0.2.7"),
        ("198.51.100.9, 192.0.2.7, 127.0.0.1", "192.0.2.7"),
        ("198.51.100.9,192.0.2.7,127.0.0.1 , 127.0.0.2", "192.0.2.7"),
        ("192.0.2.7:51334", "192.0.2.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("198.51.100.9, unknown", None),
        ("198.51.100.9, ", None),
        ("<script>", None),
        ("198.51.100.9, junk, 127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(said: str, client: str | None) -> None:
    found = client_said(said.encode(), LOOPBACK)

    assert found == (ip_address(client) if client else None)


def test_of_ipv6_the_first_half_counts() -> None:
    one, other, next_door, old = map(
        ip_address, ("2001:db8:1:2::3", "2001:db8:1:2:ffff::9", "2001:db8:1:3::3", "192.0.2.7")
    )

    assert site_of(one) == site_of(other) != site_of(next_door)
    assert site_of(old) == old.packed


def test_what_is_beyond_is_told_so_in_the_one_shape_with_when_to_come_again(site: Site) -> None:
    with wire(site, allowing(2)) as address:
        assert statuses(address, asked(), asked()) == [200, 200]
        answer = until_closed(send(address, asked(more=SOMEBODY + b"x-forwarded-proto: https\r\n")))

    head, _, body = answer.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    assert first == b"HTTP/1.1 429 Too Many Requests"
    assert [one for one in headers if not one.startswith(b"date: ")] == [
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        b"cache-control: no-store",
        *(b"%s: %s" % pair for pair in SECURITY_HEADERS),
        b"retry-after: 30",
        b"%s: %s" % STRICT,
        b"connection: close",
    ]
    assert body == (
        b'{"error":{"status":429,"code":"too_many","message":"more than 2 requests within a '
        b'minute came from this address: try again in 30 seconds"}}'
    )


def test_everybody_else_goes_on_being_answered(site: Site) -> None:
    with wire(site, allowing(1)) as address:
        assert statuses(address, asked(), asked()) == [200, 429]

        others = (b"x-forwarded-for: 192.0.2.8\r\n", b"x-forwarded-for: 2001:db8::1\r\n")
        assert statuses(address, *(asked(more=other) for other in others)) == [200, 200]


def test_nobody_gets_more_by_writing_what_a_proxy_writes(site: Site) -> None:
    lies = [b"x-forwarded-for: 192.0.2.%d, 198.51.100.9\r\n" % n for n in range(3)]
    apart = b"x-forwarded-for: 192.0.2.9\r\nX-Forwarded-For: 198.51.100.9\r\n"
    with wire(site, allowing(1)) as address:
        assert statuses(address, *(asked(more=lie) for lie in [*lies, apart])) == [
            200,
            429,
            429,
            429,
        ]


def test_strangers_are_limited_in_asking_for_health_too_and_this_machine_is_not(site: Site) -> None:
    health = (b"/live", b"/ready", b"/live?x")
    with wire(site, allowing(1)) as address:
        assert statuses(address, asked(), asked()) == [200, 429]
        assert statuses(address, *map(asked, health)) == [429] * 3
        assert statuses(address, *(asked(path, b"") for path in health)) == [200] * 3
        assert statuses(address, *[asked(more=b"")] * 5) == [200] * 5


def test_a_balancer_on_a_private_network_asks_for_health_as_often_as_it_likes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "address_of", lambda _: ip_address("10.0.3.4"))
    with wire(site, allowing(1)) as address:
        assert statuses(address, *[asked(b"/ready", b"")] * 3) == [200] * 3
        assert statuses(address, asked(more=b""), asked(more=b"")) == [200, 429]
        assert statuses(address, asked(b"/ready")) == [429]


def test_a_proxy_that_does_not_say_for_whom_it_asks_is_counted_itself(site: Site) -> None:
    unknown = b"x-forwarded-for: 192.0.2.7, unknown\r\n"
    with wire(site, allowing(1)) as address:
        assert statuses(address, asked(more=unknown), asked(more=unknown)) == [200, 429]


def test_whoever_asks_for_readiness_has_the_database_asked_once_a_second(site: Site) -> None:
    looks = 0
    look = site.app.watch.look

    def counted() -> State | None:
        nonlocal looks
        looks += 1
        return look()

    site.app.watch.look = counted  # type: ignore[method-assign]
    try:
        started = time.monotonic()
        assert {site.get("/ready").status for _ in range(50)} == {200}
        assert looks <= 1 + (time.monotonic() - started)
    finally:
        site.app.watch.look = look  # type: ignore[method-assign]


def test_a_stranger_is_counted_by_its_own_address_whatever_it_says(site: Site) -> None:
    lies = [b"x-forwarded-for: 192.0.2.%d\r\n" % n for n in range(3)]
    with wire(site, allowing(1, proxies=())) as address:
        assert statuses(address, *(asked(more=lie) for lie in lies)) == [200, 429, 429]


@pytest.mark.parametrize("target", [b"/log", b"/nowhere", b"/api/v1/assets", b"/%ff"])
def test_cached_and_made_and_refused_count_alike(site: Site, target: bytes) -> None:
    with wire(site, allowing(2)) as address:
        found = statuses(address, asked(target), asked(target), asked(target), asked(target))

    assert found[2:] == [429, 429]
    assert 429 not in found[:2]


def test_on_one_connection_answers_keep_their_order_and_it_stays_open(site: Site) -> None:
    again = GET % (b"/log", SOMEBODY)
    with wire(site, allowing(2)) as address, send(address, b"") as client:
        found = []
        for request in (again, again, again, GET % (b"/log", b"")):
            client.sendall(request)
            found.append(int(client.recv(65_536).split()[1]))

    assert found == [200, 200, 429, 200]


def test_what_was_sent_at_once_is_answered_as_far_as_it_is_allowed(site: Site) -> None:
    with wire(site, allowing(2)) as address:
        answer = until_closed(send(address, GET % (b"/schema", SOMEBODY) * 9))

    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.count(b"HTTP/1.1 ") <= 3


def test_a_refused_body_is_not_read(site: Site) -> None:
    post = (
        b"POST /log HTTP/1.1\r\nhost: x\r\n"
        + SOMEBODY
        + b"content-length: 9000000\r\n\r\n"
        + b"x" * 99
    )
    with wire(site, allowing(1)) as address:
        assert statuses(address, asked()) == [200]
        answer = until_closed(send(address, post))

    assert answer.startswith(b"HTTP/1.1 429 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_head_is_refused_without_a_body(site: Site) -> None:
    head = b"HEAD /log HTTP/1.1\r\nhost: x\r\n" + SOMEBODY + CLOSE + b"\r\n"
    with wire(site, allowing(1)) as address:
        assert statuses(address, asked()) == [200]
        answer = until_closed(send(address, head))

    assert answer.startswith(b"HTTP/1.1 429 ")
    assert answer.endswith(b"\r\n\r\n")


def test_the_limits_are_settings() -> None:
    settings = load_settings({}, None)
    off = load_settings({"COINLOG_RATE": "0", "COINLOG_CONNECTIONS": "0"}, None)

    assert (settings.rate, settings.connections) == (RATE, CONNECTIONS)
    assert (off.rate, off.connections) == (0, 0)
