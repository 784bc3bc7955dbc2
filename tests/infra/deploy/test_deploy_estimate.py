"""What a month costs: against a sum of its own, and against what the cheap shape promises."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

import pytest

from coinlog.errors import UsageError
from coinlog_infra import printing, say
from coinlog_infra.estimate import both_shapes, estimate, most, read_prices
from coinlog_infra.given import ROOT
from coinlog_infra.options import Options

ARM = Options(architecture="arm64")


def test_the_page_costs_what_a_sum_by_hand_says() -> None:
    hours = 730
    database = 0.016 * hours + 20 * 0.115 + 0.40
    page = (0.5 * 0.03238 + 1 * 0.00356) * hours
    balancer = (0.0225 + 0.1 * 0.008) * hours
    addresses = 3 * 0.005 * hours
    slots = hours / 6
    calls = 3 * slots + 2 * 4 * hours
    gigabyte_seconds = slots * (10 * 0.5 + 5 * 1) + 4 * hours * (3 + 1) * 1
    functions = gigabyte_seconds * 0.0000133334 + calls * 0.2 / 1e6
    archive = 12 * slots * 200 * 400 / 1e9 * 0.023 + slots * 6 * 0.005 / 1e3
    watching = 10 * 0.10 + 0.30 + 0.2 * 0.50 + 0.3 * 0.10

    expected = database + page + balancer + addresses + functions + archive + watching

    assert estimate(ARM).dollars == pytest.approx(expected, abs=0.005)


def test_a_public_page_costs_a_web_acl_and_a_rule_more_and_an_edition_does_not() -> None:
    (page, edition), (public, open_edition) = (
        both_shapes(ARM),
        both_shapes(replace(ARM, public=True)),
    )

    assert public.dollars - page.dollars == pytest.approx(5 + 1)
    assert open_edition.dollars == edition.dollars


def test_the_edition_costs_what_a_sum_by_hand_says() -> None:
    page, edition = both_shapes(ARM)
    task = 730 / 6 * 120 / 3600 * (0.5 * 0.03238 + 0.00356 + 0.005)
    files = 730 / 6 * 260 * 0.005 / 1e3
    without = {"page", "balancer", "public addresses"}
    common = sum(part.dollars for part in page.parts if part.name not in without)

    assert edition.dollars == pytest.approx(common + task + files, abs=0.005)


@pytest.mark.parametrize("options", [ARM, replace(ARM, architecture="x86_64")])
@pytest.mark.parametrize("interval_seconds", [3600, 21_600, 86_400])
def test_the_edition_costs_at_most_half(options: Options, interval_seconds: int) -> None:
    page, edition = both_shapes(replace(options, interval_seconds=interval_seconds))

    assert edition.dollars <= page.dollars / 2


def test_where_the_edition_is_not_cheap_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_estimate(replace(ARM, interval_seconds=300, assets="top:5000"))

    assert "an edition is not the cheap shape" in " ".join(capsys.readouterr().out.split())


def test_a_year_that_does_not_fit_the_disk_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_estimate(replace(ARM, interval_seconds=300, assets="top:5000"))
    text = " ".join(capsys.readouterr().out.split())

    # 30 kB for 200 assets and slot, 12 slots an hour, 5,000 assets.
    year = 30_000 / 200 * 5000 * 12 * 24 * 365 / 1e9
    assert f"about {year:.0f} GB in the database" in text
    printing.print_estimate(ARM)
    assert "in the database, which" not in " ".join(capsys.readouterr().out.split())


def test_load_can_make_it_cost_what_a_page_of_that_many_copies_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printing.print_estimate(ARM)
    told = re.search(
        r"up to 4 copies of the page run: (\d+\.\d\d) at most", capsys.readouterr().out
    )

    assert told
    assert float(told[1]) == pytest.approx(estimate(replace(ARM, min_tasks=4)).dollars, abs=0.006)
    for quiet in (replace(ARM, max_tasks=1), replace(ARM, shape="edition")):
        printing.print_estimate(quiet)
        assert "Under load" not in capsys.readouterr().out


@pytest.mark.parametrize("shape", ["page", "edition"])
def test_the_chosen_shape_and_the_architecture_are_seen_without_colour(
    capsys: pytest.CaptureFixture[str], shape: Literal["page", "edition"]
) -> None:
    printing.print_estimate(Options(architecture="x86_64", shape=shape))
    text = capsys.readouterr().out

    assert re.findall(r"▸ SHAPE=(\w+)", text) == [shape]
    assert re.search(r"^  page .* x86_64 ", text, re.MULTILINE)
    assert max(map(len, text.splitlines()[:16])) <= 80


def test_what_is_printed_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    printing.print_estimate(ARM)

    text = capsys.readouterr().out
    rows = [re.findall(r"(?<= )(?:\d+\.\d\d|-)(?= )", line + " ") for line in text.splitlines()]
    amounts = [row[-2:] for row in rows if len(row) >= 2]
    *parts, total = [[float(cell) if cell != "-" else 0.0 for cell in row] for row in amounts]
    for column in (0, 1):
        # Every part is rounded to a cent.
        assert sum(row[column] for row in parts) == pytest.approx(total[column], abs=0.06)
    assert "not the cheap shape" not in text
    assert read_prices()["date"] in text
    assert max(map(len, text.splitlines())) <= 80
    assert say.out.width >= 80


def test_more_copies_and_a_larger_database_cost_more() -> None:
    larger = replace(ARM, min_tasks=2, database_class="db.t4g.small", database_storage_gb=40)
    more = estimate(larger).dollars - estimate(ARM).dollars

    task = (0.5 * 0.03238 + 0.00356 + 0.005) * 730
    assert more == pytest.approx(task + 0.016 * 730 + 20 * 0.115, abs=0.005)


def test_a_class_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"DATABASE_CLASS is db\.r8g\.large, for which infra/coi"):
        estimate(replace(ARM, database_class="db.r8g.large"))


def test_the_docs_say_the_same() -> None:
    page, edition = (f"**{one.dollars:.2f}**" for one in both_shapes(ARM))
    english = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    spanish = (ROOT / "docs" / "es" / "desplegar.md").read_text(encoding="utf-8")

    intel = " and ".join(
        f"{one.dollars:.2f}" for one in both_shapes(Options(architecture="x86_64"))
    )
    under_load = f"{most(ARM):.2f}"
    assert f"| {page} | {edition} |" in english
    assert intel in english
    assert under_load in english
    assert under_load.replace(".", ",") in spanish
    assert intel.replace(".", ",").replace("and", "y") in spanish
    assert f"| {page} | {edition} |".replace(".", ",") in spanish


def test_every_price_has_its_source_and_the_table_its_date() -> None:
    prices = read_prices()

    groups = [group for group in prices.values() if isinstance(group, dict)]
    assert all(re.match(r"https://aws\.amazon\.com/\S+/pricing/$", one["source"]) for one in groups)
    assert re.fullmatch(r"20\d\d-\d\d", prices["date"])


def test_nothing_of_the_estimate_is_a_nat_gateway_or_an_endpoint() -> None:
    names = " ".join(part.name for one in both_shapes(ARM) for part in one.parts)

    assert not re.search("nat|endpoint", names, re.IGNORECASE)
    assert names.count("secret") == 0
    assert names.count("master password") == 2
