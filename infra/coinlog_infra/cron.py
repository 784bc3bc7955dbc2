"""The slots as an expression of EventBridge Scheduler."""

from __future__ import annotations

from coinlog.errors import UsageError
from coinlog.slots import DAY, HOUR, MINUTE


def slots_cron(interval_seconds: int) -> str:
    """Return the expression that fires at every slot, in UTC.

    ``rate`` would count from the moment of deployment and miss the slots.

    Raises:
        UsageError: it is no interval of whole minutes that divides an hour or hours that divide a
            day.
    """
    if interval_seconds == DAY:
        return "cron(0 0 * * ? *)"
    for unit, whole, form in (
        (MINUTE, HOUR, "cron(0/{} * * * ? *)"),
        (HOUR, DAY, "cron(0 0/{} * * ? *)"),
    ):
        if (
            0 < interval_seconds < whole
            and interval_seconds % unit == whole % interval_seconds == 0
        ):
            return form.format(interval_seconds // unit)
    raise UsageError(
        f"an interval of {interval_seconds} s has no schedule: expected minutes that divide an "
        "hour or hours that divide a day"
    )
