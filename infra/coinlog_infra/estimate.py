"""What a deployment costs a month, part by part, from ``prices.toml``: told before it is made."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coinlog.errors import UsageError
from coinlog.slots import HOUR, parse_assets
from coinlog_infra import sizes
from coinlog_infra.cron import again_minutes
from coinlog_infra.options import Options

HOURS = 730
"""In a month, as AWS counts them."""

THOUSAND, MILLION, GIGABYTE = 1e3, 1e6, 1e9
CHEAP = 0.5
"""An edition costs at most this part of a page."""

FILE = Path(__file__).with_name("prices.toml")
PATH = f"infra/coinlog_infra/{FILE.name}"


@dataclass(frozen=True)
class Part:
    """A part of the bill: what it is, how much of it, and US dollars a month."""

    name: str
    amount: str
    dollars: float


@dataclass(frozen=True)
class Estimate:
    """The parts of a month's bill, and since when and where its prices hold."""

    shape: str
    parts: tuple[Part, ...]
    date: str
    region: str
    elsewhere: str

    @property
    def dollars(self) -> float:
        """US dollars a month, without taxes."""
        return sum(part.dollars for part in self.parts)


def read_prices(file: Path = FILE) -> dict[str, Any]:
    """Return the table of prices."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def estimate(options: Options, prices: dict[str, Any] | None = None) -> Estimate:
    """Return what a month costs, with one copy of the page and few readers.

    Raises:
        UsageError: the table has no price for the database's class.
    """
    table = read_prices() if prices is None else prices
    shape = _page(options, table) if options.shape == "page" else _edition(options, table)
    parts = (*_database(options, table), *shape, *_functions(options, table))
    further = (*_archive(options, table), *_watching(table))
    facts = (str(table[key]) for key in ("date", "region", "elsewhere"))
    return Estimate(options.shape, (*parts, *further), *facts)


def both_shapes(options: Options) -> tuple[Estimate, Estimate]:
    """Return what the page and what the edition would cost."""
    page, edition = (estimate(replace(options, shape=shape)) for shape in _SHAPES)
    return page, edition


_SHAPES: Iterable[Any] = ("page", "edition")


def most(options: Options, prices: dict[str, Any] | None = None) -> float:
    """Return US dollars a month with as many copies of the page as load can ask for, all month."""
    table = read_prices() if prices is None else prices
    copy = (_task_hour(options, table) + table["address"]["hour"]) * HOURS
    return float(estimate(options, table).dollars + (options.max_tasks - options.min_tasks) * copy)


def database_gb_a_year(options: Options) -> float:
    """Return the gigabytes that a year of slots takes in the database."""
    slots = 12 * slots_a_month(options)
    return slots * _assets(options) * sizes.DATABASE_BYTES_PER_ASSET / GIGABYTE


def slots_a_month(options: Options) -> float:
    """Return how many slots a month has."""
    return HOURS * HOUR / options.interval_seconds


def _assets(options: Options) -> int:
    selection = parse_assets(options.assets)
    return selection.top + len(selection.ids)


def _database(options: Options, table: dict[str, Any]) -> Iterator[Part]:
    prices = table["database"]
    hourly = prices["class_hour"].get(options.database_class)
    if hourly is None:
        raise UsageError(
            f"DATABASE_CLASS is {options.database_class}, for which {PATH} has no price: "
            f"expected one of {', '.join(prices['class_hour'])}; or add its price an hour there, "
            "with the date"
        )
    gigabytes = options.database_storage_gb
    yield Part("database", options.database_class, hourly * HOURS)
    yield Part("its disk", f"{gigabytes} GB", prices["storage_gb_month"] * gigabytes)
    yield Part("its master password", "1 secret", table["secret"]["secret_month"])


def _task_hour(options: Options, table: dict[str, Any]) -> float:
    """Return what an hour of a task costs, without its address."""
    prices = table["fargate"][options.architecture]
    cpu = prices["cpu_hour"] * sizes.TASK_CPU / 1024
    return float(cpu + prices["gb_hour"] * sizes.TASK_MEMORY_MB / 1024)


def _page(options: Options, table: dict[str, Any]) -> Iterator[Part]:
    balancer, count = table["balancer"], options.min_tasks
    size = f"{sizes.TASK_CPU / 1024:g} CPU {sizes.TASK_MEMORY_MB / 1024:g} GB"
    size = f"{size} {options.architecture}"
    amount = size if count == 1 else f"{count} times {size}"
    yield Part("page", amount, count * _task_hour(options, table) * HOURS)
    units = balancer["capacity_hour"] * sizes.PAGE_CAPACITY_UNITS
    yield Part("balancer", "few readers", (balancer["hour"] + units) * HOURS)
    if options.public:
        firewall = table["firewall"]
        rules = firewall["rule_month"] * sizes.FIREWALL_RULES
        yield Part("limit before it", "1 web ACL", firewall["acl_month"] + rules)
    addresses = count + sizes.BALANCER_ZONES
    yield Part("public addresses", f"{addresses}", table["address"]["hour"] * addresses * HOURS)


def _edition(options: Options, table: dict[str, Any]) -> Iterator[Part]:
    slots = slots_a_month(options)
    hours = slots * sizes.PUBLISH_SECONDS / HOUR
    files = slots * (_assets(options) + sizes.EDITION_FILES_BESIDES)
    hourly = _task_hour(options, table) + table["address"]["hour"]
    yield Part("edition's task", f"{hours:.1f} hours", hours * hourly)
    yield Part("edition's files", f"{files:,.0f} writes", _writes(files, table))
    yield Part("CloudFront", f"up to {table['edition']['gb_free']:,} GB", 0.0)


def _functions(options: Options, table: dict[str, Any]) -> Iterator[Part]:
    prices, slots = table["function"], slots_a_month(options)
    sweeps = sizes.SWEEPS_AN_HOUR * HOURS
    captures = 2 if again_minutes(options.interval_seconds) else 1
    # Alerts that could not be sent are looked for as often.
    calls = slots * (captures + 1) + 2 * sweeps
    capture = slots * sizes.CAPTURE_SECONDS * sizes.CAPTURE_MEMORY_MB
    load = (slots * sizes.LOAD_SECONDS + sweeps * sizes.SWEEP_SECONDS) * sizes.LOAD_MEMORY_MB
    send = sweeps * sizes.SEND_SECONDS * sizes.SEND_MEMORY_MB
    gigabyte_seconds = (capture + load + send) / 1024
    dollars = gigabyte_seconds * prices["arm64_gb_second"]
    dollars += calls * prices["million_requests"] / MILLION
    yield Part("functions", f"{calls:,.0f} calls", dollars)


def _archive(options: Options, table: dict[str, Any]) -> Iterator[Part]:
    slots = slots_a_month(options)
    year = 12 * slots * _assets(options) * sizes.ARCHIVE_BYTES_PER_ASSET / GIGABYTE
    kept = year * table["bucket"]["gb_month"]
    writes = _writes(slots * sizes.ANSWERS_PER_SLOT, table)
    yield Part("archive", f"{year:.2f} GB after a year", kept + writes)


def _writes(count: float, table: dict[str, Any]) -> float:
    return float(count * table["bucket"]["thousand_writes"] / THOUSAND)


def _watching(table: dict[str, Any]) -> Iterator[Part]:
    prices = table["watching"]
    alarms = sizes.ALARMS * prices["alarm_month"] + sizes.METRICS * prices["metric_month"]
    logs = sizes.LOGS_GB_MONTH * prices["logs_gb"]
    yield Part("alarms, logs", f"{sizes.ALARMS} alarms", alarms + logs + prices["dashboard_month"])
    yield Part("images", f"{sizes.IMAGE_GB} GB", sizes.IMAGE_GB * table["images"]["gb_month"])
