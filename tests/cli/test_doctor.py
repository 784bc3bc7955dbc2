"""``coinlog doctor``: whatever is wrong is one finding among others, never a crash."""

from __future__ import annotations

import socket

import pytest

from program import run, run_here

WHATS = [
    "settings",
    "archive",
    "database",
    "ledger",
    "alerts",
    "backup",
    "disk",
    "machine",
    "port",
    "source",
]


@pytest.mark.parametrize(
    "wrong",
    [
        {"COINLOG_HOST": "::1"},
        {"COINLOG_HOST": "::"},
        {"COINLOG_HOST": "nowhere.invalid"},
        {"COINLOG_DATA": "/proc/nope"},
        {"COINLOG_CMC_URL": "http://10.0.0.1", "COINLOG_API_KEY": "a-key"},
        {"DB_HOST": "127.0.0.1", "DB_PORT": "9", "DB_USER": "u", "DB_NAME": "n"},
    ],
)
def test_nothing_that_is_wrong_hides_the_other_findings(wrong: dict[str, str]) -> None:
    done = run_here("doctor", **{"COINLOG_CMC_URL": "http://127.0.0.1:9", **wrong})

    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line[:1] in {"✓", "!", "✗"}]
    # Some have more than one thing to say.
    found = dict.fromkeys(line.split()[1] for line in lines)
    told = [what for what in WHATS if what != "ledger" or "DB_HOST" not in wrong]
    assert [*found][: len(told)] == told


def test_the_port_is_told_as_far_as_it_can_be_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = run("doctor", COINLOG_CMC_URL="http://127.0.0.1:9", COINLOG_PORT=port)
    quiet = run("doctor", COINLOG_CMC_URL="http://127.0.0.1:9", COINLOG_PORT=port)

    assert f"something answers at 127.0.0.1 port {port}" in " ".join(taken.stdout.split())
    assert f"nothing answers at 127.0.0.1 port {port}" in " ".join(quiet.stdout.split())


def test_a_key_that_would_travel_unencrypted_is_a_finding() -> None:
    done = run_here("doctor", COINLOG_CMC_URL="http://10.0.0.1", COINLOG_API_KEY="canary-key")

    assert "the key would travel to 10.0.0.1 unencrypted" in " ".join(done.stdout.split())
    assert "canary-key" not in done.stdout + done.stderr
    assert "note:" not in done.stderr


@pytest.mark.parametrize("option", ["foo=bar", "ssl_ca=/nope"])
def test_options_of_a_database_address_that_cannot_be_used_are_refused(option: str) -> None:
    done = run_here("status", COINLOG_DATABASE_URL=f"mysql://u:s3cr3t@127.0.0.1/n?{option}")

    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr
    assert "s3cr3t" not in done.stderr
