"""The credits of a slot are those that the answers told, wherever they are told again."""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.errors import SettingError
from coinlog.quota import INTERVALS, cost_of, forecast
from coinlog.slots import format_interval, iso, parse_assets
from coinlog.sources.key_info import KeyInfo
from program import run_here, run_json_here
from sites import site_on

SELECTIONS = ("top:5", "top:200", "top:201", "top:400", "id:1,1027,52", "top:5+id:52,74,2010")
PLANS = {
    "keyless": KeyInfo(),
    "free": KeyInfo("Basic", 50, 15_000),
    "free, by the day": KeyInfo("Basic", 50, 15_000, credits_per_day=500),
    "paid": KeyInfo("Hobbyist", 60, 150_000),
    "paid, large": KeyInfo("Professional", 120, 3_500_000),
}


@pytest.mark.parametrize("assets", SELECTIONS)
def test_what_was_foreseen_is_what_is_spent_and_told_everywhere(
    market: str, own_world: Path, assets: str
) -> None:
    selected = {"COINLOG_CMC_URL": market, "COINLOG_ASSETS": assets}
    recorded = run_json_here("record", "--simulated", **selected)
    data = own_world / "data" / "simulated"
    archive = open_archive(str(data / "archive"))
    (key,) = archive.attempts()
    manifest, _ = archive.manifest(key)
    answers = list(archive.answers(key, manifest))
    spent = sum(json.loads(answer.body)["status"]["credit_count"] for answer in answers)

    cost = cost_of(parse_assets(assets))
    assert spent == cost.credits if "+" not in assets else spent <= cost.credits
    assert cost.least_credits <= spent
    assert len(answers) <= cost.requests
    assert (recorded["credits"], manifest.credits) == (spent, spent)
    run_here("export", "--simulated", "--what", "log", "SIMULATED.csv", **selected)
    with Path("SIMULATED.csv").open(newline="") as file:
        assert [row["credits"] for row in csv.DictReader(file)] == [str(spent)]
    with site_on(sa.make_url(f"sqlite:///{data}/coinlog.db")) as site:
        site.now = time.time()
        site.look()
        (row,) = site.json("/api/v1/log")["slots"]
        assert row["credits"] == spent
        own_page = site.get(f"/log/{iso(key.slot)}").headers["location"]
        for path in ("/log", own_page):
            assert re.search(rf'"c-credits">{spent}<', site.get(path).text), path


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("assets", [*SELECTIONS, "top:5000"])
def test_the_interval_that_is_named_fits_and_none_that_is_shorter(plan: str, assets: str) -> None:
    info = PLANS[plan]
    for index, interval in enumerate(INTERVALS):
        try:
            forecast(assets, interval, info).check()
        except SettingError as refused:
            later = [one for one in INTERVALS[index + 1 :] if _suffices(assets, one, info)]
            named = re.search(r"nearest that fits is COINLOG_INTERVAL=(\w+)", str(refused))
            assert (named and named[1]) == (format_interval(later[0]) if later else None)
            assert "nothing was asked" in str(refused)
        else:
            least = cost_of(parse_assets(assets)).least_credits
            assert least * 31 * 86_400 // interval <= (info.credits_per_month or 10**9)


def _suffices(assets: str, interval: int, info: KeyInfo) -> bool:
    """Return by a sum of its own whether the longest month is paid for."""
    most, slots = cost_of(parse_assets(assets)).credits, 86_400 // interval
    return most * slots * 31 <= (info.credits_per_month or 10**9) and most * slots <= (
        info.credits_per_day or 10**9
    )
