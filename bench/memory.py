"""How much memory all serving processes take together: proportional set size (PSS).

Two workers on a store of 5,000 assets x 1 year, before and after a load that fills their caches.
"""

from __future__ import annotations

from harness import Result, main, say
from processes import coinlog_serving, fetch, pss_bytes, under_load
from year_store import year_in_sqlite

BUDGET_MB = 160
PATHS = ("/", "/api/v1/assets/1/series?range=1y", "/assets/1", "/log")


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Serve, load and read the kernel's own account of the processes."""
    url, year = year_in_sqlite(quick)
    with coinlog_serving(url) as (port, pid):
        for path in PATHS:
            fetch(port, path)
        idle, _ = pss_bytes(pid)
        for path in PATHS:
            under_load(port, path, 2)
        for base in year.bases[:400]:
            fetch(port, f"/api/v1/assets/{base.asset_id}/series?range=1y")
        full, processes = pss_bytes(pid)
    say(f"{processes} processes")
    return [
        _result("serving processes together, just started", idle),
        _result("serving processes together, caches full", full),
    ]


def _result(what: str, found_bytes: int) -> Result:
    found = found_bytes / 1_000_000
    return Result(what, "a budget", " MB", found, found, found, target=BUDGET_MB, at_most=True)


if __name__ == "__main__":
    main("memory", measure)
