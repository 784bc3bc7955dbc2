"""The files under ``/data/`` as they are served: equal to the API's series, cached, or 404."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.chunks.assets import absolute
from coinlog.chunks.names import Month, month_of, months_between
from coinlog.loading import sweep
from coinlog.web.canonical import key_of
from coinlog.web.static_files import read_static
from recorded import poll_body, polls, put_poll
from samples import HOUR, SLOT, STEP
from sites import Site, site_on

FIELDS = ("price", "market_cap", "volume_24h", "circulating_supply", "rank")
MONTH = "/data/assets/1/2026-01.json"

NOT_THERE = (
    "",
    "x",
    "assets/1/2026-13.json",
    "assets/1/2026-1.json",
    "assets/1/1999-01.json",
    "assets/1/9999-12.json",
    "assets/1/2026-01.json/",
    "assets/01/2026-01.json",
    "assets/-1/2026-01.json",
    "assets/1/2026-01.csv",
    "assets/1/2026-01.days.json.gz",
    "assets/9999999999/2026-01.json",
    "assets/2147483647/2026-01.json",
    "assets/%D9%A3/2026-01.json",
    "assets/1/..%2f..%2f1/2026-01.json",
    "assets/1/../1/2026-01.json",
    "assets/%3Cscript%3E/2026-01.json",
    "assets/1/2026-02.json",
    "assets/1/2026.json",
    "assets/2/2026-01.json",
    "totals/2026-01.json",
    "log/2025-12.json",
    f"slots/{SLOT - 1}.json",
    f"slots/0{SLOT}.json",
    "slots/999999999999.json",
    "slots/1e9.json",
    "latest.jsonx",
    "a" * 3000,
)


def series_of(web: Site, asset_id: int, month: Month) -> dict[str, Any]:
    """Return a month as the API's series tells it, in the form of a file."""
    window = f"from={month.start}&to={month.end - 1}&fields={','.join(FIELDS)}"
    told = web.json(f"/api/v1/assets/{asset_id}/series?{window}")
    slots = told["slots"]
    unknown = {name for name in FIELDS if not any(value is not None for value in told[name])}
    return {
        "slots": slots,
        "observed_at": [t - slot for t, slot in zip(told["observed_at"], slots, strict=True)],
        "gaps": [[gap["from"], gap["to"], gap["reason"]] for gap in told["gaps"]],
        "sampled": told["sampled"],
        **{name: told[name] for name in FIELDS if name not in unknown},
    }


@pytest.mark.shared
def test_files_of_real_polls_are_the_series_of_the_api(
    store_url: sa.URL, tmp_path: Path, shared: Path
) -> None:
    archive = open_archive(str(tmp_path))
    taken = {at: rows[::40] for at, rows in polls(shared).items()}
    keys = [put_poll(archive, at, poll_body(at, rows)) for at, rows in taken.items()]
    with site_on(store_url) as web:
        web.now = keys[-1].slot + HOUR
        list(sweep(web.engine, archive, clock=lambda: web.now))
        ids = sorted({int(row["id"]) for rows in taken.values() for row in rows})
        assert len(ids) > 100
        seen = set()
        for asset_id in ids[:: len(ids) // 60]:
            known = web.json(f"/api/v1/assets/{asset_id}")
            span = month_of(known["first_slot"]), month_of(known["last_slot"])
            for month in months_between(*span):
                file = web.json(f"/data/assets/{asset_id}/{month.name}.json")
                file["slots"] = absolute(file["slots"])
                expected = series_of(web, asset_id, month)
                assert {name: file[name] for name in file if name in expected} == expected
                assert (file["id"], file["month"], file["backfilled"]) == (asset_id, month.name, [])
                seen.add((month.name, file["complete"]))
        assert seen == {("2026-01", True), ("2026-02", False)}


def test_an_answer_is_kept_whatever_stands_behind_its_name(web: Site) -> None:
    web.store(SLOT - STEP, SLOT)

    first = web.get(MONTH)
    again = [web.get(f"{MONTH}{more}") for more in ("?", "?x=1", "?from=7&from=8", "?%20")]

    assert web.app.misses == 1
    assert {reply.body for reply in again} == {first.body}
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "max-age=30"
    unchanged = web.get(MONTH, {"if-none-match": first.headers["etag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")


def test_a_stored_slot_renews_the_files_that_it_is_in(web: Site) -> None:
    web.store(SLOT - STEP)
    before = web.json("/data/latest.json")
    web.store(SLOT)
    web.look()

    latest = web.json("/data/latest.json")

    assert (before["slot"], before["missed"], before["stale"]) == (SLOT - STEP, 1, True)
    assert latest == {
        "slot": SLOT,
        "as_of": SLOT + 12,
        "next_slot": SLOT + STEP,
        "interval": STEP,
        "stale": False,
        "missed": 0,
        "whole_month": "2026-01",
        "simulated": False,
        "first_slot": SLOT - STEP,
        "version": latest["version"],
        "build": read_static()[0].build,
    }
    assert latest["version"] > before["version"]
    assert absolute(web.json(MONTH)["slots"]) == [SLOT - STEP, SLOT]
    assert web.json("/data/market.json")["slot"] == SLOT


def test_what_is_not_there_is_404_in_the_one_shape(web: Site) -> None:
    web.store(SLOT)

    for path in NOT_THERE:
        reply = web.get(f"/data/{path}")

        assert reply.status == 404, path
        assert reply.error["code"] == "not_found"
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-control"] == "no-store"


def test_files_have_no_place_in_the_description_of_the_api(web: Site) -> None:
    assert not [path for path in web.json("/schema/openapi.json")["paths"] if "/data" in path]
    assert key_of("/data/x.json", b"a=1") == ("/data/x.json",)
