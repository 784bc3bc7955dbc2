"""The judge: what stands at a slot, against what is true for it and what the source's log says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from weather.looking import Found
from weather.source import Asked
from weather.truth import FIAT, FIELDS, Truth, fear, number, total_cap

Wrong = tuple[str, str]
"""Which of the promises is broken, and how."""

_BY_RANK = "listings-1"


def judge(
    slot: int, truth: Truth, found: Found, asked: Sequence[Asked], *, damaged: bool
) -> Iterator[Wrong]:
    """Yield each fault of ours at a slot; ``damaged``: its files in the archive are for good."""
    fate = found.fates.get(slot)
    if fate not in truth.fates:
        kind = "lost" if fate is None or fate[0] == "missed" else "untrue"
        yield kind, f"it is {fate}, and may be {sorted(truth.fates, key=str)}: {_said(found, slot)}"
    elif fate[0] != "stored" and truth.said not in _said(found, slot):
        yield "untrue", f"{_said(found, slot)!r} does not say {truth.said!r}"
    yield from _judge_calls(truth, asked)
    yield from _judge_quotes(slot, truth, found)
    if fate and fate[0] in {"stored", "partial"}:
        yield from _judge_parts(slot, truth, found, fate[0])
    if not damaged:
        yield from _judge_attempts(slot, found, asked)
    if fate and fate[0] in {"stored", "partial"} and not damaged:
        yield from _judge_archive(slot, found, asked, whole=fate[0] == "stored")


def _said(found: Found, slot: int) -> str:
    row = found.ledger.get(slot, {})
    details = [str(line["detail"]) for line in found.missing.get(slot, [])]
    return "; ".join([str(row.get("detail") or ""), *details])


def _judge_calls(truth: Truth, asked: Sequence[Asked]) -> Iterator[Wrong]:
    calls = Counter(one.path for one in asked)
    for path, most in truth.calls.items():
        if calls[path] > most:
            words = f"the source was asked for {path} {calls[path]} times, and {most} were enough"
            yield "doubled", words


def _judge_quotes(slot: int, truth: Truth, found: Found) -> Iterator[Wrong]:
    outcome = found.fates.get(slot, ("missed", None))[0]
    held = found.quotes.get(slot, {})
    named = {
        line["asset_id"]: line["reason"]
        for line in found.missing.get(slot, [])
        if line["asset_id"] is not None
    }
    lacking = named if truth.lacking is None else truth.lacking
    lacking = lacking if outcome == "partial" else {}
    expected = set(truth.assets) - lacking.keys() if outcome in {"stored", "partial"} else set()
    if lost := expected - held.keys():
        yield "torn", f"it is {outcome} and has no quote of {sorted(lost)[:5]}"
    if more := held.keys() - expected:
        yield "untrue", f"it is {outcome} and has quotes of {sorted(more)[:5]}"
    if outcome == "partial" and truth.lacking is not None and named != dict(truth.lacking):
        yield "untrue", f"it lacks {dict(truth.lacking)}, and the ledger says {named}"
    if outcome == "partial" and (ranked := lacking.keys() - {*FIAT}) and truth.lacking is None:
        yield "untrue", f"it lacks {sorted(ranked)[:5]}, which the first page has"
    yield from _judge_numbers(slot, found, held)


def _judge_numbers(slot: int, found: Found, held: dict[int, dict[str, Any]]) -> Iterator[Wrong]:
    """Compare each number with what was served at the moment that the ledger tells."""
    moment = _observed_at(found, slot)
    for asset_id, row in held.items():
        for name in FIELDS:
            if row[name] != (served := number(name, asset_id, moment)):
                yield "untrue", f"asset {asset_id}: {name} is {row[name]!r}, served {served!r}"
                return


def _observed_at(found: Found, slot: int) -> int:
    return int(found.ledger.get(slot, {}).get("observed_at") or 0)


def _judge_parts(slot: int, truth: Truth, found: Found, outcome: str) -> Iterator[Wrong]:
    lines = found.missing.get(slot, [])
    lacks = {line["what"] for line in lines if line["what"] != "quote"}
    lacks = {what for what in lacks if not what.startswith(("quotes-", "listings-"))}
    if truth.lacking is not None and lacks != (truth.parts if outcome == "partial" else set()):
        yield "untrue", f"it lacks {sorted(truth.parts)}, and the ledger says {sorted(lacks)}"
    if truth.lacking is None and (others := {line["reason"] for line in lines} - truth.reasons):
        yield "untrue", f"it lacks parts for {sorted(others)}: only {sorted(truth.reasons)} is true"
    moment = _observed_at(found, slot)
    if "global-metrics" not in lacks and (cap := found.caps.get(slot)) != total_cap(moment):
        yield "untrue", f"the market's cap is {cap!r}, served {total_cap(moment)!r}"
    if "fear-and-greed" not in lacks and (index := found.fears.get(slot)) != fear(moment):
        yield "untrue", f"fear is {index!r}, served {fear(moment)!r}"
    for what, there in (("global-metrics", found.caps), ("fear-and-greed", found.fears)):
        if what in lacks and slot in there:
            yield "untrue", f"the ledger says that it lacks {what}, which is there"


def _judge_attempts(slot: int, found: Found, asked: Sequence[Asked]) -> Iterator[Wrong]:
    """Compare what the ledger counts with the attempts in the archive and the source's bill."""
    if (row := found.ledger.get(slot)) is None:
        return
    attempts = found.kept.get(slot, {}).values()
    if row["attempts"] != len(attempts):
        words = f"the ledger counts {row['attempts']} attempts, and {len(attempts)} are kept"
        yield "doubled" if row["attempts"] > len(attempts) else "lost", words
    if None in attempts:
        return
    spent = sum(
        found.bill.get(digest, 0) for bodies in attempts for digest in (bodies or {}).values()
    )
    if {} in attempts:
        # What could not be kept has cost what it has cost.
        spent = sum(one.credits for one in asked)
    if row["credits"] != spent:
        yield "untrue", f"the ledger counts {row['credits']} credits, and {spent} were charged"


def _judge_archive(
    slot: int, found: Found, asked: Sequence[Asked], *, whole: bool
) -> Iterator[Wrong]:
    """Compare what the archive keeps with what was served, by hash, and when that was."""
    attempt = str(found.ledger[slot]["attempt"])
    bodies = found.kept.get(slot, {}).get(attempt)
    if bodies is None:
        yield "lost", f"the archive has no attempt {attempt} that can be read"
        return
    served = {one.sha256: one for one in asked if one.sha256}
    if whole and (altered := [name for name, body in bodies.items() if body not in served]):
        yield "untrue", f"{altered} in the archive are not as they were served"
    moments = {one.at for one in map(served.get, bodies.values()) if one}
    if moments != {_observed_at(found, slot)}:
        words = f"answers of {sorted(moments)} are kept as observed at {_observed_at(found, slot)}"
        yield "untrue", words
    if served.keys().isdisjoint([bodies.get(_BY_RANK, "")]):
        yield "untrue", "its page by rank was never served"
