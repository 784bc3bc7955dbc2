"""Made-up histories of assets for tests, put into a store in one go."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS, Outcome, SourceKind
from coinlog.slots import Schedule
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from samples import SLOT, STEP, asset

Values = dict[str, Any]


def history(slots: Iterable[int], value: Callable[[int], Values], **more: Any) -> list[Values]:  # noqa: ANN401  columns of a quote
    """Return a row for each slot, oldest first."""
    usual = dict.fromkeys(QUOTE_FIELDS)
    usual |= {"price": 1.0, "origin": "observed", "resolution": STEP}
    return [{**usual, **more, "slot": slot, **value(slot)} for slot in sorted(slots)]


def put_history(
    url: sa.URL, rows: Mapping[int, Sequence[Values]], ledger: Mapping[int, str]
) -> None:
    """Fill an empty store: quotes by asset, and what became of each slot; ``stored`` or why not."""
    first = min(ledger)
    engine = open_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(schema.schedule.insert(), _schedule(first))
        connection.execute(schema.slot.insert(), [_outcome(*one) for one in sorted(ledger.items())])
        for asset_id, some in rows.items():
            if some:
                lines = [{"asset_id": asset_id, **row} for row in some]
                called = {**msgspec.structs.asdict(asset(asset_id)), "first_slot": some[0]["slot"]}
                connection.execute(schema.quote.insert(), lines)
                connection.execute(schema.latest.insert(), lines[-1])
                connection.execute(schema.asset.insert(), called)
    engine.dispose()


def _schedule(first: int) -> Values:
    return msgspec.structs.asdict(Schedule(first, STEP, "top:2", SourceKind.COINMARKETCAP))


def _outcome(slot: int, outcome: str) -> Values:
    stored = outcome == Outcome.STORED
    return {
        "slot": slot,
        "outcome": outcome if stored else Outcome.FAILED,
        "reason": None if stored else outcome,
        "observed_at": slot + 12 if stored else None,
        "captured_at": slot + 13,
        "stored_at": slot + 14,
        "attempt": "1",
        "attempts": 1,
        "sha256": "ab" * 32,
        **dict.fromkeys(("assets", "credits", "body_bytes", "duration_ms"), 1),
    }


def eventful(count: int) -> tuple[dict[int, list[Values]], dict[int, str]]:
    """Return assets to whom much happens: missed and failed slots, backfill, ties, no values.

    Asset 1 has a quote at nearly every stored slot, 2 comes and goes, 3 came late, 4 was
    backfilled by the day before and in the gaps, and 5 has one point alone.
    """
    chance = random.Random(3)  # noqa: S311  a market needs chance, not secrecy
    due = [SLOT - STEP * back for back in range(count)]
    ledger = {slot: "stored" for slot in due if chance.random() > 0.05 or slot == SLOT}
    ledger |= dict.fromkeys(chance.sample(due[1:], count // 20), "quota")
    ledger |= dict.fromkeys(due[count // 3 : count // 3 + 30], "stored")
    stored = sorted(slot for slot, outcome in ledger.items() if outcome == "stored")

    def value(_: int) -> Values:
        return {
            "price": chance.choice(
                [1.5, 2.5, 1e-19, 3e24, chance.random(), chance.gauss(9, 2) ** 2]
            ),
            "market_cap": chance.choice([None, 0.0, chance.random() * 1e12]),
            "rank": chance.choice([1, 2]),
        }

    days = range(min(due) - 40 * 86_400 + 86_399, SLOT - STEP, 86_400)
    backfilled = history(days, value, origin="backfilled", resolution=86_400)
    rows = {
        1: history((slot for slot in stored if chance.random() > 0.01), value),
        2: history((slot for slot in stored if slot // (20 * STEP) % 3), value),
        3: history(stored[-count // 4 :], value),
        4: sorted(
            [*history(stored[count // 2 :], value), *backfilled[: 40 + count // 16]],
            key=lambda row: row["slot"],
        ),
        5: history([stored[5]], value),
    }
    return rows, ledger
