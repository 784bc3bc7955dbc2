"""Ask whether anything that is locked has a hole that is known.

Packages of Python are held against OSV by pip-audit, those of Node against npm's advisories by
npm. Where nobody can be asked, that is said as SKIPPED and is no finding; with --required it fails.
A source of packages without advisories would make "nothing known" out of silence, so only answers
count as answers.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
NPM = ROOT / ".venv" / "bin" / "npm"
NPM_FOLDERS = ("frontend", "infra")
# What the two say where the other end was not reached, or answered as no source of advisories does.
NOBODY_THERE = re.compile(
    r"requests\.exceptions\.\w+: (?:.*Caused by )?(.*)|((?:Connection|Service)Error.*)"
)


class Hole(NamedTuple):
    """A package that has a hole which is known."""

    package: str
    what: str


class SkippedError(Exception):
    """Nobody could be asked."""


def main() -> None:
    """Audit all locks and exit with 1 where something was found."""
    told = _arguments()
    holes: defaultdict[Hole, list[str]] = defaultdict(list)
    skipped = False
    for title, asking in (
        ("Python packages", _python(told.root, told.osv_url)),
        ("Node packages", _node(told.root, told.registry)),
    ):
        try:
            found = list(asking)
        except SkippedError as error:
            skipped = True
            print(f"  {title}: SKIPPED, nobody could be asked: {error}")  # noqa: T201  a command
            continue
        for hole, lock in found:
            holes[hole].append(lock)
        print(f"  {title}: {len({hole for hole, _ in found})} known holes")  # noqa: T201
    for hole, locks in sorted(holes.items()):
        print(f"  {hole.package}: {hole.what} ({', '.join(locks)})")  # noqa: T201
    if holes or (skipped and told.required):
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--required", action="store_true", help="fail where nobody can be asked")
    parser.add_argument("--osv-url", default="https://api.osv.dev/v1/query")
    parser.add_argument("--registry", help="ask this one of npm")
    return parser.parse_args()


def _python(root: Path, url: str) -> Iterator[tuple[Hole, str]]:
    quiet = ("--progress-spinner", "off", "--format", "json", "--desc", "off")
    service = ("--vulnerability-service", "osv", "--osv-url", url)
    for lock in sorted(root.glob("requirements*.lock")):
        command = (PIP_AUDIT, "--disable-pip", "--requirement", lock, *service, *quiet)
        for package in _answer(*command)["dependencies"]:
            if reason := package.get("skip_reason"):
                raise SkippedError(reason)
            for hole in package["vulns"]:
                mended = ", ".join(hole["fix_versions"]) or "none yet"
                what = f"{hole['id']}, mended in: {mended}"
                yield Hole(f"{package['name']} {package['version']}", what), lock.name


def _node(root: Path, registry: str | None) -> Iterator[tuple[Hole, str]]:
    for folder in NPM_FOLDERS:
        where = ("--registry", registry) if registry else ()
        found = _answer(NPM, "--prefix", root / folder, "audit", "--json", *where)
        if "vulnerabilities" not in found:
            raise SkippedError(str(found.get("message", found))[:200])
        for package in found["vulnerabilities"].values():
            yield from (
                (Hole(package["name"], f"{hole['title']}, {hole['url']}"), f"{folder}/package-lock")
                for hole in package["via"]
                if isinstance(hole, dict)  # a name stands for a hole that is told of elsewhere
            )


def _answer(*command: object) -> dict[str, Any]:
    """Return the JSON that a command prints, whether it has found something or not."""
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)  # noqa: S603  our own tools
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode(errors="replace")
        if reasons := NOBODY_THERE.findall(said):
            raise SkippedError("".join(reasons[-1])[:200]) from None
        sys.exit(f"{command[0]} failed:\n{said}")
    return answer


if __name__ == "__main__":
    main()
