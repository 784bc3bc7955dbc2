"""What there is to count, in Prometheus' text format.

Of the ledger and its freshness as the store has them, of requests over all workers together: a
scraper that meets another worker each time sees one set of numbers. Base units and names are
Prometheus' own: seconds, bytes, ``_total`` for what only grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate

import msgspec
import psutil

from coinlog.store.counting import Counts
from coinlog.web import tallies
from coinlog.web.tallies import Tallies
from coinlog.web.watch import Moment

Sample = tuple[str, float]
"""What follows a family's name (a suffix, labels, or nothing), and the value."""


class Family(msgspec.Struct, frozen=True):
    """One metric with all its samples."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]

    def text(self) -> str:
        """Return the family as it is exposed."""
        lines = (f"{self.name}{after} {_number(value)}" for after, value in self.samples)
        head = f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.kind}\n"
        return head + "\n".join(lines) + "\n"


def written(families: Iterable[Family]) -> str:
    """Return families as they are exposed; those without a sample are left out."""
    return "".join(family.text() for family in families if family.samples)


def gauge(name: str, told: str, value: float | None) -> Family:
    """Return a number that goes up and down; without a sample where it is not known."""
    return Family(name, "gauge", told, () if value is None else (("", value),))


def counter(name: str, told: str, value: float) -> Family:
    """Return a number that only grows."""
    return Family(f"{name}_total", "counter", told, (("", value),))


def labelled(kind: str, name: str, told: str, label: str, values: Mapping[str, float]) -> Family:
    """Return a number for each value of a label."""
    samples = tuple((f'{{{label}="{_escaped(one)}"}}', value) for one, value in values.items())
    return Family(name, kind, told, samples)


def about_store(known: Moment | None, away_since: int | None, *, up: bool) -> Iterator[Family]:
    """Tell whether the store can be read, and how new it was when it last was."""
    yield gauge("coinlog_store_up", "Whether the database can be read.", int(up))
    told = "Since when the database cannot be read."
    yield gauge("coinlog_store_away_since_timestamp_seconds", told, away_since)
    if known is None:
        return
    fresh, schedule = known.fresh, known.head.schedule(known.now)
    told = "How often the store has been written to."
    yield gauge("coinlog_store_version", told, known.head.version)
    yield gauge("coinlog_stale", "Whether a slot was due and none was stored.", int(fresh.stale))
    told = "Slots due since the newest stored one, past their grace."
    yield gauge("coinlog_missed_slots", told, fresh.missed)
    told = "The newest slot with quotes."
    yield gauge("coinlog_newest_slot_timestamp_seconds", told, fresh.slot)
    told = "When the source observed the newest slot with quotes."
    yield gauge("coinlog_newest_observed_timestamp_seconds", told, fresh.as_of)
    yield gauge("coinlog_next_slot_timestamp_seconds", "The next slot due.", fresh.next_slot)
    every = schedule.interval_seconds if schedule else None
    yield gauge("coinlog_interval_seconds", "The time between slots.", every)
    yield gauge("coinlog_simulated", "Whether the market is made up.", int(known.simulated))


def about_ledger(counts: Counts) -> Iterator[Family]:
    """Tell what the ledger holds."""
    told = "Slots by outcome; a failed one can still rise, so these are no counters."
    yield labelled("gauge", "coinlog_slots", told, "outcome", counts.outcomes)
    told = "Failed slots by reason."
    yield labelled("gauge", "coinlog_failed_slots", told, "reason", counts.reasons)
    yield counter("coinlog_attempts_settled", "Attempts in the ledger.", counts.attempts)
    yield counter("coinlog_credits_used", "Credits that slots have cost.", counts.credits)
    told = "Credits that slots of this month (UTC) have cost."
    yield gauge("coinlog_credits_used_this_month", told, counts.credits_month)
    yield gauge("coinlog_store_size_bytes", "What the store takes on disk.", counts.size_bytes)


def about_requests(found: Tallies) -> Iterator[Family]:
    """Tell what all workers have answered."""
    at_once = found.total(tallies.AT_ONCE, len(tallies.CLASSES))
    others = found.total(tallies.ANSWERED, len(tallies.CLASSES))
    sums = {
        name: one + other for name, one, other in zip(tallies.CLASSES, at_once, others, strict=True)
    }
    told = "Requests by class of status."
    yield labelled("counter", "coinlog_http_requests_total", told, "code", sums)
    yield counter("coinlog_cache_hits", "Requests answered from memory at once.", sum(at_once))
    (misses,) = found.total(tallies.MISSES)
    yield counter("coinlog_cache_misses", "Answers that had to be made.", misses)
    (held,) = found.total(tallies.CACHE_USED)
    yield gauge("coinlog_cache_bytes", "Ready answers in memory.", held)
    yield _lasting(found)
    (open_now,) = found.total(tallies.CONNECTIONS)
    yield gauge("coinlog_http_connections", "Open connections.", open_now)


def _lasting(found: Tallies) -> Family:
    counts = list(accumulate(found.total(tallies.LASTING, len(tallies.BUCKETS) + 1)))
    ends = [*map(str, tallies.BUCKETS), "+Inf"]
    (microseconds,) = found.total(tallies.MICROSECONDS)
    samples = [
        (f'_bucket{{le="{end}"}}', float(count)) for end, count in zip(ends, counts, strict=True)
    ]
    told = "Time to answer the requests that were not answered from memory at once."
    samples += [("_sum", microseconds / 1e6), ("_count", counts[-1])]
    return Family("coinlog_http_request_duration_seconds", "histogram", told, tuple(samples))


_PROCESS = {
    "process_resident_memory_bytes": ("gauge", "Resident memory."),
    "process_open_fds": ("gauge", "Open file descriptors."),
    "process_threads": ("gauge", "Threads."),
    "process_cpu_seconds_total": ("counter", "Processor time used."),
    "process_start_time_seconds": ("gauge", "When it started."),
}


def about_processes(found: Tallies) -> Iterator[Family]:
    """Tell what each of our processes takes of the machine."""
    pids = {f"worker-{number}": pid for number, pid in enumerate(found.pids())}
    rows: dict[str, dict[str, float]] = {name: {} for name in _PROCESS}
    for name, pid in {"supervisor": found.supervisor, **pids}.items():
        # One that has just died is told of in the next scrape, as its successor.
        with suppress(psutil.Error):
            for metric, value in _taken(psutil.Process(pid)).items():
                rows[metric][name] = value
    for metric, (kind, told) in _PROCESS.items():
        yield labelled(kind, metric, told, "process", rows[metric])


def _taken(process: psutil.Process) -> dict[str, float]:
    with process.oneshot():
        times = process.cpu_times()
        return {
            "process_resident_memory_bytes": process.memory_info().rss,
            "process_open_fds": process.num_fds(),
            "process_threads": process.num_threads(),
            "process_cpu_seconds_total": times.user + times.system,
            "process_start_time_seconds": process.create_time(),
        }


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
