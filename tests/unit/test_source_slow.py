"""Slow, endless and exploding answers end by the deadline, in bounded memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from cmc_server import (
    Answering,
    CMCServer,
    Reply,
    awake,
    endless,
    gzip_bomb,
    json_reply,
    slow_body,
    slow_headers,
    stall,
    truncated,
)
from coinlog.market import Reason
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client

PATH = "/v3/cryptocurrency/listings/latest"
MEGABYTE = 1 << 20
GOOD = json_reply({"data": []})


def ask(url: str, *, seconds: float = 90, limit: int = 4 * MEGABYTE) -> Answer:
    with Client(url, deadline_seconds=seconds, body_limit_bytes=limit, sleep=awake) as client:
        return client.get("listings-1", PATH, {})


@pytest.mark.parametrize(
    "slow", [slow_headers(), slow_body(), stall], ids=["headers", "body", "stall"]
)
def test_the_deadline_fires_whatever_is_slow(server: CMCServer, slow: Answering) -> None:
    server.on(PATH, slow)
    begun = time.monotonic()
    answer = ask(server.url, seconds=0.3)
    assert answer.reason is Reason.TIMEOUT
    assert "deadline of 0.3 s" in answer.detail
    assert 0.3 <= time.monotonic() - begun < 5


def test_the_deadline_fires_behind_a_slow_proxy(
    server: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.on(PATH, slow_headers())
    assert ask("http://coinmarketcap.invalid", seconds=0.7).reason is Reason.TIMEOUT
    assert len(server.requests) == 1


def test_one_deadline_holds_for_all_requests_together(server: CMCServer) -> None:
    server.on(PATH, stall)
    with Client(server.url, deadline_seconds=0.7, sleep=awake) as client:
        client.get("listings-1", PATH, {})
        answer = client.get("global-metrics", PATH, {})
    assert (answer.reason, answer.tries) == (Reason.TIMEOUT, 0)
    assert len(server.requests) == 1


def test_what_came_before_the_deadline_is_kept(server: CMCServer) -> None:
    server.on(PATH, stall)
    assert ask(server.url, seconds=0.7).body == b'{"data": ['


def test_the_deadline_holds_on_a_connection_used_before(server: CMCServer) -> None:
    server.on(PATH, GOOD, slow_headers())
    with Client(server.url, deadline_seconds=0.7, sleep=awake) as client:
        assert client.get("listings-1", PATH, {}).reason is None
        assert client.get("listings-2", PATH, {}).reason is Reason.TIMEOUT


def test_a_body_without_an_end_is_left(server: CMCServer) -> None:
    server.on(PATH, endless)
    answer = ask(server.url)
    assert answer.reason is Reason.BROKEN_ANSWER
    assert "more than 4194304 bytes" in answer.detail
    assert answer.tries == 1


def test_a_gzip_bomb_of_10_gigabytes_is_left_in_bounded_memory(server: CMCServer) -> None:
    server.on(PATH, gzip_bomb(members=160))
    tracemalloc.start()
    answer = ask(server.url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.reason is Reason.BROKEN_ANSWER
    assert len(answer.body) <= 64 * 1024
    assert peak < 40 * MEGABYTE


def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not(server: CMCServer) -> None:
    body = b'{"data": []}'.ljust(1000)
    server.on(PATH, Reply(body, gzipped=True))
    assert ask(server.url, limit=1000).reason is None
    assert ask(server.url, limit=999).reason is Reason.BROKEN_ANSWER


def test_a_body_cut_off_is_tried_again(server: CMCServer) -> None:
    server.on(PATH, truncated(b'{"data": [1, 2, 3]}'), GOOD)
    answer = ask(server.url)
    assert (answer.reason, answer.tries, answer.body) == (None, 2, GOOD.body)


def test_a_compressed_body_that_ends_early_is_tried_again(server: CMCServer) -> None:
    whole = b'{"data": [%s]}' % b",".join(b"%d" % number for number in range(1000))
    packed = Reply(whole, gzipped=True)
    short = Reply(packed.packed()[:-200], headers={"Content-Encoding": "gzip"})
    server.on(PATH, short, packed)
    answer = ask(server.url)
    assert (answer.reason, answer.tries, answer.body) == (None, 2, whole)


def test_what_calls_itself_gzip_and_is_not_is_broken(server: CMCServer) -> None:
    server.on(PATH, Reply(b'{"data": []}', headers={"Content-Encoding": "gzip"}))
    answer = ask(server.url)
    assert answer.reason is Reason.BROKEN_ANSWER
    assert "gzip" in answer.detail


def test_an_encoding_that_was_not_asked_for_is_broken(server: CMCServer) -> None:
    server.on(PATH, Reply(b"\x1b\x00", headers={"Content-Encoding": "br"}))
    assert "'br'" in ask(server.url).detail
