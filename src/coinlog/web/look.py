"""The templates of the page in one language: their texts, filters and drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from coinlog.attempts import slot_name
from coinlog.market import BITCOIN, ETHEREUM, Outcome
from coinlog.notice import attribution
from coinlog.slots import DAY, HOUR, MINUTE
from coinlog.store.days import Day
from coinlog.web import chartdata, overview_svg, svg
from coinlog.web import format as fmt
from coinlog.web.calendar import day_name
from coinlog.web.i18n import Catalogue, catalogue
from coinlog.web.shell import CURRENCIES
from coinlog.web.views import ChartView, GlobalView, SlotView

TEMPLATES = Path(__file__).parent / "templates"
_LOCAL = ("price", "money", "money_full", "percent", "share", "number", "time_utc")


@cache
def environment(language: str) -> jinja2.Environment:
    """Return the templates with the texts and number format of a language.

    Raises:
        FileNotFoundError: there is no such language.
    """
    words = catalogue(language)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters.update(_filters(words))
    templates.globals.update(_globals(words))
    return templates


def _filters(words: Catalogue) -> dict[str, Callable[..., Any]]:
    return {
        **{name: partial(getattr(fmt, name), form=words.format) for name in _LOCAL},
        "clock_seconds": fmt.clock_seconds,
        "count": partial(_count, words),
        "direction": fmt.direction,
        "when": partial(_when, words),
        "day_time": partial(_day_time, words),
        "json": _json,
        "date": partial(fmt.date, form=words.format),
        "day_time_seconds": partial(_day_time, words, clock=fmt.clock_seconds),
        "month": partial(fmt.month, form=words.format),
        "duration": partial(_duration, words),
        "seconds": partial(_seconds, words),
        "slot_name": slot_name,
        "day_name": day_name,
    }


def _count(words: Catalogue, value: float | None) -> str:
    """Return a count, shortened from a million on."""
    if value is None or abs(value) < fmt.SHORT_FROM:
        return fmt.number(value, words.format)
    return fmt.short(value, words.format)


def _globals(words: Catalogue) -> dict[str, Any]:
    return {
        "t": partial(_text, words),
        "has_text": words.texts.__contains__,
        "clock_time": _clock_time,
        "draw": partial(_draw, words),
        "attribution": lambda simulated: attribution(simulated=simulated),
        "sparkline": svg.sparkline,
        "gauge": overview_svg.gauge,
        "tones": partial(overview_svg.tones, words),
        "trend": overview_svg.trend,
        "treemap": partial(overview_svg.treemap, words),
        "strip": partial(_strip, words),
        "tally": partial(_tally, words),
        "day_told": partial(_day_told, words),
        "mood": partial(_mood, words),
        "code": Markup("<code>{}</code>").format,
        "compare_ids": _compare_ids,
        "currencies": CURRENCIES,
        "language_name": lambda code: catalogue(code).language,
        "script_texts": partial(_script_texts, words),
    }


def _text(words: Catalogue, key: str, **values: object) -> str:
    """Return a text; where a value is ready HTML, the text is too, and other values escaped.

    A count ``n`` is written in the language's own format.
    """
    count = values.get("n")
    text = words.entry(key, count)
    if isinstance(count, int):
        values["n"] = fmt.number(count, words.format)
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(text).format(**values)  # noqa: S704 -- our own catalogue
    return text.format(**values)


def _draw(words: Catalogue, chart: ChartView, title: str, *, simulated: bool) -> chartdata.Drawing:
    return chartdata.draw(chart, words, title, simulated=simulated)


def _strip(words: Catalogue, slots: Sequence[SlotView]) -> Markup:
    return svg.strip([(slot.outcome, _slot_title(words, slot)) for slot in slots])


def _slot_title(words: Catalogue, slot: SlotView) -> str:
    said = f"{fmt.time_utc(slot.slot, words.format)}: {words.text('outcome.' + slot.outcome)}"
    failed = slot.outcome == Outcome.FAILED and slot.reason
    return f"{said} ({words.text(f'reason.{slot.reason}')})" if failed else said


def _tally(words: Catalogue, slots: Sequence[SlotView]) -> str:
    """Return how many slots had which outcome: ``The last 28 slots: 25 stored, 3 missed``."""
    counts = Counter(slot.outcome for slot in slots)
    parts = [
        _text(words, f"tally.{outcome}", n=counts[outcome])
        for outcome in Outcome
        if counts[outcome]
    ]
    return f"{_text(words, 'tally', n=len(slots))} {', '.join(parts)}"


def _day_told(words: Catalogue, start: int, day: Day) -> str:
    """Return what became of a day's slots: ``26 Jan 2026: 3 of 4 stored; 1 missed: ...``."""
    told = [_text(words, "log.day_stored", n=day.stored, total=day.told + day.waiting)]
    failed = day.reasons[0] if len(day.reasons) == 1 else None
    for outcome, reason in (("partial", "incomplete"), ("failed", failed), ("missed", "missed")):
        if count := getattr(day, outcome):
            why = f": {words.text(f'reason.{reason}')}" if reason else ""
            told.append(_text(words, f"tally.{outcome}", n=count) + why)
    if day.waiting:
        told.append(_text(words, "log.day_waiting", n=day.waiting))
    return f"{fmt.date(start, words.format)}: {'; '.join(told)}"


