"""How the client asks: what it sends, what it keeps, and what it tries again."""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cmc_server import (
    CMCServer,
    Exchange,
    Reply,
    awake,
    error_reply,
    html,
    json_reply,
    redirect,
    reset,
)
from coinlog.errors import UsageError
from coinlog.market import Reason
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client

PATH = "/v3/cryptocurrency/listings/latest"
GOOD = json_reply({"status": {"error_code": 0}, "data": []})
CANARY = "canary-5f1d0c0e-never-to-be-seen"


def ask(url: str, key: str | None = None, *, naps: list[float] | None = None) -> Answer:
    sleep = awake if naps is None else naps.append
    with Client(url, key, sleep=sleep) as client:
        return client.get("listings-1", PATH, {"limit": "5"})


def test_an_answer_holds_the_bytes_as_they_came(server: CMCServer) -> None:
    body = b'{"status": {"error_code": "0"}, "data": [ ] }\n'
    server.on(PATH, Reply(body, headers={"Date": "Mon, 26 Jan 2026 20:44:32 GMT", "Age": "30"}))
    answer = ask(server.url)
    assert (answer.body, answer.status, answer.reason, answer.tries) == (body, 200, None, 1)
    assert answer.server_date == datetime(2026, 1, 26, 20, 45, 2, tzinfo=UTC).timestamp()


def test_a_compressed_answer_is_kept_inflated(server: CMCServer) -> None:
    server.on(PATH, Reply(b'{"data": []}' * 1000 + b" ", gzipped=True))
    assert ask(server.url).body == b'{"data": []}' * 1000 + b" "
    assert server.requests[0].headers["accept-encoding"] == "gzip"


def test_without_a_key_no_key_header_is_sent(server: CMCServer) -> None:
    server.on(PATH, GOOD)
    ask(server.url)
    assert "x-cmc_pro_api_key" not in server.requests[0].headers


def test_a_key_is_sent_in_the_header_alone(server: CMCServer) -> None:
    server.on(PATH, GOOD)
    ask(server.url, CANARY)
    assert server.requests[0].headers["x-cmc_pro_api_key"] == CANARY
    assert server.requests[0].params == {"limit": "5"}


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_no_address_has_a_doubled_slash(server: CMCServer, end: str) -> None:
    server.on(f"/public-api{PATH}", GOOD)
    assert ask(f"{server.url}/public-api{end}").reason is None


def test_extra_headers_are_sent(server: CMCServer) -> None:
    server.on(PATH, GOOD)
    with Client(server.url, headers={"X-Simulated-Time": "1769450000"}) as client:
        client.get("listings-1", PATH, {})
    assert server.requests[0].headers["x-simulated-time"] == "1769450000"


@pytest.mark.parametrize(
    "failure",
    [reset, html(503), error_reply(500, 500), error_reply(502, None), error_reply(504, 0)],
)
def test_what_can_heal_is_tried_again(server: CMCServer, failure: Reply) -> None:
    server.on(PATH, failure, GOOD)
    naps: list[float] = []
    answer = ask(server.url, naps=naps)
    assert (answer.reason, answer.tries) == (None, 2)
    assert len(naps) == 1
    assert 0.5 <= naps[0] <= 0.625


def test_tries_come_to_an_end_and_wait_longer_each_time(server: CMCServer) -> None:
    server.on(PATH, error_reply(500, 500, "An internal server error occurred"))
    naps: list[float] = []
    answer = ask(server.url, naps=naps)
    assert (answer.reason, answer.tries, len(server.requests)) == (Reason.SERVER_ERROR, 4, 4)
    assert naps == sorted(naps)
    assert "tried 4 times" in answer.detail


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 400), (401, 1001), (402, 1003), (403, 1006), (429, 1009), (429, 1010), (501, 0)],
)
def test_what_cannot_heal_is_asked_once(server: CMCServer, status: int, code: int) -> None:
    server.on(PATH, error_reply(status, code))
    answer = ask(server.url)
    assert answer.reason
    assert (answer.tries, len(server.requests)) == (1, 1)


def test_retry_after_in_seconds_is_waited_out(server: CMCServer) -> None:
    server.on(PATH, error_reply(429, 1008, retry_after="7"), GOOD)
    naps: list[float] = []
    assert ask(server.url, naps=naps).reason is None
    assert 7 <= naps[0] < 8


def test_retry_after_as_a_date_is_meant_by_the_servers_own_clock(server: CMCServer) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=5), usegmt=True)
    date = format_datetime(now, usegmt=True)
    server.on(PATH, error_reply(429, 1011, retry_after=later, date=date), GOOD)
    naps: list[float] = []
    assert ask(server.url, naps=naps).reason is None
    assert 5 <= naps[0] < 6


