"""``coinlog thin``, as its user sees it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.slots import DAY, floor_slot
from coinlog.store import schema
from histories import history, put_history
from program import run, run_here, run_json_here
from samples import STEP
from stores import opened, read_everything

CHOICE = ("--older-than", "30d", "--keep", "1d")


@pytest.fixture
def store(own_world: Path) -> sa.URL:
    """Return the store of the settings, with 100 days of two assets up to now."""
    url = sa.URL.create("sqlite", database=str(own_world / "data" / "coinlog.db"))
    newest = floor_slot(time.time(), STEP)
    slots = [newest - STEP * back for back in range(400)]
    with opened(url):
        pass
    put_history(
        url,
        {1: history(slots, lambda slot: {"price": slot / 7}), 2: history(slots, lambda _: {})},
        dict.fromkeys(slots, "stored"),
    )
    return url


def test_without_yes_only_what_would_go_is_said(store: sa.URL) -> None:
    before = read_everything(store)

    done = run_here("thin", *CHOICE)
    told = run_json_here("thin", *CHOICE)

    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is changed yet: --yes does it" in done.stdout
    assert f"would drop  {told['would_drop']:,} quotes of {told['slots']:,} slots" in done.stdout
    assert "the first of each asset and day, standing for all of it" in done.stdout
    assert (told["done"], told["dropped"], told["keep"]) == (False, 0, "day")
    # Of each day and asset three go and one stays, apart from the first day, which is cut.
    assert told["would_drop"] == pytest.approx(3 * told["would_keep"], abs=8)
    assert read_everything(store) == before


def test_with_yes_it_is_done_and_doing_it_again_changes_nothing(store: sa.URL) -> None:
    done = run("thin", *CHOICE, "--yes")
    left = read_everything(store)
    again = run("thin", *CHOICE, "--yes")

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    assert done.stdout.startswith("✓ dropped ")
    assert again.stdout.startswith("✓ nothing to drop: ")
    assert read_everything(store) == left
    (row,) = left["thinning"]
    assert row["quotes"] == 800 - len(left["quote"])
    assert {quote["resolution"] for quote in left["quote"]} == {STEP, DAY}
    assert run("thin", *CHOICE).stdout.startswith("✓ nothing would go: ")


def test_nothing_but_the_newest_quotes_is_kept_where_nobody_wants_any(store: sa.URL) -> None:
    told = run_json_here("thin", "--older-than", "1d", "--keep", "none", "--yes")

    with opened(store) as engine, engine.connect() as connection:
        oldest = connection.execute(sa.select(sa.func.min(schema.quote.c.slot))).scalar_one()
    assert (told["done"], told["keep"], told["would_keep"]) == (True, "none", 0)
    assert told["dropped"] == told["would_drop"] > 700
    assert oldest % DAY == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--older-than", "1x", "--keep", "1d"), "for example 90d, 26w or 1y"),
        (("--older-than", "1y", "--keep", "7h"), "expected an interval such as 1h or 1d"),
        (("--older-than", "1d", "--keep", "1w"), "is too short"),
        (("--older-than", "1y"), "Missing option '--keep'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options: tuple[str, ...], said: str) -> None:
    done = run_here("thin", *options)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_without_a_store_it_says_what_to_do(own_world: Path) -> None:
    (own_world / "data").mkdir()

    done = run_here("thin", *CHOICE)

    assert done.returncode == 1
    assert "nothing is recorded yet" in " ".join(done.stderr.split())
