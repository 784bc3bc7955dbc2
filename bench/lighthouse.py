"""What Lighthouse says of the pages: performance, accessibility, best practices, SEO; medians.

Not a part of ``make bench``: its performance score varies with the machine. Lighthouse is no
dependency of the project; the first run installs it into ``.venv/.lighthouse`` by the project's
own Node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from harness import OUT, ROOT, Result, main, say, spread, wait_for_quiet
from processes import coinlog_serving
from year_store import year_in_sqlite

VERSION = "12.8.2"
HOME = ROOT / ".venv" / ".lighthouse"
BIN = ROOT / ".venv" / "bin"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGES = {
    "home": ("/", 98),
    "asset": ("/assets/1", 98),
    "compare": ("/compare?ids=1,1027", None),
    "log": ("/log", None),
    "API": ("/schema", None),
    "home in Spanish": ("/es/", 98),
}
WHOLE = ("accessibility", "best-practices", "seo")
CHROME_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"


def installed() -> Path:
    """Return Lighthouse's program, installed where it is not there yet."""
    program = HOME / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.is_file():
        say(f"installing Lighthouse {VERSION}")
        HOME.mkdir(parents=True, exist_ok=True)
        (HOME / "package.json").write_text('{"private": true}\n')
        command = (BIN / "npm", "install", "--prefix", HOME, "--no-audit", "--no-fund")
        package = ("--ignore-scripts", "--save-exact", f"lighthouse@{VERSION}")
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        subprocess.run((*command, *package), check=True, env=environment, stdout=subprocess.DEVNULL)
    return program


def scores(program: Path, url: str, report: Path) -> dict[str, float]:
    """Return the four scores of a page, out of 100, and keep the report."""
    chrome = next(filter(None, map(shutil.which, NAMES)), "")
    command = (BIN / "node", program, url, "--quiet", "--output=json", f"--output-path={report}")
    subprocess.run(
        (*command, f"--chrome-flags={CHROME_FLAGS}"),
        check=True,
        env={**os.environ, "CHROME_PATH": chrome},
    )
    found = json.loads(report.read_bytes())["categories"]
    return {name: (one["score"] or 0) * 100 for name, one in found.items()}


def complaints(report: Path) -> str:
    """Return the names of the audits that a report finds fault with."""
    document = json.loads(report.read_bytes())
    weighed = {
        audit["id"]
        for name in WHOLE
        for audit in document["categories"][name]["auditRefs"]
        if audit["weight"]
    }
    audits = document["audits"]
    return ", ".join(name for name in sorted(weighed) if audits[name]["score"] not in {None, 1})


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Let Lighthouse look at the pages in turn."""
    program = installed()
    url, _ = year_in_sqlite(quick)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PAGES}
    with coinlog_serving(url, workers=1) as (port, _):
        for _ in range(1 if quick else 5):
            for name, (path, _) in PAGES.items():
                wait_for_quiet()
                report = OUT / f"lighthouse-{name.replace(' ', '-')}.json"
                found[name].append(scores(program, f"http://127.0.0.1:{port}{path}", report))
    return [result(name, category, found[name]) for name in PAGES for category in found[name][0]]


def result(name: str, category: str, rounds: list[dict[str, float]]) -> Result:
    """Return a category's median over the rounds, and what the last report complains of."""
    median, low, high = spread([one[category] for one in rounds])
    target = 100 if category in WHOLE else PAGES[name][1]
    report = OUT / f"lighthouse-{name.replace(' ', '-')}.json"
    detail = complaints(report) if category in WHOLE and median < 100 else ""
    return Result(f"{name}: {category}", "", "", median, low, high, target, detail=detail)


if __name__ == "__main__":
    main("lighthouse", measure)
