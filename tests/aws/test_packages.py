"""What `make lambda` makes, and that it runs: from the zips alone, under AWS's runtime client."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pymysql
import pytest
import sqlalchemy as sa

from aws_events import CONSOLE, created, notified, ruled, scheduled
from cmc_server import CMCServer
from coinlog.ahead import MANY
from coinlog.alerts.left import Alert, leave_alert
from coinlog.archive import open_archive
from coinlog.aws.prepare import LOADER, PAGE, prepare
from coinlog.slots import iso
from lambda_runtime import FunctionError, LambdaFunction, Place
from lambdas import Topic
from market import LISTINGS
from mysql_server import TlsServers, mysql_command
from packages import (
    ARCHITECTURES,
    FUNCTION,
    NEWEST,
    OURS,
    ROOT,
    build,
    contents,
    interpreter,
    layer,
    senders,
    unpack,
)
from receivers import Receiver
from s3_server import S3Server
from samples import HOUR, SLOT, STEP
from servers import MariaDB
from simulated_archive import Market, put_slots
from tls_servers import BY_TOKEN, needs_token_check

MOST_BYTES = 50_000_000
MOST_SENDERS_BYTES = 20_000_000
# glibc of Amazon Linux 2, on which Python 3.11 runs there; from 3.12 on it is 2.34.
OLDEST_GLIBC = (2, 26)
# A host that is this machine without being called so: anywhere else TLS is verified.
HERE = "0.0.0.0"  # noqa: S104  asked, not bound
KEY, PASSWORD = "a-made-up-key", "a-made-up-password"

for_each_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


def on(*pairs: tuple[str, str]) -> pytest.MarkDecorator:
    """Run a test on Pythons with servers; the tests together have each with each."""
    return pytest.mark.parametrize(("place", "server"), pairs, indirect=True)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"), NEWEST, *ARCHITECTURES)


@pytest.fixture(scope="session")
def place_on(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Place]:
    """Return what unzips the packages for a version of Python, once in a session."""

    @functools.cache
    def place(version: str, python: str) -> Place:
        folder = tmp_path_factory.mktemp("lambda")
        packages = built if version == NEWEST else build(folder / "packages", version, OURS)
        return unpack(packages, python, folder)

    return place


@pytest.fixture
def place(request: pytest.FixtureRequest, place_on: Callable[[str, str], Place]) -> Place:
    """Return a function's file system."""
    python = interpreter(request.param)
    if not python:
        pytest.skip(f"Python {request.param} is not on this machine")
    return place_on(request.param, python)


@pytest.fixture(scope="session")
def servers() -> Iterator[TlsServers]:
    made = TlsServers(HERE)
    yield made
    made.remove()


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: TlsServers) -> MariaDB:
    if request.param == "mysql" and not mysql_command():
        pytest.skip("MySQL could not be had: scripts/install_mysql.sh says why")
    return servers.started(request.param)


@pytest.fixture
def store(server: MariaDB) -> Iterator[sa.URL]:
    with server.database() as url:
        yield url


def prepared(server: MariaDB, store: sa.URL, identified: str) -> None:
    """Make the tables and the users, as the step before does on AWS: it may do everything."""
    server.execute(
        f"GRANT ALL ON *.* TO {store.username}@'%' WITH GRANT OPTION",
        f"ALTER USER {store.username}@'%' REQUIRE NONE",
    )
    # Twice: doing it again changes nothing.
    for _ in range(2):
        prepare(store, identified)


@pytest.fixture
def environment(
    server: MariaDB, servers: TlsServers, store: sa.URL, source: CMCServer
) -> dict[str, str]:
    """Return what is typed into the console: a key, and a database whose user must use TLS."""
    server.execute(f"ALTER USER {store.username}@'%' REQUIRE SSL")
    return {
        "DB_HOST": HERE,
        "DB_PORT": str(store.port),
        "DB_USER": str(store.username),
        "DB_PASSWORD": str(store.password),
        "DB_NAME": str(store.database),
        "COINLOG_DATABASE_CA": str(servers.authority.file),
        "COINLOG_API_KEY": KEY,
        "COINLOG_CMC_URL": source.url,
        "COINLOG_ASSETS": "top:2",
    }


class World(NamedTuple):
    """What is outside of a function besides its database: the source, a bucket, the time."""

    source: CMCServer
    slot: int
    bucket: str
    settings: dict[str, str]


@pytest.fixture
def world(source: CMCServer, now_slot: int, s3_server: S3Server) -> Iterator[World]:
    with s3_server.bucket() as bucket:
        yield World(source, now_slot, bucket, s3_server.settings)


