"""The source: does it answer, is its clock ours, does the plan pay for the schedule."""

from __future__ import annotations

import time
from collections.abc import Iterator

from coinlog.cli.credits import foresee
from coinlog.cli.doctor.findings import PROBLEMS, Finding, fine, look, wrong
from coinlog.cli.doctor.programs import running_recorder
from coinlog.market import Reason, SourceKind
from coinlog.parts import Parts
from coinlog.sources.answers import Answer

SKEW_SECONDS = 120
_CODES = {
    Reason.WRONG_KEY: "key_wrong",
    Reason.PLAN: "key_plan",
    Reason.QUOTA: "key_quota",
    Reason.RATE_LIMITED: "source_rate_limited",
    Reason.TIMEOUT: "source_slow",
    Reason.UNREACHABLE: "source_unreachable",
}


def examine_source(parts: Parts) -> Iterator[Finding]:
    """Yield whether recording would work, by the smallest answer that shows it."""
    try:
        answer = _ask(parts)
    except PROBLEMS as error:
        yield wrong("source", "source_unusable", str(error))
        return
    made_up = parts.plan.source == SourceKind.SIMULATED
    if made_up and answer.reason is Reason.UNREACHABLE and running_recorder(parts) is not None:
        yield fine("source", "`coinlog up` runs, and has a made-up market of its own")
    elif made_up and answer.reason is Reason.UNREACHABLE:
        text = "nobody makes a market up here; `coinlog up --simulated` has a source of its own"
        yield look("source", "source_simulated", text, "coinlog simulate")
    elif answer.reason:
        tls = "certificate" in answer.detail.lower()
        code = "source_tls" if tls else _CODES.get(answer.reason, "source_failing")
        yield wrong("source", code, answer.detail)
    else:
        yield fine("source", f"answered in {answer.elapsed_seconds * 1000:.0f} ms")
    if answer.server_date is not None:
        yield _clock(answer.received_at - answer.server_date)
    yield from examine_credits(parts)


def _ask(parts: Parts) -> Answer:
    with parts.connect() as client:
        return client.get(
            "doctor", "/v3/cryptocurrency/listings/latest", {"start": "1", "limit": "1"}
        )


def _clock(skew_seconds: float) -> Finding:
    skew = round(skew_seconds)
    if abs(skew) > SKEW_SECONDS:
        direction = "ahead" if skew > 0 else "behind"
        text = f"our clock is {abs(skew)} s {direction}: set it by NTP, or slots will be missed"
        return wrong("clock", "clock_wrong", text, "timedatectl set-ntp true")
    return fine("clock", f"within {max(abs(skew), 1)} s of the source's")


def examine_credits(parts: Parts) -> Iterator[Finding]:
    """Yield what the schedule costs, and whether the plan pays for it."""
    try:
        foreseen = foresee(parts)
        if foreseen is None:
            yield fine("credits", "a made-up market costs nothing")
            return
        foreseen.forecast.check()
    except PROBLEMS as error:
        yield wrong("credits", "credits_exceeded", str(error))
        return
    text, notes = f"{foreseen.words()}{foreseen.standing()}", foreseen.forecast.notes(time.time())
    if notes:
        yield wrong("credits", "credits_run_out", "; ".join((text, *notes)))
    elif foreseen.unknown:
        yield look("credits", "credits_unknown", text)
    else:
        yield fine("credits", text)
