"""The function ``load``: settle what the bucket holds and the database does not.

It needs the bucket and the database, and no internet. An event only means "look": new objects, a
schedule and a person at the console all lead to the same sweep. A database that is away is
raised, so that Lambda tries again; all that was missed is settled by a later look.
"""

from __future__ import annotations

from functools import partial

from coinlog.archive import Archive
from coinlog.aws.buckets import bucket_of
from coinlog.aws.events import object_keys, scheduled_time
from coinlog.aws.lending import Context, Lent, report
from coinlog.aws.rules import leave_that_database_is_away
from coinlog.aws.setting_up import ready_settings
from coinlog.aws.settling import first_slot, settle_archive
from coinlog.errors import StoreUnavailableError
from coinlog.settings import Settings
from coinlog.store.engine import open_engine
from coinlog.store.patience import Patience


def handler(event: object, context: Context) -> dict[str, object]:
    """Settle the archive, mark what is new, leave alerts, and say how much it was.

    Raises:
        EventError: the event cannot be used.
        StoreError: the database cannot be used, or refuses this kind of data.
        ArchiveError: the bucket cannot be used.
    """
    lent, settings = Lent(context), ready_settings()
    keys, moment = object_keys(event), scheduled_time(event)
    return report("load", **load(bucket_of(settings), settings, keys, moment, lent))


def load(
    archive: Archive, settings: Settings, keys: list[str], moment: int | None, lent: Lent
) -> dict[str, object]:
    """Settle the archive from where an event says on."""
    engine = open_engine(settings.database_url)
    try:
        look = partial(first_slot, engine, keys, moment)
        since_slot = Patience(lent.left()).keep_trying(look)
        return settle_archive(engine, archive, settings, since_slot, lent)
    except StoreUnavailableError as error:
        leave_that_database_is_away(archive, str(error))
        raise
    finally:
        # What is kept open would be cut off while the function is frozen.
        engine.dispose()
