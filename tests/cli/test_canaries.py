"""No failure tells a secret: each class of failure with canaries, in every form they could have."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import httpx
import pytest

from canaries import KEY, PASSWORD, WORD, files_with, seen
from cmc_server import (
    Answering,
    CMCServer,
    Exchange,
    Reply,
    error_reply,
    head,
    json_reply,
    redirect,
    reset,
    truncated,
)
from coinlog.cli.shared import chosen_parts
from coinlog.errors import SettingError
from coinlog.recorder import record
from coinlog.settings import SETTINGS, load_settings
from market import GLOBAL_METRICS, LISTINGS, answer_all
from program import run_here
from samples import listings_body
from servers import MariaDB, free_port

KEY_INFO = "/v1/key/info"
COMMANDS = (
    *(("capture",), ("load",), ("status",), ("status", "--json"), ("doctor",)),
    *(("migrate",), ("verify",), ("replay",), ("backup", "b.tar"), ("export", "x.csv")),
    *(("thin", "--older-than", "9d", "--keep", "1d"), ("publish", "site"), ("backfill",)),
)


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for what would heal: each test has many failures."""
    monkeypatch.setattr("coinlog.sources.client.MOST_TRIES", 1)


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def told(*arguments: str, **environment: str) -> str:
    """Run a command at its most talkative and return all that it says."""
    # Nor is a database that is away waited for.
    given = {"COINLOG_LOG_LEVEL": "debug", "COINLOG_PATIENCE_SECONDS": "0", **environment}
    done = run_here(*arguments, **given)
    return f"{done.returncode} {done.stdout}{done.stderr}"


def headers(exchange: Exchange) -> None:
    """Fail as a proxy that shows what it was sent, in headers too."""
    sent = exchange.request.headers.get("x-cmc_pro_api_key", "none")
    given = {"X-Debug": sent, "Retry-After": sent, "Date": sent}
    exchange.write(head(503, given, len(sent)) + sent.encode())


def page_with(before: int) -> Reply:
    return Reply(b"<html>" + b"x" * before + KEY.encode(), 502)


ECHOES: dict[str, Answering] = {
    "wrong key": error_reply(401, 1001, f"The key {KEY} is invalid."),
    "cut in the key": error_reply(403, 1006, "x" * 180 + KEY),
    "an error in a 200": error_reply(200, "1010", KEY),
    "a page": page_with(0),
    "a page cut in the key": page_with(60),
    "headers": headers,
    "redirect": redirect(f"https://example.org/{KEY}/?key={KEY}"),
    "redirect cut in the key": redirect("https://example.org/" + "x" * 80 + KEY),
    "cut off": truncated(b'{"data": "' + KEY.encode() + b" " * 40),
    "cut off in the key": truncated(b'{"data": "' + KEY.encode() + b" " * 10),
    "beyond the limit": Reply(b'{"data": "' + KEY.encode() * 40_000),
    "compressed": Reply(b'{"data": "' + KEY.encode(), gzipped=True),
    "no JSON": Reply(KEY.encode()),
    "a name": Reply(listings_body([1, 1027], time.time()).replace(b"Asset 1", KEY.encode())),
    "another shape": json_reply({KEY: {"data": KEY}}),
    "broken off": reset,
}


@pytest.mark.parametrize("echo", ECHOES)
def test_no_answer_of_the_source_brings_out_the_key(
    source: CMCServer, own_world: Path, caplog: pytest.LogCaptureFixture, echo: str
) -> None:
    caplog.set_level(logging.DEBUG, "coinlog")
    source.on(LISTINGS, ECHOES[echo])
    source.on(GLOBAL_METRICS, ECHOES[echo])
    source.on(KEY_INFO, json_reply({"data": {"plan": {"name": KEY, "credit_limit_monthly": 9}}}))
    keyed = {"COINLOG_CMC_URL": source.url, "COINLOG_API_KEY": KEY, "COINLOG_BODY_LIMIT_MB": "1"}
    said = [told(name, **keyed) for name in ("record", "doctor")]
    source.on(KEY_INFO, ECHOES[echo])
    said += [told(*words, **keyed) for words in (("record",), ("status", "--json"), ("doctor",))]
    said += [told("backup", "b.tar", **keyed), told("export", "x.csv", **keyed)]

    assert source.asked(LISTINGS)[0].headers["x-cmc_pro_api_key"] == KEY
    assert seen("\n".join([*said, caplog.text])) == []
    assert list(own_world.rglob("manifest.json"))
    assert files_with(own_world) == []


