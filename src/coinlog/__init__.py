"""coinlog: a logbook of the crypto market that you own.

``import coinlog`` gives the record to notebooks and scripts as pandas data frames::

    log = coinlog.open()
    frame = log.series("bitcoin", "1y")

This module stays light, because everything imports it: what ``open`` needs is loaded by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinlog.library import Logbook

__version__ = "0.1.0"


def open(url: str | None = None, *, simulated: bool = False) -> Logbook:  # noqa: A001  coinlog.open() reads well
    """Open the record for reading: the settings' own store, or the one at ``url``.

    ``url`` is written like COINLOG_DATABASE_URL, for example ``sqlite:///data/coinlog.db``.
    ``simulated`` opens the made-up market's store, as ``--simulated`` does.

    Raises:
        coinlog.errors.UsageError: a setting or the address cannot be used.
        coinlog.errors.StoreError: the database is not there, is away, or has no tables.
    """
    from coinlog.library import open_logbook  # noqa: PLC0415

    return open_logbook(url, simulated=simulated)
