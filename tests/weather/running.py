"""The command: its options, the bar while it runs, and what it prints."""

from __future__ import annotations

import argparse
import random, time
from collections.abc import Sequence

from weather.catalogue import FAULTS
from weather.storm import storm


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--store", choices=["sqlite", "mariadb", "both"], default="both")
    parser.add_argument("--only", nargs="*")
    wanted = parser.parse_args(arguments)
    kinds = ["sqlite", "mariadb"] if wanted.store == "both" else [wanted.store]
    begun = time.monotonic()
    for kind in kinds:
        account = storm(
            [f for f in FAULTS if not wanted.only or f.name in wanted.only],
            kind,
            wanted.faults,
            wanted.seed,
            lambda name: print(name, round(time.monotonic() - begun, 1), flush=True),
        )
        print(*account.lines.values(), *account.faults, sep="\n")
    return 0
