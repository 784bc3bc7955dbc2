"""``python -m coinlog`` is the same as ``coinlog``."""

from coinlog.cli import main

main(prog_name="coinlog")
