"""What `make lambda` makes, and that it runs: from the zips alone, under AWS's runtime client."""

from __future__ import annotations

import hashlib
import platform
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pymysql
import pytest

from aws_events import CONSOLE, created, notified, ruled, scheduled
from certificates import Authority
from cmc_server import CMCServer
from coinlog.slots import floor_slot, iso
from lambda_runtime import LambdaFunction, Place
from market import LISTINGS, answer_all
from mysql_server import MySQL, mysql_command
from s3_server import S3Server
from samples import HOUR, STEP
from servers import MariaDB

ROOT = Path(__file__).resolve().parents[2]
BUILDER = ROOT / "scripts" / "build_lambda.py"
ARCHITECTURES = ("arm64", "x86_64")
OURS = "x86_64" if platform.machine() in {"x86_64", "AMD64"} else "arm64"

MOST_BYTES = 50_000_000
# glibc of Amazon Linux 2, on which Python 3.11 runs there; from 3.12 on it is 2.34.
OLDEST_GLIBC = (2, 26)
# A host that is this machine without being called so: anywhere else TLS is verified.
HERE = "0.0.0.0"  # noqa: S104  asked, not bound
KEY = "a-made-up-key"


def build(out: Path, python: str, *architectures: str) -> Path:
    command = (sys.executable, str(BUILDER), "--out", str(out), "--python", python)
    subprocess.run([*command, "--architecture", *architectures], check=True, capture_output=True)
    return out


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("packages"), "3.13", *ARCHITECTURES)


