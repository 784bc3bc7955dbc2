"""Reading attempts ahead: the next ones are read and judged while those before are stored.

Judging takes about as long as storing, and both keep the interpreter busy. So where there is much
to read, a second process does the reading; where there is little, a thread is there at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from coinlog.errors import ArchiveError

BATCH_WEIGHT = 50_000
"""About how many quotes are held at once; a batch of them takes some 30 MB."""

MANY = 100
"""From how many attempts on a second process, which takes a second to start, is worth it."""

_MOST_AHEAD = 200
_FIRST_AHEAD = 4

Item = TypeVar("Item")
Key = TypeVar("Key")


def batches_ahead(
    keys: Iterable[Key], read: Callable[[Key], Item], weigh: Callable[[Item], int], *, apart: bool
) -> Iterator[list[Item]]:
    """Yield what ``read`` makes of each key, in order, in batches of about ``BATCH_WEIGHT``.

    ``apart`` reads in a second process, so ``read``, keys and items must be such as can be sent.

    Raises:
        ArchiveError: a key cannot be read; all before it have been yielded by then.
    """
    batch: list[Item] = []
    weight = 0
    with _reader(apart=apart) as pool:
        coming = _items_ahead(pool, keys, read, weigh)
        while True:
            try:
                item = next(coming, None)
            except ArchiveError:
                if batch:
                    yield batch
                raise
            if item is not None:
                batch.append(item)
                weight += weigh(item)
            if batch and (item is None or weight >= BATCH_WEIGHT):
                yield batch
                batch, weight = [], 0
            if item is None:
                return


def _items_ahead(
    pool: Executor, keys: Iterable[Key], read: Callable[[Key], Item], weigh: Callable[[Item], int]
) -> Iterator[Item]:
    """Yield items in order, with as many under way as weigh about a batch."""
    rest = iter(keys)
    ahead: deque[Future[Item]] = deque()
    most = _FIRST_AHEAD
    try:
        while True:
            # After a heavy item, more may be under way than there should be.
            room = max(0, most - len(ahead))
            ahead.extend(pool.submit(read, key) for key in islice(rest, room))
            if not ahead:
                return
            item = ahead.popleft().result()
            most = max(_FIRST_AHEAD, min(_MOST_AHEAD, BATCH_WEIGHT // max(1, weigh(item))))
            yield item
    except BrokenProcessPool as error:
        raise ArchiveError(
            "the process that reads the archive ahead has ended (is there memory left?): run the "
            "same again"
        ) from error
    finally:
        for future in ahead:
            future.cancel()


def _reader(*, apart: bool) -> Executor:
    if not apart:
        return ThreadPoolExecutor(1, "coinlog-ahead")
    # Never forked: the parent's threads and connections would be there half.
    start_fresh = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, start_fresh, live_with_the_parent)


def live_with_the_parent() -> None:
    """Leave Ctrl-C to the parent, which ends this process; and end where the parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
