"""Disks that fail as real ones do: full ones, and folders on them that are read-only.

A small disk is memory mounted by root. Folders are made read-only by a mount where we are root,
who may write whatever a mode says, and by their modes elsewhere.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import PATH

_ROOT = os.getuid() == 0


def can_mount() -> bool:
    """Return whether we may mount: root outside of most containers."""
    unshare = shutil.which("unshare", path=PATH)
    if not (_ROOT and unshare):
        return False
    # Seen by nobody else, and gone with the process.
    probe = (unshare, "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


class SmallDisk:
    """A disk of so many megabytes at a folder: memory, and no more of it than is used."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self._megabytes = folder, megabytes
        folder.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", str(folder))

    def fill(self, leave: int = 0) -> None:
        """Let it be full, but for about so many bytes: it shrinks to what is used."""
        now = os.statvfs(self.folder)
        used = (now.f_blocks - now.f_bfree) * now.f_frsize
        # A size of nothing would mean any size.
        _mount("-o", f"remount,size={max(4096, used + leave)}", str(self.folder))

    def make_room(self) -> None:
        """Let it be as large as it was."""
        _mount("-o", f"remount,size={self._megabytes}m", str(self.folder))

    def remove(self) -> None:
        """Unmount it, though somebody may still be in it."""
        _run("umount", "--lazy", str(self.folder))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk at a folder."""
    disk = SmallDisk(folder, megabytes)
    try:
        yield disk
    finally:
        disk.remove()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write into a folder."""
    if _ROOT:
        _mount("--bind", str(folder), str(folder))
        _mount("-o", "remount,ro,bind", str(folder))
        try:
            yield
        finally:
            _run("umount", "--lazy", str(folder))
        return
    everything = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything}
    for path in reversed(everything):
        path.chmod(modes[path] & ~0o222)
    try:
        yield
    finally:
        for path in everything:
            path.chmod(modes[path])


def _mount(*words: str) -> None:
    _run("mount", *words)


def _run(name: str, *words: str) -> None:
    program = shutil.which(name, path=PATH)
    assert program, f"{name} is not installed"
    subprocess.run((program, *words), check=True)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Let nobody read a file, us included who may read whatever a mode says: no socket opens."""
    aside, name = path.with_name("aside"), f"socket-{os.getpid()}"
    # In a folder of its own the name would be too long for one.
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(name)
    path.rename(aside)
    Path(name).rename(path)
    try:
        yield
    finally:
        aside.rename(path)
