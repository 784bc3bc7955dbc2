"""The register of promises names tests that exist, and leaves none of the twenty questions out."""

from __future__ import annotations

import ast
import re

from conftest import ROOT

REGISTER = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", REGISTER)
WEATHER = (ROOT / "docs" / "weather.md").read_text(encoding="utf-8")


def collected_in(name: str) -> set[str]:
    """Return the tests in a file, as pytest collects them."""
    file = ROOT / name
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}


def test_every_test_that_the_register_names_exists() -> None:
    assert len(NAMED) > 100
    assert [f"{file}::{name}" for file, name in NAMED if name not in collected_in(file)] == []


def test_every_test_that_stands_in_for_the_storm_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", WEATHER)

    assert len(named) > 5
    assert [f"{file}::{name}" for file, name in named if name not in collected_in(file)] == []


def test_the_register_tells_of_all_twenty_with_a_test_each() -> None:
    parts = re.split(r"^## (\d+)\. ", REGISTER, flags=re.MULTILINE)[1:]

    assert parts[::2] == [str(number) for number in range(1, 21)]
    assert all("`tests/" in part for part in parts[1::2])


def test_nothing_else_in_the_register_looks_like_a_test() -> None:
    assert len(re.findall(r"::test_", REGISTER)) == len(NAMED)
    assert sorted({one for one in NAMED if NAMED.count(one) > 1}) == []
