"""The command: its options, the bar while it runs, and what it prints."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

from weather.catalogue import FAULTS
from weather.storm import storm


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--store", choices=["sqlite", "mariadb", "both"], default="both")
    wanted = parser.parse_args(arguments)
    kinds = ["sqlite", "mariadb"] if wanted.store == "both" else [wanted.store]
    for kind in kinds:
        account = storm(FAULTS, kind, wanted.faults, wanted.seed, lambda _: None)
        print(*account.lines.values(), *account.faults, sep="\n")
    return 0
