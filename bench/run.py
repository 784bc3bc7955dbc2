"""Run the benchmarks one after the other and write their table: ``make bench``.

``bench/run.py --quick`` is a rehearsal; ``bench/run.py store_slot`` runs one of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from harness import OUT, ROOT

NAMES = (
    "store_slot",
    "year_series",
    "first_load",
    "market_table",
    "long_range",
    "memory",
    "replay",
    "publish",
    "slow_sockets",
)


def run(name: str, *, quick: bool) -> bool:
    """Run one benchmark in a process of its own and return whether it ended well."""
    command = [sys.executable, str(ROOT / "bench" / f"{name}.py"), *(["--quick"] if quick else [])]
    return subprocess.run(command, check=False).returncode == 0


def lines() -> Iterator[str]:
    """Yield the table of all results there are, in Markdown."""
    yield "| what | against | median | range | wanted | |"
    yield "|---|---|---|---|---|---|"
    for name in NAMES:
        path = OUT / f"{name}.json"
        for result in json.loads(path.read_text())["results"] if path.exists() else []:
            yield line(result)


def line(result: dict[str, Any]) -> str:
    """Return a result as a row; a target that is missed says so."""
    median, low, high = (f"{result[key]:.3g}" for key in ("median", "low", "high"))
    wanted, mark = "", ""
    if result["target"] is not None:
        wanted = f"{'at most' if result['at_most'] else 'at least'} {result['target']:g}"
        mark = "reached" if result["reached"] else "**missed**"
    unit = result["unit"]
    cells = (result["what"], result["against"], f"{median}{unit}", f"{low} to {high}", wanted, mark)
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which; all unless given")
    parser.add_argument("--quick", action="store_true", help="smaller, fewer rounds: a rehearsal")
    wanted = parser.parse_args()
    ended = [run(name, quick=wanted.quick) for name in wanted.names or NAMES]
    table = "\n".join(lines()) + "\n"
    (OUT / "results.md").write_text(table)
    print(table)
    return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())
