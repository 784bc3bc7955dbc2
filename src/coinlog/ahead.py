"""Reading attempts ahead: the next batch is read and judged while the one before is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from coinlog.errors import ArchiveError

BATCH_WEIGHT = 50_000
"""About how many quotes are held at once; a batch of them takes some 30 MB."""

Item = TypeVar("Item")
Key = TypeVar("Key")


def batches_ahead(
    keys: Iterable[Key], read: Callable[[Key], Item], weigh: Callable[[Item], int]
) -> Iterator[list[Item]]:
    """Yield what ``read`` makes of each key, in order, in batches of about ``BATCH_WEIGHT``.

    Raises:
        ArchiveError: a key cannot be read; all before it have been yielded by then.
    """
    batches = _batches(keys, read, weigh)
    with ThreadPoolExecutor(1, "coinlog-ahead") as pool:
        coming = pool.submit(next, batches, None)
        while batch := coming.result():
            coming = pool.submit(next, batches, None)
            yield batch


def _batches(
    keys: Iterable[Key], read: Callable[[Key], Item], weigh: Callable[[Item], int]
) -> Iterator[list[Item]]:
    batch: list[Item] = []
    weight = 0
    for key in keys:
        try:
            item = read(key)
        except ArchiveError:
            if batch:
                yield batch
            raise
        batch.append(item)
        weight += weigh(item)
        if weight >= BATCH_WEIGHT:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch
