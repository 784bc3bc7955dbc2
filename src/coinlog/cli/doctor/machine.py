"""The machine: Python, disk, memory, the port and who has it, and the newest backup."""

from __future__ import annotations

import platform
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import psutil

from coinlog.backups.remembering import newest_backup
from coinlog.cli import report
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.cli.doctor.programs import Program, program_of
from coinlog.cli.room import folders_in_use
from coinlog.objects import is_bucket
from coinlog.parts import Parts
from coinlog.slots import DAY

ROOM_NEEDED_MB, MEMORY_NEEDED_MB = 500, 250
BACKUP_DAYS = 31
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared, not bound


def examine_disk(parts: Parts) -> Iterator[Finding]:
    """Yield whether there is room where the data is."""
    for folder in _apart({*folders_in_use(parts.settings).values()}):
        free_mb = shutil.disk_usage(folder).free // 1_000_000
        text = f"{free_mb / 1000:,.1f} GB free in {folder}"
        if free_mb < ROOM_NEEDED_MB:
            yield wrong("disk", "disk_full", f"{text}: make room, {ROOM_NEEDED_MB} MB at least")
        else:
            yield fine("disk", text)


def _apart(folders: Iterable[Path]) -> list[Path]:
    """Return one folder for each disk."""
    return [*{folder.stat().st_dev: folder for folder in sorted(folders, reverse=True)}.values()]


def examine_memory(_: Parts) -> Iterator[Finding]:
    """Yield Python's version, and whether there is memory to work with."""
    available_mb = psutil.virtual_memory().available // 1_000_000
    text = f"Python {platform.python_version()}, {available_mb / 1000:,.1f} GB of memory to use"
    if available_mb < MEMORY_NEEDED_MB:
        text = f"{text}: `coinlog verify` and `replay` may take {MEMORY_NEEDED_MB} MB"
        yield look("machine", "memory_short", text)
    else:
        yield fine("machine", text)


def examine_backup(parts: Parts) -> Iterator[Finding]:
    """Yield how old the newest backup is from which all that was recorded comes back."""
    made, alone = (newest_backup(parts.settings.data, whole=whole) for whole in (True, False))
    if is_bucket(parts.settings.archive):
        # What is in a bucket is not lost with this machine: the store is all there is to keep.
        made = max((one for one in (made, alone) if one), key=lambda one: one.made_at, default=None)
    newest = made or alone
    do = f"coinlog backup {newest.path.parent if newest else 'FOLDER'}"
    if newest is None:
        yield look("backup", "backup_unknown", "none was made from here", do)
        return
    if made is None:
        text = (
            f"{newest.path} is of the database alone: of the answers in the archive there is none"
        )
        yield look("backup", "backup_partial", text, do)
        return
    days = int(time.time() - made.made_at) // DAY
    text = f"{made.path}, {report.duration(time.time() - made.made_at)} old"
    if not made.path.exists():
        yield look("backup", "backup_gone", f"{made.path} is gone or not mounted", do)
    elif days >= BACKUP_DAYS:
        yield look("backup", "backup_old", text, do)
    else:
        yield fine("backup", text)


def examine_port(parts: Parts) -> Iterator[Finding]:
    """Yield who answers where the page is, or would be."""
    host, port = parts.settings.host, parts.settings.port
    reached = _EVERYWHERE.get(host, host)
    try:
        socket.create_connection((reached, port), timeout=1).close()
    except socket.gaierror as error:
        text = f"the host {host} is not known here ({error.strerror}): expected an address of this"
        yield wrong("port", "host_unknown", f"{text} machine", "COINLOG_HOST=127.0.0.1 coinlog up")
        return
    except OSError:
        text = f"nothing answers at {host} port {port}: `coinlog up` will when it runs"
        yield fine("port", text, "port_free")
        return
    if _is_ours(reached, port):
        yield _answering(parts, host, port)
        return
    text = f"something answers at {host} port {port}, and it is not coinlog{_owner(port)}"
    yield wrong("port", "port_taken", text, f"COINLOG_PORT={port + 1} coinlog up")


def _is_ours(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    try:
        with httpx.Client(trust_env=False, timeout=2) as client:
            answer = client.get(f"http://{name}:{port}/metrics")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and "coinlog_store_up" in answer.text


def _answering(parts: Parts, host: str, port: int) -> Finding:
    """Return whose coinlog it is that has the port."""
    text = f"coinlog answers at {host} port {port}"
    program = _program_at(port)
    if program is None or program.is_at(parts):
        return fine("port", text)
    market = "made-up" if program.simulated else "real"
    text = f"{text}, of another store: one of the {market} market, run in {program.folder}"
    return wrong("port", "port_taken", text, f"COINLOG_PORT={port + 1} coinlog up")


def _program_at(port: int) -> Program | None:
    try:
        process = _listener(port)
        return program_of(process) if process else None
    except psutil.Error:
        # Only the system's owner may see others' processes on some systems.
        return None


def _owner(port: int) -> str:
    try:
        process = _listener(port)
        return f" but {process.name()} (process {process.pid})" if process else ""
    except psutil.Error:
        return ""


def _listener(port: int) -> psutil.Process | None:
    for one in psutil.net_connections("tcp"):
        listens = one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        if listens and one.pid:
            return psutil.Process(one.pid)
    return None