def _at(address: str) -> dict[str, str]:
    return {"COINLOG_DATABASE_URL": address}


THERE = {"DB_HOST": "127.0.0.1", "DB_PORT": "PORT", "DB_NAME": "none"}
AWAY = {**THERE, "DB_PORT": "9", "DB_PASSWORD": PASSWORD}
ESCAPED = quote(PASSWORD, safe="")

DATABASES: dict[str, dict[str, str]] = {
    "wrong password": {**THERE, "DB_PASSWORD": PASSWORD},
    "wrong password in an address": _at(f"mysql://someone:{ESCAPED}@127.0.0.1:PORT/none"),
    "away": AWAY,
    "away, in an address": _at(f"mysql://someone:{ESCAPED}@127.0.0.1:9/none"),
    "not found": {"DB_HOST": "database.invalid", "DB_PASSWORD": PASSWORD},
    "no token": {**THERE, "DB_PASSWORD": PASSWORD, "COINLOG_DATABASE_SIGNIN": "iam"},
    "no authority": {**AWAY, "COINLOG_DATABASE_CA": "/dev/null"},
    "an @ in it": _at(f"mysql://u:{PASSWORD}@127.0.0.1:9/n"),
    "a slash in it": _at(f"mysql://u:a/{WORD}@127.0.0.1:9/n"),
    "a ? in it": _at(f"mysql://u:a?{WORD}=x@127.0.0.1:9/n"),
    "a # in it": _at(f"mysql://u:a#{WORD}@127.0.0.1:9/n"),
    "another scheme": _at(f"postgres://u:{WORD}@127.0.0.1/n"),
    "a wrong port": _at(f"mysql://u:{WORD}@127.0.0.1:port/n"),
    "no database": _at(f"mysql://u:{WORD}@127.0.0.1:9/"),
    "an unknown option": _at(f"mysql://u:{WORD}@127.0.0.1:9/n?ssl_mode={WORD}"),
    "two in one": {"DB_HOST": f"127.0.0.1 DB_PASSWORD={WORD}"},
    "for a port": {**THERE, "DB_PORT": f"9;password={WORD}"},
    "for a file": {**THERE, "DB_PASSWORD_FILE": PASSWORD},
    "for an archive": {"COINLOG_ARCHIVE": f"s3://u:{WORD}@bucket/x?key={WORD}"},
    "for the source": {"COINLOG_CMC_URL": f"https://u:{WORD}@127.0.0.1/?key={WORD}"},
}


@pytest.mark.parametrize("case", DATABASES)
def test_no_place_that_cannot_be_used_brings_out_its_password(
    mariadb: MariaDB, own_world: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level(logging.DEBUG, "coinlog")
    nobody = {"COINLOG_CMC_URL": f"http://127.0.0.1:{free_port()}"}
    port = str(mariadb.port)
    wrong = {name: text.replace("PORT", port) for name, text in DATABASES[case].items()}

    said = [told("record", **{**nobody, **wrong})]
    # Settings that are refused are refused by all commands alike, before they begin.
    further = COMMANDS if said[0][0] == "1" else (("doctor",), ("status", "--json"))
    said += [told(*command, **{**nobody, **wrong}) for command in further]

    assert said[0][0] in "12"
    assert seen("\n".join([*said, caplog.text])) == []
    assert files_with(own_world) == []


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD: '{0}',",
        "DB_HOST: 'x', DB_PASSWORD: '{0}',",
        "COINLOG_API_KEY={1}\nCOINLOG_API_KEY={1}",
        "COINLOG_API_KEY={1} x",
        "COINLOG_API_KY={1}",
        "{1}",
        "COINLOG_API_KEY_FILE={1}",
        "COINLOG_INTERVAL=6h {1}",
        "COINLOG_DATABASE_URL=mysql://u:{0}@h",
        "COINLOG_ASSETS=top:5;COINLOG_API_KEY={1}",
    ],
)
def test_no_line_of_dotenv_that_is_refused_is_shown_with_its_secret(
    own_world: Path, line: str
) -> None:
    (own_world / ".env").write_text(line.format(PASSWORD, KEY) + "\n", encoding="utf-8")
    said = [told(name) for name in ("record", "status", "doctor")]
    (own_world / ".env").unlink()

    assert said[0][0] == "2" or "note:" in said[0]
    assert seen("\n".join(said)) == []
    assert files_with(own_world) == []


