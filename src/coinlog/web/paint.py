"""An SVG from the standard input to a PNG on the standard output, in a process of its own.

The renderer holds the interpreter while it draws, so a page's worker lets this program do it. The
arguments are the files of the fonts: nothing of the machine's own is used.
"""

from __future__ import annotations

import os
import sys

import resvg_py

_NICENESS = 10


def main() -> None:
    """Draw what comes in; pages go first."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    svg = sys.stdin.buffer.read().decode()
    png = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_files=sys.argv[1:], font_family="Inter"
    )
    sys.stdout.buffer.write(png)


if __name__ == "__main__":
    main()
