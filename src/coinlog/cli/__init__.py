"""The command line: each command parses, calls and reports, and nothing more."""

from coinlog.cli.main import main

__all__ = ["main"]
