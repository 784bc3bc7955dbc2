"""What a deployment may be told, each value checked, with a sentence where it cannot be used."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from coinlog.errors import UsageError
from coinlog.settings import parsers
from coinlog.slots import HOUR, format_interval, parse_interval
from coinlog_infra.option import (
    Option,
    matching,
    one_of,
    parse_flag,
    parse_name,
    parse_networks,
    write_networks,
)

MOST_TASKS = 20

_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@(?=.{4,253}$)(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_CLASS = re.compile(r"db\.[a-z0-9]{2,6}\.(?:[0-9]{0,2}x?large|micro|small|medium)")
_REGION = re.compile(r"[a-z]{2,3}(?:-[a-z]+){1,2}-[0-9]")


Engine = Literal["mysql", "mariadb"]
Shape = Literal["page", "edition"]
Architecture = Literal["arm64", "x86_64"]


def builders_architecture() -> Architecture:
    """Return the architecture of this machine, as Lambda and Fargate call it."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is deployed. ``admitted`` are the networks that may look while it is not ``public``.

    ``domain`` is served with a certificate, its record in the ``hosted_zone`` of Route 53.
    ``email`` hears of alarms. An ``edition`` is the cheap shape: files instead of a running page.
    """

    name: str = "coinlog"
    region: str | None = None
    interval_seconds: int = 6 * HOUR
    assets: str = "top:200"
    engine: Engine = "mysql"
    shape: Shape = "page"
    architecture: Architecture = field(default_factory=builders_architecture)
    domain: str | None = None
    hosted_zone: str | None = None
    public: bool = False
    admitted: tuple[str, ...] = ()
    email: str | None = None
    database_class: str = "db.t4g.micro"
    database_storage_gb: int = 20
    min_tasks: int = 1
    max_tasks: int = 4

    @property
    def api_key_parameter(self) -> str:
        """The name of the SSM parameter that holds the API key."""
        return f"/{self.name}/api-key"

    @property
    def alert_urls_parameter(self) -> str:
        """The name of the SSM parameter that holds the addresses alerts go to beside the topic."""
        return f"/{self.name}/alert-urls"


OPTIONS: tuple[Option, ...] = (
    Option(
        field="name",
        key="name",
        variable="NAME",
        parse=parse_name,
        expected="2 to 24 lower-case letters, digits and single hyphens, a letter first",
        example="coinlog",
        help="What everything in the account is called. A second name is a second coinlog, "
        "with a file like this of its own.",
    ),
    Option(
        field="region",
        key="region",
        variable="REGION",
        parse=matching(_REGION),
        expected="an AWS region",
        example="us-east-1",
        help="Where it runs.",
    ),
    Option(
        field="interval_seconds",
        key="interval",
        variable="INTERVAL",
        parse=parse_interval,
        write=lambda value: format_interval(int(str(value))),
        expected="minutes that divide an hour or hours that divide a day",
        example="6h",
        help="Time between slots.",
        setting="COINLOG_INTERVAL",
    ),
    Option(
        field="assets",
        key="assets",
        variable="ASSETS",
        parse=parsers.assets,
        expected="top:N, id:N,N or both",
        example="top:200",
        help="The assets to record.",
        setting="COINLOG_ASSETS",
    ),
    Option(
        field="shape",
        key="shape",
        variable="SHAPE",
        parse=one_of("page", "edition"),
        expected="page or edition",
        example="edition",
        help="page: a running page behind a balancer. edition: files, renewed after each slot, "
        "for less than a third of the money.",
    ),
    Option(
        field="public",
        key="public",
        variable="PUBLIC",
        parse=parse_flag,
        write=lambda value: "yes" if value else "no",
        expected="yes or no",
        example="no",
        help="Whether everybody may look. Until then only the admitted networks.",
    ),
    Option(
        field="admitted",
        key="admit",
        variable="ADMIT",
        parse=parse_networks,
        write=write_networks,
        expected="addresses or networks, with commas between",
        example="203.0.113.7/32",
        help="Who may look while it is not public.",
    ),
    Option(
        field="domain",
        key="domain",
        variable="DOMAIN",
        parse=matching(_DOMAIN, lower=True),
        expected="a domain name",
        example="coins.example.org",
        help="The page's own name, with a certificate. Its zone must be in Route 53.",
    ),
    Option(
        field="hosted_zone",
        key="zone",
        variable="ZONE",
        parse=matching(_DOMAIN, lower=True),
        expected="the name of a hosted zone in Route 53",
        example="example.org",
        help="The zone that the domain is in; found from the domain where it is not given.",
    ),
    Option(
        field="email",
        key="email",
        variable="EMAIL",
        parse=matching(_EMAIL),
        expected="a mail address",
        example="you@example.org",
        help="Who hears of alarms.",
    ),
    Option(
        field="engine",
        key="engine",
        variable="ENGINE",
        parse=one_of("mysql", "mariadb"),
        expected="mysql or mariadb",
        example="mysql",
        help="The database. It cannot be changed later: a change makes another one.",
    ),
    Option(
        field="database_class",
        key="database_class",
        variable="DATABASE_CLASS",
        parse=matching(_CLASS),
        expected="an instance class of RDS",
        example="db.t4g.micro",
        help="The database's size.",
    ),
    Option(
        field="database_storage_gb",
        key="database_gb",
        variable="DATABASE_GB",
        parse=parsers.whole(20, 65_536),
        expected="a whole number of gigabytes from 20 to 65536",
        example="20",
        help="The database's disk, which grows by itself. It can be made larger, never smaller.",
    ),
    Option(
        field="min_tasks",
        key="min_tasks",
        variable="MIN_TASKS",
        parse=parsers.whole(1, MOST_TASKS),
        expected=f"a whole number from 1 to {MOST_TASKS}",
        example="1",
        help="Copies of the page that always run.",
    ),
    Option(
        field="max_tasks",
        key="max_tasks",
        variable="MAX_TASKS",
        parse=parsers.whole(1, MOST_TASKS),
        expected=f"a whole number from 1 to {MOST_TASKS}",
        example="4",
        help="Copies of the page that run under load at most.",
    ),
    Option(
        field="architecture",
        key="architecture",
        variable="ARCHITECTURE",
        parse=one_of("arm64", "x86_64"),
        expected="arm64 or x86_64",
        example="arm64",
        help="Of the tasks; the building machine's own unless told. Functions are arm64.",
        remembered=False,
    ),
)


@dataclass(frozen=True)
class Given:
    """A value as it was given, under which name and where."""

    text: str
    called: str


def build_options(given: Mapping[str, Given]) -> Options:
    """Return the options from what was given for their fields.

    Raises:
        UsageError: a value, or two together, cannot be used.
    """
    values = {
        option.field: _read(option, given[option.field])
        for option in OPTIONS
        if option.field in given
    }
    # Each value is of its field's type: a test holds every parser against it.
    options = replace(Options(), **cast("dict[str, Any]", values))
    _check_together(options)
    return options


def _read(option: Option, given: Given) -> object:
    try:
        return option.parse(given.text.strip())
    except (UsageError, ValueError) as error:
        # Only what a parser of ours says is for people; Python's own words are not.
        ours = isinstance(error, ValueError) and str(error).startswith("it is ")
        why = f", and {error}" if ours else ""
        raise UsageError(
            f"{given.called} is {given.text[:60]!r}{why}: expected {option.expected}, "
            f"for example {option.variable}={option.example}"
        ) from None


def _check_together(options: Options) -> None:
    if options.min_tasks > options.max_tasks:
        raise UsageError(
            f"MIN_TASKS is {options.min_tasks} and MAX_TASKS {options.max_tasks}: expected the "
            "least not to be more than the most"
        )
    zone, domain = options.hosted_zone, options.domain
    if zone and not domain:
        raise UsageError(
            f"ZONE is {zone} without a DOMAIN: give the page's name in that zone, "
            f"for example DOMAIN=coins.{zone}"
        )
    if zone and domain and not f".{domain}".endswith(f".{zone}"):
        raise UsageError(
            f"DOMAIN is {domain}, which is not in the zone {zone}: "
            f"expected a name such as coins.{zone}"
        )
