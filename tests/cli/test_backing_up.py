"""``coinlog backup`` and ``coinlog restore``, as their user sees them: also killed, also full."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from backup_storm import unwatched
from coinlog.archive import open_archive
from coinlog.backups.making import make_backup
from coinlog.market import SourceKind
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.writer import settle
from market import put_attempt
from program import COMMAND, run, run_json, start
from samples import SLOT, settlement, snapshot
from stores import fill_every_table, fill_with_quotes, opened, read_everything

CANARY = "canary-1111-2222-3333"


@pytest.fixture
def world(own_world: Path) -> Path:
    """Return the data folder of a filled store and archive, those of the settings."""
    fill_every_table(sa.make_url(f"sqlite:///{own_world}/data/coinlog.db"))
    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)
    return own_world / "data"


def words(text: str) -> str:
    return " ".join(text.split())


def elsewhere(folder: Path) -> dict[str, str]:
    return {"COINLOG_DATA": str(folder)}


def test_after_the_loss_of_everything_all_of_it_is_back(world: Path, tmp_path: Path) -> None:
    before = read_everything(sa.make_url(f"sqlite:///{world}/coinlog.db"))

    done = run("backup", f"{tmp_path}/")
    told = run_json("backup", "--check", str(tmp_path))
    world.rename(tmp_path / "lost")
    restored = run("restore", str(tmp_path))

    (path,) = tmp_path.glob("coinlog-20*.tar")
    assert done.returncode == restored.returncode == 0, done.stderr + restored.stderr
    assert "✓ backed up, and proven: " in done.stdout
    assert str(path) in done.stdout
    assert (told["file"], told["bytes"], told["format"]) == (str(path), path.stat().st_size, 1)
    assert told["tables"] == {name: len(rows) for name, rows in before.items()}
    assert told["rows"] == sum(told["tables"].values())
    assert (told["source"], told["archive"]["objects"]) == ("coinmarketcap", 2)
    assert "✓ restored, and proven equal: " in restored.stdout
    assert "2 objects" in restored.stdout
    assert read_everything(sa.make_url(f"sqlite:///{world}/coinlog.db")) == before


def test_no_secret_is_in_it_and_none_is_printed(
    own_world: Path, tmp_path: Path, mariadb_url: sa.URL
) -> None:
    address = mariadb_url.render_as_string(hide_password=False)
    fill_every_table(mariadb_url)
    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)

    secret = {"COINLOG_API_KEY": CANARY, "COINLOG_DATABASE_URL": address}
    made = run("backup", str(tmp_path / "b.tar"), "--json", **secret)

    assert made.returncode == 0, made.stderr
    hidden = (CANARY, str(mariadb_url.password), address.partition("@")[0])
    assert not [secret for secret in hidden if secret in made.stdout + made.stderr]
    with tarfile.open(tmp_path / "b.tar") as tar:
        bodies = [file.read() for one in tar if (file := tar.extractfile(one))]
    inflated = [gzip.decompress(body) for body in bodies if body[:2] == b"\x1f\x8b"]
    whole = b"".join(bodies + inflated)
    assert b"listings" in whole
    assert not [secret for secret in hidden if secret.encode() in whole]


def test_a_made_up_market_stays_one(own_world: Path, tmp_path: Path) -> None:
    url = sa.make_url(f"sqlite:///{own_world}/data/simulated/coinlog.db")
    with opened(url) as engine:
        made_up = snapshot(source=SourceKind.SIMULATED)
        settle(engine, settlement(found=made_up, source=SourceKind.SIMULATED), SLOT + 20)
    put_attempt(open_archive(str(own_world / "data/simulated/archive")), SLOT, simulated=True)
    there = elsewhere(tmp_path / "there")

    made = run("backup", "--simulated", f"{tmp_path}/")
    (path,) = tmp_path.glob("SIMULATED-coinlog-*.tar")
    refused = run("restore", str(path), **there)
    told = run_json("restore", "--simulated", str(tmp_path), **there)

    assert "SIMULATED" in made.stdout
    assert refused.returncode == 2
    assert "give --simulated" in refused.stderr
    assert told["equal"]
    assert not (tmp_path / "there" / "coinlog.db").exists()
    assert run_json("status", "--simulated", **there)["source"] == "simulated"
    with tarfile.open(path) as tar:
        readme = tar.extractfile("README.txt")
        assert readme
        assert b"No number in it is real" in readme.read()


def test_a_killed_backup_never_looks_like_one_and_leaves_nothing_for_long(
    tmp_path: Path,
) -> None:
    fill_with_quotes(sa.make_url(f"sqlite:///{tmp_path}/big.db"), assets=300, slots=250)
    url = {"COINLOG_DATABASE_URL": f"sqlite:///{tmp_path}/big.db"}
    place = tmp_path / "to"
    place.mkdir()
    process = start("backup", str(place / "b.tar"), "--without-archive", **url)
    until(process, lambda: any(file.stat().st_size for file in place.iterdir()))
    process.kill()
    process.communicate()
    left = [file.name for file in place.iterdir()]
    stopped = start("backup", str(place / "c.tar"), "--without-archive", **url)
    until(stopped, lambda: any(".c.tar" in file.name for file in place.iterdir()))
    stopped.send_signal(signal.SIGTERM)
    said = stopped.communicate(timeout=30)[0]

    made = run("backup", str(place / "b.tar"), "--without-archive", **url)

    assert [name.partition("unfinished-")[0] for name in left] == [".b.tar."]
    assert "stopped: no backup was written" in said
    assert made.returncode == 0, made.stderr
    assert [file.name for file in place.iterdir()] == ["b.tar"]


def until(process: subprocess.Popen[str], seen: Callable[[], bool]) -> None:
    """Look again and again, until something is seen of a process that still runs."""
    give_up = time.monotonic() + 60
    while not seen():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < give_up


def test_a_killed_restore_goes_on_where_it_was(bare_url: sa.URL, tmp_path: Path) -> None:
    big = sa.make_url(f"sqlite:///{tmp_path}/big.db")
    fill_with_quotes(big, assets=200, slots=250)
    path = str(tmp_path / "b.tar")
    make_backup(Path(path), big, None, unwatched)
    there = {
        "COINLOG_DATABASE_URL": bare_url.render_as_string(hide_password=False),
        **elsewhere(tmp_path / "there"),
    }
    with opened(bare_url) as engine, engine.connect():
        pass
    process = start("restore", path, **there)
    engine = open_engine(bare_url, read_only=True)

    def rows() -> int:
        with engine.connect() as connection:
            count = sa.select(sa.func.count()).select_from(schema.quote)
            return int(connection.execute(count).scalar_one())

    until(process, lambda: rows() > 0)
    process.kill()
    process.communicate()
    left = rows()
    engine.dispose()
    half = run("status", **there)
    told = run_json("restore", path, **there)

    assert half.returncode == 1
    assert "the same `coinlog restore` goes on with it" in words(half.stderr)
    assert (told["resumed"], told["equal"], told["created"]) == (True, True, 0)
    assert 0 < told["written"] <= told["rows"] - left
    assert read_everything(bare_url) == read_everything(big)


def test_a_full_disk_is_one_sentence_and_no_loss(tmp_path: Path) -> None:
    big = sa.make_url(f"sqlite:///{tmp_path}/big.db")
    fill_with_quotes(big, assets=60, slots=250)
    path, place = tmp_path / "b.tar", tmp_path / "full"
    place.mkdir()
    there = elsewhere(tmp_path / "there")

    def limited(
        most_bytes: int, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        limits = (most_bytes, most_bytes)
        return subprocess.run(
            [*COMMAND, *arguments],
            env={**os.environ, **environment},
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, limits),
            capture_output=True,
            text=True,
            check=False,
        )

    asked = ("backup", str(place / "b.tar"), "--without-archive")
    full = limited(50_000, *asked, COINLOG_DATABASE_URL=str(big))
    make_backup(path, big, None, unwatched)
    # Room for the tables, and not for all that is in them.
    stopped = limited(300_000, "restore", str(path), **there)
    told = run_json("restore", str(path), **there)

    assert (full.returncode, stopped.returncode) == (1, 1)
    assert "cannot be written (File too large): make room" in words(full.stderr)
    assert "Traceback" not in full.stderr + stopped.stderr
    assert list(place.iterdir()) == []
    assert (told["resumed"], told["equal"]) == (True, True)
    assert read_everything(sa.make_url(f"sqlite:///{tmp_path}/there/coinlog.db")) == (
        read_everything(big)
    )


def test_a_damaged_one_is_named_by_its_part_and_changes_nothing(
    tmp_path: Path,
) -> None:
    url = sa.make_url(f"sqlite:///{tmp_path}/store.db")
    fill_every_table(url)
    path = tmp_path / "b.tar"
    make_backup(path, url, None, unwatched)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"store/quote-000001.jsonl.gz") + 600] ^= 1
    path.write_bytes(raw)

    refused = run("restore", str(path), **elsewhere(tmp_path / "there"))

    assert refused.returncode == 1
    assert f"store/quote-000001.jsonl.gz in {path} cannot be used" in words(refused.stderr)
    assert not (tmp_path / "there").exists()
