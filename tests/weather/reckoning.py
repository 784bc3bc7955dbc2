"""The reckoning: what stands in the store and the archive, against what is true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from coinlog.slots import iso
from weather.account import Account
from weather.damage import unnamed
from weather.judging import Wrong, judge
from weather.looking import Found, look
from weather.source import Asked
from weather.world import World


def reckon(world: World, account: Account, *, over: bool = True) -> None:
    """Look at all that a world holds, settle what is left, and write it into an account.

    Only where the storm is ``over`` has all been settled: until then the next slot may do it.
    """
    for one in world.worlds():
        found = one.do(look, one.direct_url, one.archive, max(one.book, default=0))
        requests = one.source.asked()
        asked = _by_slot(requests)
        found.bill = {each.sha256: each.credits for each in requests if each.sha256}
        for slot, entry in sorted(one.book.items()):
            account.line(entry.fault).count(found.fates.get(slot))
            damaged, there = slot in one.damaged, asked.get(slot, [])
            if damaged and one.damaged[slot].misleads:
                # What its manifest says now was never true, and nobody can know it.
                continue
            for kind, words in judge(slot, entry.truth, found, there, damaged=damaged):
                account.charge(entry.fault, kind, f"slot {iso(slot)}: {words}")
        for slot, attempt in sorted(found.unsettled if over else ()):
            fault = one.book[slot].fault if slot in one.book else "at the end"
            words = f"attempt {attempt} was left unsettled in the archive"
            account.charge(fault, "lost", f"slot {iso(slot)}: {words}")
        for kind, words in _strays(found, one):
            account.charge("at the end", kind, words)
        for fault, words in one.complaints:
            account.charge(fault, "untrue", words)


def _by_slot(asked: Sequence[Asked]) -> dict[int, list[Asked]]:
    found: defaultdict[int, list[Asked]] = defaultdict(list)
    for one in asked:
        found[one.slot].append(one)
    return found


def _strays(found: Found, world: World) -> Iterator[Wrong]:
    """Yield what is wrong at no slot of the book, or with the whole."""
    for slot in sorted((found.quotes.keys() | found.ledger.keys()) - world.book.keys()):
        yield "untrue", f"slot {iso(slot)} is in the store and was never to be recorded"
    for slot in sorted(found.quotes.keys() - found.ledger.keys()):
        yield "torn", f"slot {iso(slot)} has quotes and no row in the ledger"
    yield from unnamed(found.differences, world.damaged)
