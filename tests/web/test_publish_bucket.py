"""Publishing into a bucket, on a server that speaks S3: the same files, with their headers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import obstore
import pytest
import sqlalchemy as sa
from obstore.store import S3Store

from coinlog.errors import ExportError, UsageError
from coinlog.objects import open_objects
from editions import files_of, publish_at
from samples import HOUR, SLOT, STEP
from sites import Site, site_on

IDS = (1, 1027, 52, 2790)
EARLIER = range(SLOT - 6 * STEP, SLOT, STEP)
STALE_SECONDS = 2 * HOUR


@pytest.fixture
def web(own_world: Path) -> Iterator[Site]:
    """Return a site with some slots, the newest not recorded yet."""
    with site_on(sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))) as web:
        web.store(*EARLIER, ids=IDS)
        web.now = SLOT - STEP + HOUR
        yield web


def objects_of(location: str) -> dict[str, bytes]:
    """Return what a bucket holds of an edition, without our own notes in it."""
    objects = open_objects(location)
    paths = [path for path in objects.paths("") if not path.startswith(".coinlog/")]
    return {path: objects.read(path) for path in paths}


def test_a_bucket_holds_what_a_folder_would_and_a_slot_renews_what_changed(
    web: Site, bucket: str, tmp_path: Path
) -> None:
    there, folder = f"s3://{bucket}/site", tmp_path / "site"
    for place in (there, folder):
        first = publish_at(web.engine.url, place, web.now)
    assert objects_of(there) == files_of(folder)
    web.store(SLOT, ids=(1, 1027, 2790, 4687))
    web.now = SLOT + HOUR

    done, wanted = (publish_at(web.engine.url, place, web.now) for place in (there, folder))

    assert objects_of(there) == files_of(folder)
    assert (done.written, done.removed) == (wanted.written, wanted.removed)
    assert 0 < done.written < first.written
    again = publish_at(web.engine.url, there, web.now)
    assert (again.written, again.removed) == (0, 0)
    notes = {*open_objects(there).paths(".coinlog/")}
    assert notes == {".coinlog/edition.json"}


def test_every_object_says_what_it_is_and_how_long_it_may_be_kept(web: Site, bucket: str) -> None:
    publish_at(web.engine.url, f"s3://{bucket}", web.now)
    script = next(path for path in objects_of(f"s3://{bucket}") if path.endswith(".js"))
    wanted = {
        "index.html": ("text/html; charset=utf-8", "no-cache"),
        "data/latest.json": ("application/json", "max-age=30"),
        script: ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    }

    store = S3Store.from_url(f"s3://{bucket}")

    for path, told in wanted.items():
        headers = obstore.get(store, path).attributes
        assert (headers["Content-Type"], headers["Cache-Control"]) == told, path


def test_runs_wait_for_each_other(web: Site, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = f"s3://{bucket}"
    objects = open_objects(there)
    publish_at(web.engine.url, there, web.now)
    web.store(SLOT, ids=IDS)
    web.now = SLOT + HOUR
    monkeypatch.setattr("coinlog.publish.bucket._LOOK_SECONDS", 0.05)

    lock = f".coinlog/lock-{int(time.time()) - 60}-other"
    objects.put(lock, b"")
    with ThreadPoolExecutor(3) as threads:
        # Three that were started for one slot: the later ones find that nothing is left to do.
        waiting = [threads.submit(publish_at, web.engine.url, there, web.now) for _ in range(3)]
        assert not wait(waiting, timeout=0.5).done
        objects.remove(lock)
        written = sorted(one.result().written for one in waiting)

    assert written[:2] == [0, 0] < written[2:]
    assert b"%d" % SLOT in objects.read("data/latest.json")
    assert not [path for path in objects.paths(".coinlog/") if "lock" in path]


def test_nobody_waits_for_ever(web: Site, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = open_objects(f"s3://{bucket}")
    objects.put(f".coinlog/lock-{int(time.time()) - 60}-other", b"")
    monkeypatch.setattr("coinlog.publish.bucket._PATIENCE_SECONDS", 0)

    with pytest.raises(UsageError, match=r"at work in s3://.* run the same again"):
        publish_at(web.engine.url, f"s3://{bucket}", web.now)

    # A run that was killed an hour ago and more keeps nobody waiting; nor does a lock of nobody's.
    objects.remove(next(path for path in objects.paths(".coinlog/") if "lock" in path))
    for left in (f"{int(time.time()) - STALE_SECONDS}-other", "?"):
        objects.put(f".coinlog/lock-{left}", b"")
    publish_at(web.engine.url, f"s3://{bucket}", web.now)
    assert b'"slot"' in objects.read("data/latest.json")
    assert not [path for path in objects.paths(".coinlog/") if "lock" in path]


def test_a_stopped_run_goes_on_where_it_was(
    web: Site, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = f"s3://{bucket}"
    with monkeypatch.context() as patch:
        patch.setattr("coinlog.publish.run.newest_files", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish_at(web.engine.url, there, web.now)
    before = len(objects_of(there))

    done = publish_at(web.engine.url, there, web.now)

    assert done.unchanged > 0
    assert done.written < before
    assert "data/latest.json" in objects_of(there)


def test_a_bucket_of_others_or_of_nobody_is_left_alone(web: Site, bucket: str) -> None:
    objects = open_objects(f"s3://{bucket}")
    objects.put("thesis.tex", b"mine")

    with pytest.raises(UsageError, match="is not empty"):
        publish_at(web.engine.url, f"s3://{bucket}", web.now)
    with pytest.raises(ExportError, match=r"s3://nobody-has-this/site cannot be used: .*rights"):
        publish_at(web.engine.url, "s3://nobody-has-this/site", web.now)

    assert objects_of(f"s3://{bucket}") == {"thesis.tex": b"mine"}
