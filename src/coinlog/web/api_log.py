"""One slot of the ledger as JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from coinlog.attempts import AttemptKey
from coinlog.market import Outcome
from coinlog.store.ledger import read_missing
from coinlog.store.one_slot import read_attempts, slot_after, slot_before
from coinlog.web import answers
from coinlog.web.api import TheWatch, envelope, slot_answer
from coinlog.web.slot_names import known_slot, parse_slot_name

SlotName = Annotated[
    str,
    PathParameter(
        description="The slot: 20260126T180000Z as in the archive, ISO 8601 or epoch seconds.",
        examples=[Example(value="20260126T180000Z")],
    ),
]


@get("/log/{slot:str}", sync_to_thread=True)
def one_slot(watch: TheWatch, slot: SlotName) -> answers.OneSlotAnswer:
    """Tell what became of one slot, with all its attempts and where the raw answer lies."""
    number = parse_slot_name(slot)
    with watch.moment() as moment:
        row = known_slot(watch, moment, number)
        reader, head, now = watch.reader, moment.head, moment.now
        missing = read_missing(reader, [number]) if row.outcome is Outcome.PARTIAL else []
        attempts = read_attempts(reader, number)
        before, after = (find(reader, head, now, number) for find in (slot_before, slot_after))
    return answers.OneSlotAnswer(
        **envelope(moment),
        **msgspec.structs.asdict(slot_answer(row, missing)),
        folder=AttemptKey(number, row.attempt).folder if row.attempt else None,
        settled=[answers.AttemptAnswer(*msgspec.structs.astuple(one)) for one in attempts],
        before=before,
        after=after,
    )