@pytest.fixture(scope="session")
def backlog(s3_server: S3Server) -> Iterator[dict[str, str]]:
    """Return what leads to a bucket with so much to settle that elsewhere a process would help."""
    with s3_server.bucket() as bucket, pytest.MonkeyPatch.context() as patch:
        settings = s3_server.settings | {"COINLOG_ARCHIVE": f"s3://{bucket}"}
        for name, value in settings.items():
            patch.setenv(name, value)
        archive = open_archive(settings["COINLOG_ARCHIVE"])
        put_slots(archive, Market(2), range(SLOT, SLOT + MANY * STEP, STEP))
        yield settings


def rows(server: MariaDB, store: sa.URL, query: str) -> Sequence[tuple[int | str, ...]]:
    """Return what a query finds, asked by the server's administrator."""
    connection = pymysql.connect(
        host="127.0.0.1", port=server.port, user="root", database=store.database
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_same_sources_make_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again", NEWEST, OURS)

    for name in (FUNCTION, layer(), senders()):
        first, second = (
            hashlib.sha256((folder / name).read_bytes()).digest() for folder in (built, again)
        )
        assert first == second


@for_each_architecture
def test_function_and_layer_take_at_most_50_mb(built: Path, architecture: str) -> None:
    names = (FUNCTION, layer(architecture))
    sizes = [len(body) for name in names for body in contents(built / name).values()]

    assert 10_000_000 < sum(sizes) <= MOST_BYTES


@for_each_architecture
def test_layer_holds_what_is_locked_with_licences_and_none_of_the_runtimes_own(
    built: Path, architecture: str
) -> None:
    found = contents(built / layer(architecture))
    lock = (ROOT / "requirements-lambda.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    folders = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in locked.items()}
    about = {name: body for name, body in found.items() if name.endswith("/METADATA")}

    assert all(name.startswith("python/") for name in found)
    assert {name.split("/")[1] for name in about} == folders
    assert not locked.keys() & {"boto3", "botocore", "litestar", "uvicorn", "rich", "click", "isal"}
    assert [name for name, body in about.items() if b"License" not in body] == []
    assert [name for name in found if re.search(r"/tests?/|\.pyc$|/RECORD$", name)] == []


@for_each_architecture
def test_what_sends_alerts_is_a_small_layer_of_its_own_beside_the_other(
    built: Path, architecture: str
) -> None:
    found = contents(built / senders(architecture))
    names = {name.split("/")[1] for name in found}

    assert {"apprise", "requests", "yaml"} <= names
    assert not names & {name.split("/")[1] for name in contents(built / layer(architecture))}
    assert sum(map(len, found.values())) < MOST_SENDERS_BYTES


def test_send_reaches_a_receiver_from_the_zips_alone(
    built: Path, tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = interpreter(NEWEST)
    if not python:
        pytest.skip(f"Python {NEWEST} is not on this machine")
    place = unpack(built, python, tmp_path, senders())
    with s3_server.bucket() as bucket, Receiver() as receiver:
        given = s3_server.settings | {"COINLOG_ARCHIVE": f"s3://{bucket}"}
        for name, value in (given | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
            monkeypatch.setenv(name, value)
        archive = open_archive(given["COINLOG_ARCHIVE"])
        leave_alert(archive, "alerts/20260126T180000Z-failing-fired.json", Alert("one", "text"))
        topic = Topic("of-the-zips")
        given |= {"COINLOG_ALERT_TOPIC": topic.arn, "COINLOG_ALERT_URLS": receiver.url}
        given["AWS_DEFAULT_REGION"] = "us-east-1"
        with LambdaFunction(place, "coinlog.aws.send.handler", given) as function:
            told = function.invoke({})
        assert told["sent"] == ["alerts/20260126T180000Z-failing-fired.json"]
        assert receiver.subjects == topic.subjects() == ["one"]


@for_each_architecture
def test_libraries_ask_for_no_newer_c_library_than_lambda_has(
    built: Path, architecture: str
) -> None:
    found = contents(built / layer(architecture)) | contents(built / senders(architecture))
    libraries = {name: body for name, body in found.items() if name.endswith(".so")}
    machine = {"arm64": 183, "x86_64": 62}[architecture]

    assert len(libraries) > 5
    for name, body in libraries.items():
        asked = re.findall(rb"\0GLIBC_(\d+)\.(\d+)", body)
        assert max((int(major), int(minor)) for major, minor in asked) <= OLDEST_GLIBC, name
        assert int.from_bytes(body[18:20], "little") == machine, name


def test_function_is_coinlog_without_commands_and_page(built: Path) -> None:
    found = contents(built / FUNCTION)
    parts = {name.split("/")[1].removesuffix(".py") for name in found if "/" in name}

    assert {"aws", "store", "sources"} <= parts
    assert not parts & {"cli", "web", "publish", "simulated"}
    assert {"LICENSE", "coinlog/aws/rds-ca.pem", "coinlog/store/migrations/env.py"} <= found.keys()


@on(("3.11", "mysql"), ("3.13", "mariadb"))
def test_a_test_event_records_the_current_slot(
    place: Place, server: MariaDB, store: sa.URL, environment: dict[str, str], world: World
) -> None:
    with LambdaFunction(place, "coinlog.aws.record.handler", environment) as function:
        told = function.invoke(CONSOLE)
        again = function.invoke(ruled(iso(world.slot + HOUR)))
        with pytest.raises(FunctionError, match="EventError: an event with 'nonsense'"):
            function.invoke({"nonsense": True})
        log = function.log()

    assert (told["slot"], told["outcome"], told["asked"]) == (iso(world.slot), "stored", True)
    assert (again["slot"], again["detail"]) == (iso(world.slot), "stored already")
    assert "EventError" in log
    assert KEY not in log
    assert str(store.password) not in log
    asked = world.source.asked(LISTINGS)
    assert [request.headers["x-cmc_pro_api_key"] for request in asked] == [KEY]
    found = rows(server, store, "SELECT asset_id, slot FROM quote WHERE asset_id < 2000")
    assert sorted(found) == [(1, world.slot), (1027, world.slot)]


@on(("3.11", "mariadb"), ("3.13", "mysql"))
def test_capture_and_load_meet_in_the_bucket(
    place: Place, server: MariaDB, store: sa.URL, environment: dict[str, str], world: World
) -> None:
    prepared(server, store, f"IDENTIFIED BY '{PASSWORD}'")
    environment |= {"DB_USER": LOADER, "DB_PASSWORD": PASSWORD}
    time, bucket = iso(world.slot), world.bucket
    of_source = {name for name in environment if "CMC" in name or "KEY" in name}
    of_store = {name for name in environment if name.startswith("DB_")}
    both = environment | world.settings | {"COINLOG_ARCHIVE": f"s3://{bucket}/log"}
    given = {name: value for name, value in both.items() if name not in of_store}
    with LambdaFunction(place, "coinlog.aws.capture.handler", given) as function:
        told = function.invoke(scheduled(time))
        again = function.invoke(scheduled(time))
    key = f"log/captures/{re.sub('[-:]', '', time)}/1/manifest.json"
    given = {name: value for name, value in both.items() if name not in of_source}
    with LambdaFunction(place, "coinlog.aws.load.handler", given) as function:
        loaded = function.invoke(notified(bucket, key, time))
        nothing = function.invoke(created(bucket, key, time))

    assert (told["slot"], told["outcome"], told["asked"]) == (time, "stored", True)
    assert (again["outcome"], again["asked"]) == ("stored", False)
    assert len(world.source.asked(LISTINGS)) == 1
    assert (loaded["settled_attempts"], nothing["settled_attempts"]) == (1, 0)
    assert rows(server, store, "SELECT slot, outcome FROM slot") == ((world.slot, "stored"),)
    ours = str(store.database).replace("_", r"\_")
    granted = [str(row[0]) for row in rows(server, store, f"SHOW GRANTS FOR {PAGE}@'%'")]
    assert [line for line in granted if not line.startswith("GRANT USAGE")] == [
        line for line in granted if line.startswith(f"GRANT SELECT ON `{ours}`.* TO ")
    ]
    assert len(granted) == 2


@needs_token_check
@on(("3.11", "mariadb"), ("3.13", "mariadb"))
def test_load_signs_in_with_a_token_and_settles_a_backlog_in_one_process(
    place: Place,
    server: MariaDB,
    store: sa.URL,
    environment: dict[str, str],
    backlog: dict[str, str],
) -> None:
    prepared(server, store, BY_TOKEN)
    signed = {"DB_USER": LOADER, "COINLOG_DATABASE_SIGNIN": "iam", "DB_PASSWORD": ""}
    given = environment | backlog | signed
    with LambdaFunction(place, "coinlog.aws.load.handler", given) as function:
        told = function.invoke({})

    assert told["settled_attempts"] == MANY
    assert rows(server, store, "SELECT COUNT(*) FROM slot") == ((MANY,),)
