"""What is counted: by Prometheus' own parser, over all workers, and right."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import psutil
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from coinlog.store.counting import read_counts
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader
from coinlog.web.metrics import labelled, written
from coinlog.web.tallies import ANSWERED, CONNECTIONS, Tallies
from program import page_settings, running
from samples import HOUR, SLOT, STEP
from sites import NOW, Site, site_on

Found = dict[str, dict[tuple[str, ...], float]]


def scraped(text: str) -> Found:
    """Return samples by name and label values, as a scraper reads them."""
    found: Found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_metrics_tell_what_an_alarm_needs(web: Site) -> None:
    web.store(SLOT - 3 * STEP, SLOT - STEP)
    web.settle(SLOT)
    web.look()

    found = scraped(web.get("/metrics").text)

    assert found["coinlog_store_up"] == {(): 1}
    assert (found["coinlog_stale"], found["coinlog_missed_slots"]) == ({(): 1}, {(): 1})
    assert found["coinlog_newest_slot_timestamp_seconds"] == {(): SLOT - STEP}
    assert found["coinlog_newest_observed_timestamp_seconds"] == {(): SLOT - STEP + 12}
    assert found["coinlog_next_slot_timestamp_seconds"] == {(): SLOT + STEP}
    assert found["coinlog_slots"] == {
        ("stored",): 2,
        ("partial",): 0,
        ("failed",): 1,
        ("missed",): 1,
    }
    assert found["coinlog_failed_slots"] == {("timeout",): 1}
    assert found["coinlog_attempts_settled_total"] == {(): 3}
    assert found["coinlog_store_size_bytes"][()] > 10_000
    assert "coinlog_store_away_since_timestamp_seconds" not in found


def test_credits_are_counted_whole_and_by_the_month(web: Site) -> None:
    web.store(SLOT, SLOT - 40 * 4 * STEP)
    with web.engine.begin() as connection:
        connection.execute(sa.text("UPDATE slot SET credits = 7"))
    with web.engine.connect():
        reader = Reader(open_engine(web.engine.url, read_only=True))
        counts = read_counts(reader, read_head(reader), NOW)
        reader.engine.dispose()

    assert (counts.credits, counts.credits_month) == (14, 7)


def test_names_and_types_keep_to_what_prometheus_asks_for(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)
    sqlite_web.get("/")
    text = sqlite_web.get("/metrics").text

    families = list(text_string_to_metric_families(text))
    assert len(families) >= 25
    for family in families:
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter", "histogram")
        assert re.fullmatch(r"(coinlog|process)(_[a-z]+)+", family.name)
        # Its parser takes ``_total`` off a counter's name; no other has it.
        assert (f"# TYPE {family.name}_total" in text) == (family.type == "counter")
    assert text.count("# HELP") == text.count("# TYPE") == len(families)


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    hostile = 'a"} 1\ncoinlog_store_up 0\\'

    text = written([labelled("gauge", "coinlog_failed_slots", "X.", "reason", {hostile: 1})])

    (family,) = text_string_to_metric_families(text)
    assert [sample.labels for sample in family.samples] == [{"reason": hostile}]


def test_requests_are_counted_by_class_and_by_how_long_they_took(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)
    for target in ("/", "/", "/nowhere", "/api/v1/assets?limit=0"):
        sqlite_web.get(target)
    etag = sqlite_web.get("/").headers["etag"]
    sqlite_web.get("/", {"if-none-match": etag})

    found = scraped(sqlite_web.get("/metrics").text)

    assert found["coinlog_http_requests_total"] == {
        ("2xx",): 3,
        ("3xx",): 1,
        ("4xx",): 2,
        ("5xx",): 0,
    }
    assert (found["coinlog_cache_hits_total"], found["coinlog_cache_misses_total"]) == (
        {(): 3},
        {(): 2},
    )
    buckets = found["coinlog_http_request_duration_seconds_bucket"]
    assert buckets["+Inf",] == found["coinlog_http_request_duration_seconds_count"][()] == 3
    assert sorted(buckets.values()) == list(buckets.values())
    assert 0 < found["coinlog_http_request_duration_seconds_sum"][()] < 60


def test_a_worker_in_anothers_place_counts_on() -> None:
    tallies = Tallies(2)
    tallies.become(1)
    tallies.answered(200, 0.002)
    tallies.become(0)
    tallies.answered(503, 70.0)

    tallies.counts[CONNECTIONS] = 3

    tallies.become(1)
    tallies.answered(200, 0.002)

    assert tallies.total(ANSWERED, 4) == [2, 0, 0, 1]
    assert tallies.total(CONNECTIONS) == [3]


def test_whichever_worker_is_asked_tells_of_all(own_world: Path) -> None:
    workers = 2
    url = sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))
    with site_on(url) as site:
        site.store(SLOT)
    settings = page_settings(url, workers)
    port = settings["COINLOG_PORT"]
    with running("serve", **settings) as process:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, trust_env=False) as client:
            client.get(f"http://127.0.0.1:{port}/live", timeout=20)
        for _ in range(30):
            # A new connection each time, which either worker may take.
            httpx.get(f"http://127.0.0.1:{port}/nowhere", trust_env=False)
        told = [
            scraped(httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)
            for _ in range(12)
        ]
        family = psutil.Process(process.pid).children()

    assert {one["coinlog_http_requests_total"]["4xx",] for one in told} == {30}
    names = {("supervisor",), *((f"worker-{number}",) for number in range(workers))}
    assert all(one["process_open_fds"].keys() == names for one in told)
    assert len(family) == workers
    last = told[-1]
    started = last["process_start_time_seconds"]["worker-1",]
    assert time.time() - HOUR < started <= time.time()
    assert min(last["process_resident_memory_bytes"].values()) > 10_000_000
    assert last["coinlog_http_connections"][()] >= 1
