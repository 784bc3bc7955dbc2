"""What a template must keep to: each part reaches what it needs.

A function in subnets without a way out deploys without complaint and then times out at every
slot. What a part needs is read from what it is told: its handler and the names of its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coinlog_infra.template import Map, Place

ASKERS = ("coinlog.aws.capture.handler", "coinlog.aws.record.handler")
"""The handlers that ask the source."""


@dataclass(frozen=True)
class Need:
    """Something that a part needs a way to: who needs it, how it is reached, what to do if not."""

    what: str
    needed: Callable[[Place], bool]
    reached: Callable[[Map, Place], bool]
    remedy: str


def told(name: str) -> Callable[[Place], bool]:
    """Return whether a place is told of something by a setting."""
    return lambda place: name in place.environment


_LET_OUT = "take it out of the VPC, or give its subnets a NAT gateway"

NEEDS = (
    Need(
        "its source on the internet",
        lambda place: place.handler in ASKERS,
        Map.way_out,
        _LET_OUT,
    ),
    Need(
        "the parameter with its key",
        told("COINLOG_API_KEY_PARAMETER"),
        Map.way_out,
        _LET_OUT,
    ),
    Need(
        "the topic it publishes to",
        told("COINLOG_ALERT_TOPIC"),
        Map.way_out,
        _LET_OUT,
    ),
    Need(
        "its bucket",
        told("COINLOG_ARCHIVE"),
        Map.way_to_bucket,
        "give the route tables of its subnets a gateway endpoint to S3",
    ),
    Need(
        "its database",
        told("DB_HOST"),
        Map.way_to_database,
        "run it in the database's VPC and let Database.admit take its security group",
    ),
)


@dataclass(frozen=True)
class Finding:
    """A part that cannot reach what it needs."""

    logical_id: str
    sentence: str


def findings(template: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what no part of a template could do its work with, one sentence each."""
    known = Map(template)
    for place in known.places():
        for need in NEEDS:
            if need.needed(place) and not need.reached(known, place):
                yield Finding(place.logical_id, _sentence(place, need))
        # Without an image nothing starts, and without a way out no image is fetched.
        if not place.handler and not known.way_out(place):
            yield Finding(place.logical_id, _sentence(place, _IMAGE))


_IMAGE = Need(
    "its image",
    lambda place: not place.handler,
    Map.way_out,
    "run it in the public subnets with a public address",
)


def _sentence(place: Place, need: Need) -> str:
    where = "outside the VPC" if place.outside else f"in {', '.join(place.subnets)}"
    return f"{place.called} runs {where} and has no way to {need.what}: {need.remedy}"
