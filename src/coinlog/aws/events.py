"""What woke a function: a schedule, a rule, an object in the bucket or a person at the console.

An event says which moment is meant, by the schedule's own time and never by our clock, and which
objects are new. Whatever else comes is refused with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from coinlog.errors import EventError, UsageError
from coinlog.slots import floor_slot, parse_time

EARLY_SECONDS = 120
"""How far a schedule may be ahead of our clock: clocks are set by less."""

_CONSOLE = re.compile(r"key[0-9]{1,2}")
_EXPECTED = (
    'expected {} or the console\'s template for now, {"scheduled_time": '
    '"<aws.scheduler.scheduled-time>"} from a schedule, an event of a rule with its "time", or one '
    "of S3"
)


def scheduled_time(event: object) -> int | None:
    """Return the moment that an event is for (seconds UTC); ``None`` means now.

    Raises:
        EventError: it is none of the events that are known.
    """
    event = _known(event)
    for name in ("scheduled_time", "time"):
        if name in event:
            return _moment(name, event[name])
    return None


def event_slot(event: object, interval_seconds: int, now: float) -> int:
    """Return the slot that an event is for: its moment, floored to the interval.

    Raises:
        EventError: it is none of the events that are known, or one of a time to come.
    """
    moment = scheduled_time(event)
    if moment is None and object_keys(event):
        raise EventError(f"an event of S3 tells no slot: {_EXPECTED}")
    if moment is None:
        return floor_slot(now, interval_seconds)
    slot = floor_slot(moment, interval_seconds)
    if slot > now + EARLY_SECONDS:
        raise EventError(
            f"an event of {slot - now:.0f} s from now cannot be used: expected one that is due; "
            "compare this machine's clock with the schedule"
        )
    return slot


def object_keys(event: object) -> list[str]:
    """Return the keys of the objects that an event tells of, as they are called in the bucket.

    Raises:
        EventError: it is none of the events that are known.
    """
    return [key for key in _keys(_known(event)) if key]


def _known(event: object) -> Mapping[str, Any]:
    if not isinstance(event, Mapping):
        raise EventError(f"an event that is {_kind(event)} cannot be used: {_EXPECTED}")
    of_s3 = event.get("Service") == "Amazon S3" or isinstance(event.get("Records"), list)
    if of_s3 or {"scheduled_time", "time"} & event.keys():
        return event
    strange = [str(name)[:40] for name in event if not _CONSOLE.fullmatch(str(name))]
    if strange:
        raise EventError(f"an event with {strange[0]!r} cannot be used: {_EXPECTED}")
    return event


def _keys(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield keys from a notification of a bucket, from its event on a bus, or from a queue."""
    for record in event.get("Records", ()):
        if isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs":
            yield from object_keys(_waited(record))
            continue
        try:
            yield unquote_plus(record["s3"]["object"]["key"])
        except (TypeError, KeyError, AttributeError):
            raise EventError(f"a record that is not of S3 cannot be used: {_EXPECTED}") from None
    detail = event.get("detail")
    if isinstance(detail, Mapping) and isinstance(detail.get("object"), Mapping):
        yield str(detail["object"].get("key", ""))


def _waited(record: Mapping[str, Any]) -> object:
    """Return the event that waited in a queue."""
    try:
        return msgspec.json.decode(record["body"])
    except (TypeError, KeyError, ValueError, RecursionError):
        raise EventError(f"a message that is no event cannot be used: {_EXPECTED}") from None


def _moment(name: str, value: object) -> int:
    if isinstance(value, str) and "<" in value:
        raise EventError(
            f"the event's {name} is {value[:60]!r}: expected a time; the schedule replaces "
            "<aws.scheduler.scheduled-time>, written exactly so"
        )
    try:
        return parse_time(value if isinstance(value, str) else _kind(value))
    except UsageError as error:
        raise EventError(f"the event's {name} cannot be used: {error}") from None


def _kind(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"
