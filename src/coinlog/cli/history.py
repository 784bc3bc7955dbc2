"""The past at the start of ``coinlog up``: offered, fetched in the background, or left alone."""

from __future__ import annotations

import sys
import time
from threading import Thread

from rich.markup import escape

from coinlog.cli.backfill import (
    Offer,
    agreed,
    asked_stretch,
    fetch,
    make_offer,
    refuse_beyond,
    say_offer,
    say_tally,
)
from coinlog.cli.report import err, say
from coinlog.errors import CoinlogError
from coinlog.parts import Parts
from coinlog.slots import DAY
from coinlog.store.backfilled import settled_backfills
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader

HINT = (
    "`coinlog backfill` fetches the last year with your key; COINLOG_BACKFILL=1y does so by itself"
)
YOUNG_SECONDS = 2 * DAY


def offer_history(parts: Parts, choice: str) -> None:
    """Offer the past at the start of ``coinlog up``, or fetch it where that was chosen.

    ``choice`` is one of ``RANGES``, ``ask`` or ``none``. It is asked only where nothing was
    backfilled and recording is young. The answers come in the background: the next slot must not
    wait for them. Whatever goes wrong is told, and recording goes on.
    """
    try:
        if choice == "none" or (choice == "ask" and not _is_young(parts)):
            return
        if choice == "ask" and not sys.stdin.isatty():
            say(f"  history  {escape(HINT)}")
            return
        offer = make_offer(parts, asked_stretch("1y" if choice == "ask" else choice))
        if not offer.requests:
            return
        say_offer(offer)
        refuse_beyond(offer)
        if choice != "ask" or agreed():
            Thread(target=_in_background, args=(parts, offer), daemon=True).start()
    except CoinlogError as error:
        say(f"  history  [yellow]not backfilled:[/] {escape(str(error))}")


def _is_young(parts: Parts) -> bool:
    head = read_head(Reader(parts.engine))
    young = head.first_slot is not None and head.first_slot > time.time() - YOUNG_SECONDS
    return young and not settled_backfills(parts.engine)


def _in_background(parts: Parts, offer: Offer) -> None:
    tally, stopped = fetch(parts, offer, quietly=True)
    say_tally(tally)
    if stopped:
        err.print(f"  history  [yellow]{escape(stopped)}[/]; `coinlog backfill` goes on from there")
