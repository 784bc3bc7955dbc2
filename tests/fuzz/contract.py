"""The API asked all that its own description allows, and what it forbids (Schemathesis).

The suite asks a little of each operation; run by hand it asks more, of a site of its own or of one
that runs: ``.venv/bin/python tests/fuzz/contract.py 2000`` (examples for each operation).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

sys.path.append(str(Path(__file__).resolve().parents[1]))

from browsing import NOW, fill_store, serving
from coinlog.web.app import create_app

Operation = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]

SEED = 20261128
UNSAID = ("positive_data_acceptance",)
"""A description cannot say that ``range`` excludes ``from``, or which times were recorded: what
it allows may still be refused, in the one shape of errors and with a status it has."""


def operations(address: str) -> list[Operation]:
    """Return what a site's description describes."""
    schema = schemathesis.openapi.from_url(f"{address}/schema/openapi.json")
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def ask(operation: Operation, examples: int, mode: GenerationMode) -> bool:
    """Ask an operation so often, and check every answer: status, type, headers, shape.

    Returns whether there was anything to ask: what has no parameters forbids none.
    """
    load_all_checks()
    excluded: Any = CHECKS.get_by_names(list(UNSAID))

    @seed(SEED)
    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask_once(case: Case) -> None:
        case.call_and_validate(excluded_checks=excluded)

    try:
        ask_once()
    except Unsatisfiable:
        return False
    return True


@contextmanager
def site() -> Iterator[str]:
    """Serve a month of a market and give its address."""
    with tempfile.TemporaryDirectory() as folder:
        url = sa.URL.create("sqlite", database=f"{folder}/coinlog.db")
        fill_store(url)
        with serving(create_app(url, clock=lambda: float(NOW))) as address:
            yield address


def main() -> None:
    """Ask as often as the command line says."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with site() as address:
        for operation in operations(address):
            for mode in GenerationMode:
                print(f"{operation.label}, {mode.value} data: {examples} questions", flush=True)
                ask(operation, examples, mode)


if __name__ == "__main__":
    main()
