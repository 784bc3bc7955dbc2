"""``make estimate``: what a month costs, before anything is made and without asking AWS."""

from __future__ import annotations

from coinlog_infra import given
from coinlog_infra.printing import print_estimate
from coinlog_infra.say import run


def main() -> int:
    """Print the estimate for the options."""
    print_estimate(given.load_options())
    return 0


if __name__ == "__main__":
    run(main)
