"""Real servers under real load: coinlog's own, nginx, wrk, and how much memory they use."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import sqlalchemy as sa

from harness import ROOT, check
from servers import PATH, free_port, wait_for_port

CONNECTIONS = 32
_OURS = ("COINLOG_", "DB_", "CMC_", "COIN_")
_NGINX = """
worker_processes {workers};
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  types {{ application/json json; text/html html; }}
  sendfile on;
  tcp_nopush on;
  gzip_static on;
  keepalive_requests 1000000000;
  open_file_cache max=100;
  server {{ listen 127.0.0.1:{port} reuseport; root {folder}/files; }}
}}
"""


def environment(**values: str) -> dict[str, str]:
    """Return this process's environment with no settings of coinlog but the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **values}


@contextmanager
def running(*command: str, port: int, **values: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it listens when the block begins."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        environ = environment(**{"COINLOG_DATA": folder, **values})
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log)
        try:
            wait_for_port(port, process)
            yield process
        except OSError as error:
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise RuntimeError(f"{command[0]} does not serve: {said}") from error
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


@contextmanager
def coinlog_serving(store: sa.URL, workers: int = 2, **settings: str) -> Iterator[tuple[int, int]]:
    """Run ``coinlog serve`` as a user does; yield its port and process id."""
    port = free_port()
    values = {
        **settings,
        "COINLOG_DATABASE_URL": store.render_as_string(hide_password=False),
        "COINLOG_PORT": str(port),
        "COINLOG_WORKERS": str(workers),
    }
    with running(sys.executable, "-m", "coinlog", "serve", port=port, **values) as process:
        yield port, process.pid


@contextmanager
def python_serving(script: str, *arguments: str) -> Iterator[int]:
    """Run one of our own baseline servers; yield its port, which it gets as the last argument."""
    port = free_port()
    command = (sys.executable, str(ROOT / "bench" / script), *arguments, str(port))
    with running(*command, port=port):
        yield port


@contextmanager
def nginx_serving(name: str, body: bytes, packed: bytes, workers: int = 2) -> Iterator[int]:
    """Run nginx with one file, as it is and packed; yield its port."""
    program = required("nginx")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="coinlog-nginx-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        (folder / "files" / name).write_bytes(body)
        (folder / "files" / f"{name}.gz").write_bytes(packed)
        # nginx serves the packed file only where it is as old as the plain one or younger.
        user = f"user {pwd.getpwuid(os.getuid()).pw_name};" if os.getuid() == 0 else ""
        text = _NGINX.format(workers=workers, folder=folder, port=port, user=user)
        (folder / "nginx.conf").write_text(text)
        options = ("-p", place, "-c", f"{place}/nginx.conf", "-g", "daemon off;")
        with running(program, *options, port=port):
            yield port


def required(program: str) -> str:
    """Return the path of a program.

    Raises:
        RuntimeError: it is not installed.
    """
    found = shutil.which(program, path=PATH)
    if not found:
        raise RuntimeError(f"{program} is not installed: `make bench` does it, or says how")
    return found


@dataclass(frozen=True)
class Load:
    """What wrk counted: whole answers alone, and none of them an error."""

    per_second: float
    bytes_each: float
    latency: str


def under_load(
    port: int,
    path: str,
    seconds: float,
    script: Path | None = None,
    *words: str,
    headers: Sequence[str] = (),
) -> Load:
    """Ask a server with 32 connections as fast as it answers, for some seconds.

    A Lua script, with its words, makes the requests where they are not all the same.
    """
    options = ["-t2", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "10s", "--latency"]
    for header in ("Accept-Encoding: gzip", *headers):
        options += ["-H", header]
    if script:
        options += ["-s", str(script)]
    url = f"http://127.0.0.1:{port}{path}"
    command = (required("wrk"), *options, url, *(("--", *words) if words else ()))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    said = done.stdout
    check(equal="Non-2xx" not in said and "Socket errors" not in said, what=said)
    answered = re.search(r"(\d+) requests in ([\d.]+)s, ([\d.]+)(B|KB|MB|GB) read", said)
    if not answered or not int(answered[1]):
        raise RuntimeError(f"wrk counted nothing: {said}")
    size = float(answered[3]) * 1024 ** ("B", "KB", "MB", "GB").index(answered[4])
    latency = ", ".join(re.findall(r"(?:50|99)%\s+\S+", said)).replace("  ", " ")
    return Load(int(answered[1]) / float(answered[2]), size / int(answered[1]), latency)


def fetch(port: int, path: str, **headers: str) -> httpx.Response:
    """Ask once; the answer's ``content`` is unpacked."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        answer = client.get(f"http://127.0.0.1:{port}{path}", headers=headers)
    answer.raise_for_status()
    return answer


def fetch_raw(port: int, path: str) -> bytes:
    """Return an answer's bytes as they come over the wire, packed."""
    url = f"http://127.0.0.1:{port}{path}"
    headers = {"Accept-Encoding": "gzip"}
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        answer.raise_for_status()
        check(equal=answer.headers.get("content-encoding") == "gzip", what=f"{url} is not packed")
        return b"".join(answer.iter_raw())


def cache_counts(port: int) -> tuple[int, int]:
    """Return the hits and misses of all workers."""
    text = fetch(port, "/metrics").text
    found = dict(re.findall(r"^coinlog_cache_(hits|misses)_total ([0-9]+)$", text, re.MULTILINE))
    return int(found["hits"]), int(found["misses"])


def family_of(pid: int) -> list[psutil.Process]:
    """Return a process and all below it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a family of processes has used so far."""
    return sum(sum(process.cpu_times()[:2]) for process in family_of(pid))


def pss_bytes(pid: int) -> tuple[int, int]:
    """Return the memory of a process and all below it, shared pages by their share; and how many.

    PSS, because forked workers share most of what they have: counting it once is what it takes.
    """
    family = family_of(pid)
    total = 0
    for process in family:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        total += 1024 * int(found[1]) if found else 0
    return total, len(family)


def peak_bytes(pid: int) -> int:
    """Return the most memory that any process of a family has had so far."""
    peaks = []
    for process in family_of(pid):
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        peaks.append(1024 * int(found[1]) if found else 0)
    return max(peaks)