def _duration(words: Catalogue, seconds: int) -> str:
    """Return a duration in its two largest units: ``1 d 6 h``."""
    days, hours, minutes = seconds // DAY, seconds // HOUR, seconds // MINUTE
    if days > 1:
        return _trimmed(words.text("js.days", d=fmt.number(days, words.format), h=hours % 24))
    if hours:
        return _trimmed(words.text("js.hours", h=hours, m=minutes % 60))
    return words.text("js.minutes", m=minutes) if minutes else _seconds(words, seconds)


def _trimmed(text: str) -> str:
    """Return a duration without a second unit of zero: ``6 h 0 min`` is ``6 h``."""
    first, _, rest = text.partition(" 0 ")
    return first if rest else text


def _seconds(words: Catalogue, seconds: float) -> str:
    """Return a short time in seconds, a longer one in its two largest units."""
    if seconds >= 10 * MINUTE:
        return _duration(words, int(seconds))
    return words.text("slot.seconds", s=fmt.fixed(seconds, int(seconds % 1 > 0), words.format))


def _mood(words: Catalogue, market: GlobalView) -> str:
    """Return the fear and greed label translated, or as it came if it is a new one."""
    label = market.fear_and_greed_label or ""
    key = f"mood.{label.lower().replace(' ', '_')}"
    return words.text(key) if key in words.texts else label


def _compare_ids(asset_id: int) -> str:
    return ",".join(map(str, dict.fromkeys((asset_id, BITCOIN, ETHEREUM))))


def _when(words: Catalogue, time: int | None) -> Markup:
    """Return a ``<time>`` that reads as UTC and that the scripts can reckon with."""
    return _time(time, fmt.time_utc(time, words.format))


def _day_time(words: Catalogue, time: int, clock: Callable[[float], str] = fmt.clock) -> Markup:
    """Return a ``<time>`` without its zone, for where UTC is said once for all."""
    return _time(time, f"{fmt.date(time, words.format)}, {clock(time)}")


def _clock_time(time: int) -> Markup:
    return _time(time, f"{fmt.clock(time)}{fmt.SPACE}UTC")


def _time(time: int | None, text: str) -> Markup:
    if time is None:
        return Markup(fmt.UNKNOWN)  # noqa: S704 -- a constant
    return Markup('<time datetime="{}">{}</time>').format(fmt.machine_time(time), text)


def _script_texts(words: Catalogue) -> Markup:
    return _json({"format": words.format, "texts": words.scripted()})


def _json(content: object) -> Markup:
    """Return JSON as it may stand in a script element."""
    return Markup(msgspec.json.encode(content).decode().replace("<", "\\u003c"))  # noqa: S704
