"""The function ``capture``: ask the source for a slot and keep its answers in the bucket.

It needs the internet, the bucket and the key, and no database. A failure of the source is an
outcome like others and kept in the bucket; a bucket that cannot be used is raised, so that Lambda
tries again.
"""

from __future__ import annotations

import time

from coinlog.aws import asking
from coinlog.aws.buckets import bucket_of
from coinlog.aws.events import event_slot
from coinlog.aws.lending import Context, Lent, report
from coinlog.aws.setting_up import ready_settings
from coinlog.settings.stored_secrets import with_key


def handler(event: object, context: Context) -> dict[str, object]:
    """Capture the slot that an event is for, and say what became of it.

    Raises:
        EventError: the event cannot be used.
        SettingError: the key's plan cannot pay for the schedule, and nothing was asked.
        ArchiveError: the bucket cannot be used.
        BusyError: another capture of the slot has not ended within our time.
    """
    lent, settings = Lent(context), with_key(ready_settings())
    slot = event_slot(event, settings.interval_seconds, time.time())
    captured = asking.capture(bucket_of(settings), settings, slot, lent)
    return report("capture", **asking.facts(captured))
