"""Say what a variable of ``make`` may have meant that the Makefile does not know."""

import sys
from difflib import get_close_matches


def main(odd: str, *known: str) -> None:
    """Print one sentence about the first word, by the others."""
    near = get_close_matches(odd.upper(), known, n=1)
    means = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    sys.stdout.write(f"{odd} is no variable of this Makefile: {means} Nothing was done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
