"""Files and folders that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from coinlog.errors import ExportError, UsageError


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a file to write; it takes its place when the block has ended well.

    A name that ends in ``.gz`` is compressed.

    Raises:
        UsageError: there is one already, or no folder for it.
        ExportError: it cannot be written.
    """
    _refuse(path, overwrite=overwrite)
    beside = _beside(path)
    try:
        with errors_explained(path), beside.open("xb") as file:
            if path.suffix.lower() == ".gz":
                # No time in it: the same rows make the same file.
                with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        with errors_explained(path):
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Make a folder to write into; it takes its place when the block has ended well.

    Raises:
        UsageError: there is one already.
        ExportError: it cannot be written.
    """
    _refuse(path, overwrite=overwrite, make_parent=True)
    beside, former = _beside(path), _beside(path, "former")
    try:
        with errors_explained(path):
            beside.mkdir()
            yield beside
            if path.exists():
                path.rename(former)
            beside.rename(path)
    finally:
        for leftover in (beside, former):
            shutil.rmtree(leftover, ignore_errors=True)


def _refuse(path: Path, *, overwrite: bool, make_parent: bool = False) -> None:
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already: choose another name, or give --overwrite")
    with errors_explained(path):
        if make_parent:
            path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first, or choose another")


def _beside(path: Path, why: str = "unfinished") -> Path:
    return path.with_name(f".{path.name}.{why}-{os.getpid()}")


@contextmanager
def stdout() -> Iterator[BinaryIO]:
    """Lend standard output for bytes, all of which are on their way when the block ends.

    Python tries its own once more as it exits: what could not be written there would then be an
    exit code of 120 and a traceback behind our sentence.

    Raises:
        ExportError: it cannot be written.
    """
    with errors_explained("stdout"), os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        yield out


@contextmanager
def errors_explained(path: Path | str) -> Iterator[None]:
    """Turn the system's refusals to write into ours; a reader that has gone away is none.

    Raises:
        ExportError: it cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written ({error.strerror or error}): make room, or choose another "
            "place"
        ) from error