@pytest.mark.parametrize(
    "words",
    [
        ("move", f"mysql://u:{WORD}@127.0.0.1:9/a", "sqlite:////tmp/none/x.db"),
        ("move", "mysql://u@127.0.0.1:9/a", f"mysql://u:{WORD}@127.0.0.1:9/b"),
        ("move", f"mysql://u:{PASSWORD}@127.0.0.1:9/a", "x"),
        ("move", f"s3://{WORD}:x@bucket/a", "archive"),
        ("import", f"mysql://u:{WORD}@127.0.0.1:9/a"),
        ("import", f"mysql://u:{PASSWORD}@127.0.0.1:9/a"),
        ("import", f"mysql://u:{WORD}@127.0.0.1:9/a?x={WORD}"),
        ("record", "--slot", f"mysql://u:{WORD}@h/d"),
        ("export", f"mysql://u:{WORD}@h/d"),
        ("publish", f"https://u:{WORD}@h/d"),
        ("publish", f"s3://u:{WORD}@h/d"),
        ("restore", f"mysql://u:{WORD}@h/d"),
    ],
)
def test_no_argument_that_is_refused_is_shown_with_its_password(
    own_world: Path, words: tuple[str, ...]
) -> None:
    passwords = {"COINLOG_MOVE_PASSWORD": PASSWORD, "COINLOG_IMPORT_PASSWORD": PASSWORD}
    said = told(*words, **passwords)

    assert said[0] in "12", said
    assert seen(said) == []
    assert files_with(own_world) == []


def test_settings_print_and_refuse_without_any_secret() -> None:
    for setting in (one for one in SETTINGS if one.secret):
        for text in (KEY, PASSWORD, WORD, f"mysql://u:{WORD}@h/d", f"https://u:{WORD}@h/{WORD}"):
            for name in setting.names:
                try:
                    settings = load_settings({name: text, "DB_HOST": "h"}, None)
                    said = f"{settings} {settings!r} {settings.notes}"
                except SettingError as error:
                    said = "".join(traceback.format_exception(error))
                assert seen(said) == [], name


def test_no_local_variable_of_ours_is_a_secret_where_something_fails(
    source: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What shows variables beside a traceback shows those of ours without a secret."""
    given = {**AWAY, "COINLOG_API_KEY": KEY, "COINLOG_CMC_URL": source.url}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    stream = httpx.Client.stream
    parts = chosen_parts(load_settings(), simulated=False)
    shown: list[str] = []

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("as if something failed here")

    for where in ("httpx.Client.stream", "pymysql.connections.Connection.connect"):
        monkeypatch.setattr(where, fail)
        with pytest.raises(RuntimeError) as failed:
            record(parts.engine, parts.archive, parts.connect, parts.plan, 6 * 3600)
        shown += _locals_of(failed.value.__traceback__)
        monkeypatch.setattr("httpx.Client.stream", stream)

    assert len(shown) > 10
    assert seen("\n".join(shown)) == []


def _locals_of(found: TracebackType | None) -> list[str]:
    """Return the variables in frames of coinlog, as what explains tracebacks prints them."""
    frames = [] if found is None else [frame for frame, _ in traceback.walk_tb(found)]
    ours = [frame for frame in frames if "/coinlog/" in frame.f_code.co_filename]
    return [repr(frame.f_locals) for frame in ours]
