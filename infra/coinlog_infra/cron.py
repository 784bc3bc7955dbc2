"""The slots as an expression of EventBridge Scheduler."""

from __future__ import annotations

from coinlog.errors import UsageError
from coinlog.slots import DAY, HOUR, MINUTE

MOST_MINUTES = 10
"""How long after a slot the source is asked once more, where it failed: a slot is not over then."""


def again_minutes(interval_seconds: int) -> int:
    """Return how many minutes after a slot to ask again; 0 where slots are too near each other."""
    return min(MOST_MINUTES, interval_seconds // MINUTE // 3)


def slots_cron(interval_seconds: int, after_minutes: int = 0) -> str:
    """Return the expression that fires at every slot or some minutes after it, in UTC.

    ``rate`` would count from the moment of deployment and miss the slots.

    Raises:
        UsageError: it is no interval of whole minutes that divides an hour or hours that divide a
            day.
    """
    if interval_seconds == DAY:
        return f"cron({after_minutes} 0 * * ? *)"
    for unit, whole, form in (
        (MINUTE, HOUR, "cron({after}/{every} * * * ? *)"),
        (HOUR, DAY, "cron({after} 0/{every} * * ? *)"),
    ):
        if (
            0 < interval_seconds < whole
            and interval_seconds % unit == whole % interval_seconds == 0
        ):
            return form.format(after=after_minutes, every=interval_seconds // unit)
    raise UsageError(
        f"an interval of {interval_seconds} s has no schedule: expected minutes that divide an "
        "hour or hours that divide a day"
    )
