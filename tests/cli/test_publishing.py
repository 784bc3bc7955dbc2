"""Publishing from the command line: the terms first, then a line or JSON, and wrong use refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.market import SourceKind
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from program import run, run_here, run_json, run_json_here
from samples import SLOT, settlement, snapshot


def fill(database: Path, source: SourceKind = SourceKind.COINMARKETCAP) -> None:
    """Put a slot into a store where the program looks for it."""
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(sa.URL.create("sqlite", database=str(database)))
    migrate(engine)
    settle(engine, settlement(found=snapshot(source=source), source=source), SLOT + 20)
    engine.dispose()


def test_the_terms_come_first_and_yes_agrees_to_them(own_world: Path) -> None:
    fill(own_world / "data" / "coinlog.db")

    refused = run("publish", "site")
    agreed = run("publish", "site", "--yes")
    again = run_json("publish", "site")

    assert refused.returncode == 2
    assert "forbid redistributing it without their consent" in refused.stderr
    assert "--yes" in refused.stderr
    assert agreed.returncode == 0, agreed.stderr
    assert agreed.stdout.startswith("✓ published to site: ")
    assert Path("site/assets/1/index.html").is_file()
    assert (again["first"], again["slot"]) == (False, "2026-01-26T18:00:00Z")


def test_a_made_up_market_needs_no_consent_and_says_what_it_is(own_world: Path) -> None:
    fill(own_world / "data" / "simulated" / "coinlog.db", SourceKind.SIMULATED)

    facts = run_json_here("publish", "demo", "--simulated")

    assert (facts["simulated"], facts["first"], facts["removed"]) == (True, True, 0)
    assert facts["written"] == sum(1 for path in Path("demo").rglob("*") if path.is_file()) - 2
    assert 'role="note"' in Path("demo/index.html").read_text()


@pytest.mark.usefixtures("own_world")
def test_what_cannot_be_published_is_said_in_a_sentence(tmp_path: Path) -> None:
    nothing = run_here("publish", str(tmp_path / "site"), "--yes")
    fill(Path("data/coinlog.db"))
    (tmp_path / "thesis.tex").write_text("mine")
    theirs = run_here("publish", str(tmp_path), "--yes")

    nowhere = run_here("publish", str(tmp_path / "site"), "--url", "https://coinlog.example/market")

    assert (nothing.returncode, theirs.returncode, nowhere.returncode) == (1, 2, 2)
    assert "is not like https://coinlog.example" in nowhere.stderr
    assert "there is no database" in nothing.stderr
    assert "is not empty" in theirs.stderr
    assert not (tmp_path / "site").exists()
