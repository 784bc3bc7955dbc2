"""The source misbehaves: slow, endless, cut off, refusing, failing, or not the source at all."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from market import FEAR_AND_GREED, GLOBAL_METRICS, LISTINGS, QUOTES
from weather import answers
from weather.answers import Page, Redirect, Refusing
from weather.fault import Fault, Parameters
from weather.source import ELSEWHERE, Misbehaving
from weather.truth import FIAT, Truth, failed, partial, partial_by, stored
from weather.world import World

PATHS = (LISTINGS, LISTINGS, LISTINGS, QUOTES, GLOBAL_METRICS, FEAR_AND_GREED)
MOST_TRIES = 4
SLOW_SECONDS = 0.6

_REASONS = {
    400: "refused_request",
    500: "server_error",
    1002: "wrong_key",
    1006: "plan",
    1008: "rate_limited",
    1010: "quota",
}


@dataclass(frozen=True)
class Nature:
    """What a bad answer is to coinlog.

    ``heals``: it asks again at once, four times at most. ``spent``: after it nothing more is
    asked in that recording.
    """

    reason: str
    said: str = ""
    heals: bool = False
    spent: bool = False


class BadAnswer(Fault):
    """One request of a slot is answered badly, once or for ever; the slot is tried again or not."""

    def __init__(
        self,
        words: tuple[str, str],
        answer: Callable[[Parameters], Misbehaving],
        nature: Nature | Callable[[Parameters], Nature],
        **choices: Sequence[object],
    ) -> None:
        self.name, self.about = words
        self._answer = answer
        self._nature = nature
        self._choices = choices

    def choose(self, chance: random.Random) -> Parameters:
        return {
            "path": chance.choice(PATHS),
            "bad": chance.choice([1, 2, 3, None]),
            "again": chance.random() < 0.3,
            **{name: chance.choice(among) for name, among in self._choices.items()},
        }

    def nature(self, parameters: Parameters) -> Nature:
        return self._nature(parameters) if callable(self._nature) else self._nature

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        path, bad, again = parameters["path"], parameters["bad"], parameters["again"]
        nature = self.nature(parameters)
        world.expect(slot, truth_of(nature, path, bad, again=again))
        bad_answer = self._answer(parameters)
        world.source.on(path, *[bad_answer] * (bad or 1), for_ever=bad is None)
        world.record(slot)
        if again:
            world.calm()
            world.deliver(world.delivery(slot))


def truth_of(nature: Nature, path: str, bad: int | None, *, again: bool) -> Truth:
    """Return what is true where one request is answered badly ``bad`` times, or for ever."""
    healed = nature.heals and bad is not None
    tries = (bad + 1 if bad else MOST_TRIES) if nature.heals else 1
    if healed or again:
        truth = stored()
    elif path == LISTINGS:
        truth = failed(nature.reason).saying(nature.said)
    else:
        truth = _partial(nature, path).saying(nature.said)
    if healed or not again:
        return truth.calling(tries, path)
    return truth.calling(2).calling(tries + 1, path)


def _partial(nature: Nature, path: str) -> Truth:
    later = ["quotes", "global-metrics", "fear-and-greed"]
    at = [QUOTES, GLOBAL_METRICS, FEAR_AND_GREED].index(path)
    lost = later[at:] if nature.spent else later[at : at + 1]
    lacking = dict.fromkeys(FIAT, nature.reason) if "quotes" in lost else {}
    return partial(lacking, *(part for part in lost if part != "quotes"))


class Slow(Fault):
    """The source is slower than the deadline."""

    # Elsewhere than at the first page, a machine at work may spend the deadline before.
    surely = 6

    def __init__(self, name: str, about: str, answer: Misbehaving) -> None:
        self.name, self.about = name, about
        self._answer = answer

    def choose(self, chance: random.Random) -> Parameters:
        return {"path": chance.choice(PATHS), "again": chance.random() < 0.3}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        path = parameters["path"]
        truth = failed("timeout").saying("deadline of")
        if path != LISTINGS:
            # A machine at work elsewhere may be slower than the deadline at the first page too.
            truth |= partial_by("timeout")
        world.expect(slot, stored().calling(2) if parameters["again"] else truth)
        world.source.on(path, self._answer, for_ever=True)
        world.record(slot, deadline_seconds=SLOW_SECONDS)
        if parameters["again"]:
            world.calm()
            world.deliver(world.delivery(slot))


class Redirected(Fault):
    """The source points to another host: nothing is followed, and nothing arrives there."""

    name = "redirect to another host"

    def choose(self, chance: random.Random) -> Parameters:
        return {"status": chance.choice([301, 302, 303, 307, 308]), "path": chance.choice(PATHS)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        nature = Nature("broken_answer", "did not follow it")
        world.expect(slot, truth_of(nature, parameters["path"], 1, again=False))
        target = world.source.url.replace("127.0.0.1", "localhost")
        before = len(world.source.asked())
        world.source.on(parameters["path"], Redirect(target, parameters["status"]))
        world.record(slot)
        if any(asked.path == ELSEWHERE for asked in world.source.asked()[before:]):
            world.complain("a redirect was followed")


def _said(wait: str) -> Callable[[Parameters], Misbehaving]:
    return lambda parameters: Refusing(429, 1008, wait, parameters["seconds"])


def _limited(parameters: Parameters) -> Nature:
    """Return what a 429 is: waited out where the time allows that, else the end of asking."""
    short = parameters["seconds"] < 5
    return Nature("rate_limited", "too many requests", heals=short, spent=not short)


def _inside(parameters: Parameters) -> Nature:
    code = parameters["code"]
    return Nature(_REASONS[code], f"error code {code}", heals=code == 500, spent=code == 1008)


_GONE = Nature("unreachable", "broke off", heals=True)
_BROKEN = Nature("broken_answer")
_FAILING = Nature("server_error", "failing", heals=True)
_WAITS: Mapping[str, Sequence[object]] = {"seconds": [1, 2, 3600]}

FAULTS: tuple[Fault, ...] = (
    Slow(
        "headers at a byte at a time",
        "The answer's head comes a byte at a time and never ends.",
        answers.slow_headers,
    ),
    Slow(
        "body at a byte at a time",
        "The head comes at once, the body a byte at a time.",
        answers.slow_body,
    ),
    Slow(
        "stalled after the headers",
        "The whole head comes, then silence.",
        answers.stalled_after_headers,
    ),
    Slow("stalled in the body", "Half of the body comes, then silence.", answers.stalled),
    BadAnswer(
        ("endless body", "A body without an end, as fast as it is read."),
        lambda _: answers.endless,
        Nature("broken_answer", "more than"),
    ),
    BadAnswer(
        ("body cut off", "The source promises a whole body, sends half of it and hangs up."),
        lambda _: answers.truncated,
        _GONE,
    ),
    BadAnswer(
        ("connection reset", "A RST before the first byte."),
        lambda _: answers.reset,
        _GONE,
    ),
    BadAnswer(
        ("gzip bomb", "A megabyte of gzip that inflates to a gigabyte."),
        lambda _: answers.bomb,
        Nature("broken_answer", "more than"),
    ),
    BadAnswer(
        ("429, Retry-After in seconds", "A wait that fits the deadline, or one of an hour."),
        _said("seconds"),
        _limited,
        **_WAITS,
    ),
    BadAnswer(
        ("429, Retry-After as a date", "The same, as a date by the source's own clock."),
        _said("date"),
        _limited,
        **_WAITS,
    ),
    BadAnswer(
        ("429 without Retry-After", "Too many requests, and not a word of how long."),
        lambda _: Refusing(429, 1008),
        Nature("rate_limited", "too many requests", spent=True),
    ),
    BadAnswer(
        ("HTTP 500, 502, 503 or 504", "In the source's own JSON, or as the page of a proxy."),
        lambda p: Page(p["status"]) if p["html"] else Refusing(p["status"], 0),
        _FAILING,
        status=[500, 502, 503, 504],
        html=[False, True],
    ),
    BadAnswer(
        ("HTML with 200", "A page in place of the answer, as a hotel's Wi-Fi sends it."),
        lambda _: Page(200),
        Nature("broken_answer", "not JSON"),
    ),
    BadAnswer(
        ("error inside HTTP 200", "The source's own codes, for key, plan, quota and others."),
        lambda p: Refusing(200, p["code"]),
        _inside,
        code=[*_REASONS],
    ),
    Redirected(),
)
