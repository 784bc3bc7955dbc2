"""Reading ahead: in order, in batches, whatever the items weigh."""

from __future__ import annotations

from coinlog.ahead import BATCH_WEIGHT, batches_ahead


def test_a_heavy_item_after_many_light_ones_stops_nothing() -> None:
    def weigh(item: int) -> int:
        return BATCH_WEIGHT // 2 if item == 300 else 1

    batches = list(batches_ahead(range(600), lambda key: key, weigh, apart=False))

    assert [item for batch in batches for item in batch] == list(range(600))
