"""How long the functions of AWS Lambda take to import, from the unzipped packages, cold.

Each time a fresh process under Lambda's own runtime folders; "compiled" has Python's compiled
files beside the sources, which the packages leave out. Processor time, as that is what Lambda
gives and bills, and what a busy machine changes least.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import QUICK_ROUNDS, ROUNDS, Result, main, say, spread
from lambda_runtime import FLAGS, Place
from packages import NEWEST, OURS, build, interpreter, unpack

HANDLERS = ("capture", "load", "record", "send")
PYTHONS = ("3.11", NEWEST)
IMPORTING = """
import sys, time
sys.path[:0] = sys.argv[1:4]
begun = time.process_time()
__import__("coinlog.aws." + sys.argv[4])
print(time.process_time() - begun)
"""


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Import each handler from packages as they are, and from compiled ones."""
    with tempfile.TemporaryDirectory() as folder:
        places = dict(unpacked(Path(folder)))
        taken: dict[str, list[float]] = {}
        # Not waiting for a quiet machine: other programs' time is not counted.
        for _ in range(QUICK_ROUNDS if quick else ROUNDS):
            for name, place in places.items():
                for handler in HANDLERS:
                    label = f"{handler}, Python {name}"
                    taken.setdefault(label, []).append(seconds(place, handler) * 1000)
    return [Result(label, "nothing", " ms", *spread(values)) for label, values in taken.items()]


def unpacked(folder: Path) -> Iterator[tuple[str, Place]]:
    """Yield the packages laid out for each Python that is here, as they are and compiled."""
    for version in PYTHONS:
        python = interpreter(version)
        if not python:
            say(f"Python {version} is not on this machine")
            continue
        packages = build(folder / f"packages-{version}", version, OURS)
        plain = unpack(packages, python, folder / version)
        yield version, plain
        compiled = Place(python, folder / f"{version}-compiled")
        shutil.copytree(plain.root, compiled.root)
        options = ("-q", "--invalidation-mode", "unchecked-hash")
        command = (python, "-m", "compileall", *options, *compiled.folders[:2])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        yield f"{version}, compiled", compiled


def seconds(place: Place, handler: str) -> float:
    """Return the seconds of processor time that importing a handler takes in a fresh process."""
    command = (place.python, *FLAGS, "-c", IMPORTING, *place.folders, handler)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    main("lambda_start", measure)
