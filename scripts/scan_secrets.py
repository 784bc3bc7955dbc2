"""Look for keys and passwords in every commit of every branch and tag.

Kingfisher knows the formats of hundreds of services, scripts/secret_rules.yml those of ours; it
looks into what is encoded as base64 too. Nothing is sent anywhere: whether a key still works is not
tried. What is found is shown by its first characters alone, as this is printed in public places.

A secret that was committed is known: take it out of service, then out of the history.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KINGFISHER = ROOT / ".venv-audit" / "bin" / "kingfisher"
RULES = Path(__file__).with_name("secret_rules.yml")
FOUND, NOTHING = 200, 0
"""How Kingfisher ends where it works; anything else is a failure of its own."""

# What may stand there, as a whole, and why.
ALLOWED = {
    r"(?i)password|contraseña|\$\w+": "where a reader puts a password, in docs and scripts",
    r"canary[\w-]*": "made up, to see in tests that it never comes out",
    r"b54bcf4d-1bca-4e8e-9a24-22ff2c3d462c": "made up, an example in secret_rules.yml",
    r"Xk29sLq0Zr.TT81v\w*": "made up, the other examples there",
    r"a-topic-nobody-guesses": "made up, in tests of alerts and who receives them",
    r"3ccdd113474722377935511fc85d3dd4": "made up, the form of a service's token in those tests",
    r"hunter\d|s3cr3t|secret|secret-password": "made up, in tests of addresses with passwords",
}


def main() -> None:
    """Print each finding and exit with 1 where there is one.

    An argument is another repository to look into than this one.
    """
    root = Path(sys.argv[1]) if sys.argv[1:] else ROOT
    with tempfile.TemporaryDirectory() as folder:
        mirror = Path(folder) / "mirror"
        git = ("git", "clone", "--quiet", "--mirror", "--shared", root, mirror)
        subprocess.run(git, check=True)  # noqa: S603  our own repository
        found = sorted(set(_findings(mirror)))
    print("\n".join(found), end="\n" if found else "")  # noqa: T201  a command
    if found:
        sys.exit(
            "Take a real secret out of service, then out of the history. What is none is allowed, "
            "with its reason, in scripts/scan_secrets.py."
        )


def _findings(mirror: Path) -> Iterator[str]:
    for finding in _scan(mirror):
        told = finding["finding"]
        secret = str(told["snippet"])
        if any(re.fullmatch(allowed, secret) for allowed in ALLOWED):
            continue
        commit = told.get("git_metadata", {}).get("commit", {}).get("id", "no commit's")[:12]
        where = f"{told['path'].removeprefix(str(mirror))}:{told['line']} ({commit})"
        yield f"{where}: {finding['rule']['name']}: {secret[:4]!r}... of {len(secret)} characters"


def _scan(mirror: Path) -> list[dict[str, Any]]:
    nobody_asked = ("--no-validate", "--no-update-check")
    rules = ("--rules-path", RULES, "--rule-cache-dir", KINGFISHER.parents[1] / "rules")
    command = (KINGFISHER, "scan", *nobody_asked, *rules, "--format", "json", mirror)
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  our own tool
    if done.returncode not in {FOUND, NOTHING}:
        sys.exit(f"Kingfisher ended with {done.returncode}:\n{done.stderr.decode()}")
    # A summary is printed behind the findings.
    answer, _ = json.JSONDecoder().raw_decode(done.stdout.decode())
    findings: list[dict[str, Any]] = answer["findings"]
    return findings


if __name__ == "__main__":
    main()
