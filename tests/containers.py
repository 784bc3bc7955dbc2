"""A container engine for the tests: the one that answers, else a Docker daemon of our own.

Our own one is started in a folder that ``scripts/install_container_tools.sh`` has prepared. What it
has built stays there, so that the next run builds only what has changed. It touches no rule of the
firewall, and the system's own daemon, if any, does not know of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coinlog" / "containers"
BASE = "python:3.13-slim"
BASE_ARCHIVE = CACHE / "python-3.13-slim.tar"
BRIDGE = Path("/sys/class/net/docker0")
SECONDS = 300
KEPT_BUILDS = "3GB"
# Neither a firewall's rules nor raised limits: both belong to the machine.
DAEMON_OPTIONS = (
    *("--iptables=false", "--ip6tables=false", "--log-level=warn"),
    *("--default-ulimit=nofile=1024:4096", "--default-ulimit=nproc=4096:4096"),
)


class NoEngineError(Exception):
    """No engine answers, and none of our own can be started; says why."""


@dataclass(frozen=True)
class Docker:
    """The command line of an engine. ``building`` are the options that its builds need."""

    environment: Mapping[str, str]
    building: str = ""

    def __call__(self, *arguments: str, **environment: str) -> str:
        """Run a command that succeeds and return what it prints."""
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [shutil.which("docker") or "false", *arguments],
            env={**self.environment, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container or an image."""
        found: list[dict[str, Any]] = json.loads(self("inspect", name))
        return found[0]

    @cached_property
    def has_base(self) -> bool:
        """Whether the base image is there."""
        return self.run("image", "inspect", BASE).returncode == 0


@contextmanager
def engine() -> Iterator[Docker]:
    """Give an engine that has the base image.

    Raises:
        NoEngineError: there is none.
    """
    theirs = Docker(dict(os.environ))
    if all(theirs.run(*asked).returncode == 0 for asked in (("info",), ("compose", "version"))):
        if not theirs.has_base:
            theirs("pull", BASE)
        yield theirs
        return
    if os.getuid() or not shutil.which("dockerd") or not BASE_ARCHIVE.is_file():
        raise NoEngineError("no Docker answers; as root on Debian, `make test` installs one")
    with _alone(), _daemon() as ours:
        yield ours


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other run of the tests uses the folder."""
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _daemon() -> Iterator[Docker]:
    had_bridge = BRIDGE.exists()
    with tempfile.TemporaryDirectory(prefix="coinlog-docker-") as folder:
        socket, log = f"unix://{folder}/socket", Path(folder, "log")
        places = (f"--data-root={CACHE}/docker", f"--exec-root={folder}/exec", f"--host={socket}")
        with log.open("wb") as out:
            command = ["dockerd", *places, f"--pidfile={folder}/pid", *DAEMON_OPTIONS]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        # The client's settings are ours as well: its plugins stand beside them.
        given = {**os.environ, "DOCKER_HOST": socket, "DOCKER_CONFIG": str(CACHE)}
        docker = Docker(given, building="--network host")
        try:
            _wait_for(docker, process, log)
            if not docker.has_base:
                docker("import", str(BASE_ARCHIVE), BASE)
            yield docker
            _tidy(docker)
        finally:
            process.terminate()
            process.wait(SECONDS)
            if not had_bridge:
                subprocess.run(("ip", "link", "delete", "docker0"), check=False)  # noqa: S607


def _wait_for(docker: Docker, process: subprocess.Popen[bytes], log: Path) -> None:
    while docker.run("info").returncode:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            raise NoEngineError(f"dockerd does not start here: {log.read_text()[-2000:]}")


def _tidy(docker: Docker) -> None:
    """Leave what the next run can use, and no more."""
    for name in docker("ps", "--all", "--quiet").split():
        docker("rm", "--force", "--volumes", name)
    docker("image", "prune", "--force")
    docker("builder", "prune", "--force", "--keep-storage", KEPT_BUILDS)
