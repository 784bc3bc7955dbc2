"""What a function loads at its cold start: no more than it needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

NEVER = ("litestar", "uvicorn", "jinja2", "resvg_py", "pandas", "pyarrow", "botocore", "boto3")
# Packages for the terminal, which httpx would load if they were there, and Lambda's zips leave out.
TERMINAL = ("click", "rich", "pygments")
CODE = """
import json, sys
from importlib.abc import MetaPathFinder
class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
import coinlog.aws.{module}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
FURTHER = {
    "capture": ("alembic", "multiprocessing"),
    "load": ("alembic", "httpx"),
    "record": ("alembic",),
    "send": ("alembic", "httpx", "multiprocessing"),
    "prepare": ("alembic", "httpx"),
}


@pytest.mark.parametrize("module", FURTHER)
def test_a_function_loads_nothing_that_it_does_not_need(module: str) -> None:
    code = CODE.format(absent=TERMINAL, module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))

    assert {"coinlog", "sqlalchemy"} <= loaded
    assert loaded & {*NEVER, *FURTHER[module]} == set()