def test_a_rate_limit_that_names_no_time_outlasts_a_minute(server: CMCServer) -> None:
    server.on(PATH, error_reply(429, 1008), error_reply(429, 1008), GOOD)
    naps: list[float] = []
    assert ask(server.url, naps=naps).tries == 3
    assert 60 <= sum(naps) <= 75


def test_a_wait_beyond_the_deadline_is_not_begun(server: CMCServer) -> None:
    server.on(PATH, error_reply(429, 1008, retry_after="3600"))
    naps: list[float] = []
    answer = ask(server.url, naps=naps)
    assert (answer.reason, answer.tries, naps) == (Reason.RATE_LIMITED, 1, [])


def test_after_a_rate_limit_the_next_request_waits_too(server: CMCServer) -> None:
    server.on(PATH, *[error_reply(429, 1008, retry_after="2")] * 4, GOOD)
    naps: list[float] = []
    with Client(server.url, sleep=naps.append) as client:
        assert client.get("listings-1", PATH, {}).reason is Reason.RATE_LIMITED
        before = len(naps)
        assert client.get("listings-2", PATH, {}).reason is None
    assert len(naps) == before + 1
    assert 2 <= naps[-1] < 3


def test_after_a_rate_limit_longer_than_the_deadline_nothing_more_is_asked(
    server: CMCServer,
) -> None:
    server.on(PATH, error_reply(429, 1008, retry_after="3600"))
    with Client(server.url, sleep=awake) as client:
        client.get("listings-1", PATH, {})
        answer = client.get("global-metrics", PATH, {})
    assert (answer.reason, answer.tries, answer.status) == (Reason.RATE_LIMITED, 0, 0)
    assert len(server.requests) == 1


def test_a_redirect_is_refused_and_says_where_it_pointed(server: CMCServer) -> None:
    with CMCServer() as elsewhere:
        server.on(PATH, redirect(f"{elsewhere.url}/steal?key={CANARY}"))
        answer = ask(server.url, CANARY)
        assert elsewhere.requests == []
    assert answer.reason is Reason.BROKEN_ANSWER
    assert f"'{elsewhere.url}/steal'" in answer.detail
    assert answer.tries == 1


def test_a_name_that_is_not_found_is_unreachable() -> None:
    answer = ask("http://nothing.invalid")
    assert answer.reason is Reason.UNREACHABLE
    assert "nothing.invalid" in answer.detail


def test_a_certificate_of_somebody_else_is_refused_at_once(tmp_path: Path) -> None:
    with CMCServer(tls=self_signed(tmp_path)) as server:
        server.on(PATH, GOOD)
        answer = ask(server.url, CANARY)
        assert server.requests == []
    assert (answer.reason, answer.tries) == (Reason.UNREACHABLE, 1)
    assert "certificate" in answer.detail


def test_a_proxy_is_used_for_other_hosts_and_never_for_this_machine(
    server: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.on(PATH, GOOD)
    assert ask("http://coinmarketcap.invalid").reason is None
    assert ask(server.url).reason is None
    assert [request.headers["host"] for request in server.requests] == [
        "coinmarketcap.invalid",
        server.url.removeprefix("http://"),
    ]


def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://name:secret@127.0.0.1:1080")
    with pytest.raises(UsageError, match="'socks5'") as refused:
        Client("https://coinmarketcap.invalid")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host", "host", "http://", "http://h/?a=b", "http://u:secret@h", "http://h:0x1"],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="expected http") as refused:
        Client(url)
    assert "secret" not in str(refused.value)


def test_a_key_does_not_travel_unencrypted() -> None:
    with pytest.raises(UsageError, match="unencrypted"):
        Client("http://coinmarketcap.invalid", CANARY)


@pytest.mark.parametrize("key", [f"{CANARY}\n", f"{CANARY} x", f"{CANARY}\u00e9"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key: str) -> None:
    with pytest.raises(UsageError) as refused:
        Client("https://coinmarketcap.invalid", key)
    assert CANARY not in str(refused.value)


def echo(exchange: Exchange) -> None:
    told = " ".join(exchange.request.headers.values())
    error_reply(401, 1001, f"no such key: {told}")(exchange)


@pytest.mark.parametrize("failure", [echo, reset, html(403), error_reply(500, 500), redirect("/x")])
def test_the_key_is_never_seen(
    server: CMCServer, caplog: pytest.LogCaptureFixture, failure: Reply
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(PATH, failure)
    with Client(server.url, CANARY, sleep=awake) as client:
        answer = client.get("listings-1", PATH, {"limit": "5"})
        assert CANARY not in repr(client) + str(client)
    assert CANARY not in repr(answer)
    assert CANARY not in caplog.text


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    made = made.public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    certificate = made.not_valid_after(datetime(2100, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "both.pem").write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context
