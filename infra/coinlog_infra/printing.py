"""The estimate as a table: both shapes side by side, and where its prices are from."""

from __future__ import annotations

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from coinlog_infra.estimate import (
    CHEAP,
    PATH,
    Estimate,
    both_shapes,
    database_gb_a_year,
    most,
)
from coinlog_infra.options import Options
from coinlog_infra.say import note, out, say


def print_estimate(options: Options) -> None:
    """Print what each part costs a month, in the shape that is chosen and in the other."""
    page, edition = both_shapes(options)
    out.print(_table(page, edition, options.shape))
    say(
        f"  [dim]US dollars without taxes, by AWS's prices in {page.region} of {page.date}\n"
        f"  ({PATH}), for few readers. {escape(page.elsewhere)}\n"
        "  There is no NAT gateway and no interface endpoint to pay for.[/]"
    )
    if options.shape == "page" and options.max_tasks > options.min_tasks:
        say(
            f"  Under load up to {options.max_tasks} copies of the page run: "
            f"{most(options):.2f} at most,\n  if they did all month. "
            f"MAX_TASKS={options.min_tasks} keeps it from that."
        )
    _note_what_is_large(options, page, edition)


def _note_what_is_large(options: Options, page: Estimate, edition: Estimate) -> None:
    year = database_gb_a_year(options)
    if year > options.database_storage_gb:
        note(
            f"a year of this takes about {year:.0f} GB in the database, which begins with "
            f"{options.database_storage_gb} GB and grows by itself, at its price; a "
            f"{options.database_class} may be too small for it, and the times of functions and "
            "tasks above are those of 200 assets: DATABASE_GB and DATABASE_CLASS say more"
        )
    if edition.dollars > page.dollars * CHEAP:
        note(
            "so often, and for so many assets, an edition is not the cheap shape: each slot writes "
            "a file for every asset"
        )


def _table(page: Estimate, edition: Estimate, chosen: str) -> Table:
    table = Table(box=None, padding=(0, 2), show_footer=True, pad_edge=True)
    table.add_column("a month", footer="together")
    table.add_column("", style="dim")
    for one in (page, edition):
        style, mark = ("bold", "▸ ") if one.shape == chosen else ("dim", "")
        heading = f"{mark}SHAPE={one.shape}"
        table.add_column(
            heading, f"{one.dollars:.2f}", justify="right", style=style, footer_style=style
        )
    for row in _rows(page, edition):
        table.add_row(*row)
    return table


def _rows(page: Estimate, edition: Estimate) -> Iterator[tuple[str, str, str, str]]:
    """Yield what both have, and what one of them has, in the order of the bill."""
    costs = [{part.name: part.dollars for part in one.parts} for one in (page, edition)]
    amounts = {part.name: part.amount for one in (edition, page) for part in one.parts}
    for name in dict.fromkeys(part.name for one in (page, edition) for part in one.parts):
        left, right = (f"{cost[name]:.2f}" if name in cost else "-" for cost in costs)
        yield name, amounts[name], left, right
