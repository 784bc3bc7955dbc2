"""Tell where the locks do not say what pyproject.toml and the package.json files ask for.

Nothing is fetched: what is asked for is compared with what is pinned. How each lock is made stands
in scripts/lock.sh alone, which is read here. What this cannot see is a package in a lock that
nothing needs any more; the next `make lock` drops it.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
NPM_FOLDERS = ("frontend", "infra")


class Made(NamedTuple):
    """How a lock is made: from what of pyproject.toml, and equal to which other locks."""

    lock: str
    asked: list[Requirement]
    equal_to: list[str]


def main() -> None:
    """Print every drift and exit with 1 where there is one.

    An argument is another folder to look at than this repository.
    """
    root = Path(sys.argv[1]) if sys.argv[1:] else ROOT
    found = [*_python(root), *(line for name in NPM_FOLDERS for line in _npm(root / name))]
    print("\n".join(found), end="\n" if found else "")  # noqa: T201  a command
    if found:
        sys.exit("the locks have drifted: run make lock")


def _python(root: Path) -> Iterator[str]:
    made = list(_recipes(root))
    there = {path.name for path in root.glob("requirements*.lock")}
    unknown = there - {recipe.lock for recipe in made}
    yield from (f"{name}: scripts/lock.sh does not make it" for name in unknown)
    locks = {name: _pins(root / name) for name in there}
    for recipe in made:
        if recipe.lock not in locks:
            yield f"{recipe.lock}: it is not there"
            continue
        yield from _drift(recipe, locks)


def _recipes(root: Path) -> Iterator[Made]:
    """Yield how each lock is made, as scripts/lock.sh says it."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    script = (root / "scripts" / "lock.sh").read_text().replace("\\\n", " ")
    for line in re.findall(r"^compile (.*)$", script, re.MULTILINE):
        words = shlex.split(line)
        told = list(pairwise(words))
        asked = list(project["project"]["dependencies"]) if words[0] == "pyproject.toml" else []
        for option, name in told:
            if option == "--extra":
                asked += project["project"]["optional-dependencies"][name]
            if option == "--group":
                asked += project["dependency-groups"][name]
        yield Made(
            lock=next(name for option, name in told if option == "--output-file"),
            asked=[Requirement(text) for text in asked],
            equal_to=[name for option, name in told if option == "--constraint"],
        )


def _pins(lock: Path) -> dict[str, dict[str, bool]]:
    """Return the versions of each package in a lock, and whether they have a hash."""
    found: dict[str, dict[str, bool]] = {}
    for block in re.split(r"\n(?=[a-zA-Z0-9])", lock.read_text()):
        if pin := re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", block):
            versions = found.setdefault(canonicalize_name(pin[1]), {})
            versions[pin[2]] = "--hash=sha256:" in block
    return found


def _drift(made: Made, locks: dict[str, dict[str, dict[str, bool]]]) -> Iterator[str]:
    pins = locks[made.lock]
    for name, versions in pins.items():
        yield from (
            f"{made.lock}: {name}=={version} has no hash"
            for version, hashed in versions.items()
            if not hashed
        )
        for other in made.equal_to:
            if locks.get(other, {}).get(name, versions).keys() != versions.keys():
                yield f"{made.lock}: {name} has another version in {other}"
    for one in made.asked:
        versions = pins.get(canonicalize_name(one.name), {})
        if not versions:
            yield f"{made.lock}: {one.name} is asked for and not in it"
        yield from (
            f"{made.lock}: {one.name}=={version} is not {one.specifier}, as is asked for"
            for version in versions
            if not one.specifier.contains(version, prereleases=True)
        )


def _npm(folder: Path) -> Iterator[str]:
    asked: dict[str, Any] = json.loads((folder / "package.json").read_bytes())
    packages = json.loads((folder / "package-lock.json").read_bytes())["packages"]
    where = f"{folder.name}/package-lock.json"
    for kind in ("dependencies", "devDependencies"):
        if asked.get(kind) != packages[""].get(kind):
            yield f"{where}: its {kind} are not those of package.json"
    for name, package in packages.items():
        if name and not str(package.get("integrity", "")).startswith("sha512-"):
            yield f"{where}: {name} has no hash"
        if "resolved" in package:
            yield f"{where}: {name} names where it was fetched from"


if __name__ == "__main__":
    main()
