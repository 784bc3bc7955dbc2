"""A program that runs shows no secret: in its output, its answers, or the list of processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import sqlalchemy as sa

from canaries import KEY, PASSWORD, files_with, seen
from cmc_server import CMCServer, error_reply
from market import LISTINGS, answer_all
from program import get, read_until, running
from servers import MariaDB, free_port


@contextmanager
def canary_user(mariadb: MariaDB) -> Iterator[sa.URL]:
    """Yield a database whose user has the canary for a password."""
    with mariadb.database() as url:
        escaped = PASSWORD.replace("'", "''")
        mariadb.execute(f"ALTER USER {url.username}@'%' IDENTIFIED BY '{escaped}'")
        yield url.set(password=PASSWORD)


def test_nothing_of_a_running_program_shows_a_secret(mariadb: MariaDB, own_world: Path) -> None:
    with canary_user(mariadb) as url, CMCServer() as source:
        answer_all(source, at=time.time())
        source.on(LISTINGS, error_reply(403, 1006, "x" * 180 + KEY))
        port = free_port()
        given = {
            "COINLOG_DATABASE_URL": url.render_as_string(hide_password=False),
            "COINLOG_API_KEY": KEY,
            "COINLOG_CMC_URL": source.url,
            "COINLOG_PORT": str(port),
            "COINLOG_WORKERS": "2",
            "COINLOG_LOG_LEVEL": "debug",
        }
        with running("up", **given) as process:
            said = read_until(process, "failed")
            answers = [get(port, path) for path in PATHS]
            family = [psutil.Process(process.pid)]
            family += family[0].children(recursive=True)
            listed = [one.cmdline() for one in family]
            mariadb.execute(f"ALTER USER {url.username}@'%' ACCOUNT LOCK")
            answers += [get(port, path) for path in PATHS]
        said += [process.stdout.read()] if process.stdout and not process.stdout.closed else []

    assert len(family) >= 2
    assert {one.status_code for one in answers} >= {200, 404}
    assert seen("\n".join([*said, *map(str, listed), *map(_whole, answers)])) == []
    assert files_with(own_world) == []


PATHS = (
    *("/", "/log", "/es/", "/live", "/ready", "/metrics", "/schema", "/schema/openapi.json"),
    *("/api/v1/assets", "/api/v1/log", "/api/v1/assets/1", "/none", "/api/v1/log?limit=x", "/%ff"),
)


def _whole(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.headers} {answer.text}"
