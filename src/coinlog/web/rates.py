"""What the display currencies were worth at a slot, so that its numbers can be shown in them.

Every slot records the rates of its own moment: fiat currencies are assets of the source, and
Bitcoin and Ethereum are currencies too. A rate that was not recorded at a slot is not there; the
rate of a neighbouring slot never takes its place.
"""

from __future__ import annotations

from collections.abc import Collection

from coinlog.chunks.market import CURRENCIES
from coinlog.market import USD
from coinlog.web.watch import Moment, Watch

Rates = dict[int, dict[str, float]]
"""By slot and currency: the price of one unit in USD."""

_CODES = {asset_id: code for code, asset_id in CURRENCIES.items() if asset_id != USD}


def rates_at(watch: Watch, moment: Moment, slots: Collection[int]) -> Rates:
    """Return the rates recorded at some slots, in one query; a slot without any is not there.

    Raises:
        StoreError: the store cannot be read.
    """
    asked = frozenset(slots)
    # Most pages of a moment show the amounts of the same slot.
    return watch.once(moment, ("rates", asked), lambda: _read(watch, asked))


def _read(watch: Watch, slots: Collection[int]) -> Rates:
    found: Rates = {}
    if slots:
        for asset_id, points in watch.reader.prices_at([*_CODES], [*slots]).items():
            for slot, price in points:
                # Nothing can be written in a currency that is worth nothing.
                if price > 0:
                    found.setdefault(slot, {})[_CODES[asset_id]] = price
    return found