@pytest.fixture(scope="session", params=["3.11", "3.13"])
def place(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Place:
    """Return a function's file system with the packages unzipped, beside what Lambda brings."""
    version = request.param
    folder = tmp_path_factory.mktemp("lambda")
    uv = output(str(ROOT / "scripts" / "find_uv.sh"))
    found = subprocess.run(
        [uv, "python", "find", "--system", version], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip(f"Python {version} is not on this machine")
    packages = built if version == "3.13" else build(folder / "packages", version, OURS)
    made = Place(found.stdout.strip(), folder)
    made.unzip(packages / "coinlog-function.zip", packages / f"coinlog-layer-{OURS}.zip")
    lock = ("--require-hashes", "--requirement", str(ROOT / "requirements-lambda-runtime.lock"))
    target = ("--target", made.folders[-1], "--python", made.python)
    output(uv, "pip", "install", "--quiet", "--no-deps", *target, *lock)
    return made


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    made = Authority(folder, HERE)
    # MariaDB may run as a user of its own, who reads the key.
    for path in (*folder.iterdir(), *folder.parents[:2], folder):
        path.chmod(0o755)
    return made


@pytest.fixture(scope="session", params=["mariadb", "mysql"])
def database(request: pytest.FixtureRequest, authority: Authority) -> Iterator[MariaDB]:
    """Return a server that shows a certificate of our authority."""
    if request.param == "mysql" and not mysql_command():
        pytest.skip("MySQL could not be had: scripts/install_mysql.sh says why")
    given = {"ca": authority.ca, "cert": authority.certificate, "key": authority.key}
    options = [f"--ssl-{name}={path}" for name, path in given.items()]
    server = (MySQL if request.param == "mysql" else MariaDB)(*options)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def environment(
    database: MariaDB, authority: Authority, source: CMCServer
) -> Iterator[dict[str, str]]:
    """Return what is typed into the console: a database for a user who must use TLS, and a key."""
    with database.database() as url:
        database.execute(f"ALTER USER {url.username}@'%' REQUIRE SSL")
        yield {
            "DB_HOST": HERE,
            "DB_PORT": str(database.port),
            "DB_USER": str(url.username),
            "DB_PASSWORD": str(url.password),
            "DB_NAME": str(url.database),
            "COINLOG_DATABASE_CA": str(authority.ca),
            "COINLOG_API_KEY": KEY,
            "COINLOG_CMC_URL": source.url,
            "COINLOG_ASSETS": "top:2",
        }


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def rows(
    database: MariaDB, environment: dict[str, str], query: str
) -> Sequence[tuple[int | str, ...]]:
    """Return what a query finds, asked by the server's administrator."""
    name = environment["DB_NAME"]
    connection = pymysql.connect(host="127.0.0.1", port=database.port, user="root", db=name)
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def now_slot() -> int:
    return floor_slot(time.time(), STEP)


def contents(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as zipped:
        return {entry.filename: zipped.read(entry) for entry in zipped.infolist()}


def test_same_sources_make_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again", "3.13", OURS)

    for name in ("coinlog-function.zip", f"coinlog-layer-{OURS}.zip"):
        first, second = (
            hashlib.sha256((folder / name).read_bytes()).digest() for folder in (built, again)
        )
        assert first == second


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_function_and_layer_take_at_most_50_mb(built: Path, architecture: str) -> None:
    names = ("coinlog-function.zip", f"coinlog-layer-{architecture}.zip")
    sizes = [len(body) for name in names for body in contents(built / name).values()]

    assert 10_000_000 < sum(sizes) <= MOST_BYTES


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layer_holds_what_is_locked_with_licences_and_none_of_the_runtimes_own(
    built: Path, architecture: str
) -> None:
    found = contents(built / f"coinlog-layer-{architecture}.zip")
    lock = (ROOT / "requirements-lambda.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    folders = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in locked.items()}
    about = {name: body for name, body in found.items() if name.endswith("/METADATA")}

    assert all(name.startswith("python/") for name in found)
    assert {name.split("/")[1] for name in about} == folders
    assert not locked.keys() & {
        "boto3",
        "botocore",
        "litestar",
        "uvicorn",
        "rich",
        "click",
        "resvg-py",
    }
    assert [name for name, body in about.items() if b"\nLicense" not in body] == []
    assert [name for name in found if re.search(r"/tests?/|\.pyc$|/RECORD$", name)] == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_libraries_ask_for_no_newer_c_library_than_lambda_has(
    built: Path, architecture: str
) -> None:
    found = contents(built / f"coinlog-layer-{architecture}.zip")
    libraries = {name: body for name, body in found.items() if name.endswith(".so")}
    machine = {"arm64": 183, "x86_64": 62}[architecture]

    assert len(libraries) > 5
    for name, body in libraries.items():
        asked = re.findall(rb"\0GLIBC_(\d+)\.(\d+)", body)
        assert max((int(major), int(minor)) for major, minor in asked) <= OLDEST_GLIBC, name
        assert int.from_bytes(body[18:20], "little") == machine, name


def test_a_test_event_records_the_current_slot(
    place: Place, database: MariaDB, environment: dict[str, str], source: CMCServer
) -> None:
    slot = now_slot()
    with LambdaFunction(place, "coinlog.aws.record.handler", environment) as function:
        told = function.invoke(CONSOLE)
        again = function.invoke(ruled(iso(slot + HOUR)))

    assert told["slot"] == iso(slot)
    assert told["outcome"] == again["outcome"] == "stored"
    assert (told["asked"], again.get("asked")) != (True, True)
    asked = source.asked(LISTINGS)
    assert [request.headers["x-cmc_pro_api_key"] for request in asked] == [KEY]
    found = rows(database, environment, "SELECT asset_id, slot FROM quote WHERE asset_id < 2000")
    assert sorted(found) == [(1, slot), (1027, slot)]


def test_capture_and_load_meet_in_the_bucket(
    place: Place,
    database: MariaDB,
    environment: dict[str, str],
    s3_server: S3Server,
    source: CMCServer,
) -> None:
    slot = now_slot()
    with s3_server.bucket() as bucket:
        both = s3_server.settings | {"COINLOG_ARCHIVE": f"s3://{bucket}/log"}
        without_database = {n: v for n, v in environment.items() if not n.startswith("DB_")}
        with LambdaFunction(place, "coinlog.aws.capture.handler", both | without_database) as first:
            told = first.invoke(scheduled(iso(slot)))
            again = first.invoke(scheduled(iso(slot)))
        key = f"log/captures/{re.sub('[-:]', '', iso(slot))}/1/manifest.json"
        without_source = {n: v for n, v in environment.items() if "CMC" not in n and "KEY" not in n}
        with LambdaFunction(place, "coinlog.aws.load.handler", both | without_source) as second:
            loaded = second.invoke(notified(bucket, key, iso(slot)))
            nothing = second.invoke(created(bucket, key, iso(slot)))

    assert (told["slot"], told["outcome"], told["asked"]) == (iso(slot), "stored", True)
    assert (again["outcome"], again["asked"]) == ("stored", False)
    assert len(source.asked(LISTINGS)) == 1
    assert (loaded["settled_attempts"], nothing["settled_attempts"]) == (1, 0)
    assert rows(database, environment, "SELECT slot, outcome FROM slot") == ((slot, "stored"),)
