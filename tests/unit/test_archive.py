"""The archive: what is kept is what came, and nothing is ever overwritten."""

from __future__ import annotations

import gzip
import pickle
from functools import partial
from pathlib import Path

import msgspec
import pytest

from coinlog.archive import Archive, open_archive
from coinlog.attempts import AttemptKey, Claim, Manifest, slot_name
from coinlog.errors import ArchiveError, DamagedError, UsageError
from coinlog.market import Outcome, SourceKind
from coinlog.sources.answers import Answer
from samples import SLOT, STEP

KEY = AttemptKey(SLOT, "1")
BODY = b'{"data": [], "status": {}}\n'


@pytest.fixture(params=["folder", "memory"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return open_archive("memory://" if request.param == "memory" else str(tmp_path / "archive"))


def answer(name: str = "listings-1", body: bytes = BODY) -> Answer:
    return Answer(name, "v3/listings", {"limit": "2"}, 200, body, SLOT + 1.5, 0.2)


def put(archive: Archive, key: AttemptKey = KEY, *answers: Answer) -> Manifest:
    kept = tuple(archive.keep(key, one) for one in answers or (answer(),))
    manifest = Manifest(
        slot=slot_name(key.slot),
        attempt=key.attempt,
        outcome=Outcome.STORED,
        reason=None,
        detail="",
        source=SourceKind.COINMARKETCAP,
        interval_seconds=STEP,
        assets="top:2",
        started_at=SLOT + 1.0,
        captured_at=SLOT + 2.0,
        credits=1,
        answers=kept,
        program="coinlog test",
    )
    assert archive.finish(manifest)
    return manifest


def test_an_answer_comes_back_byte_for_byte(archive: Archive) -> None:
    odd = answer("fear-and-greed", bytes(range(256)))
    put(archive, KEY, answer(), odd)

    manifest, _ = archive.manifest(KEY)
    assert archive.answers(KEY, manifest) == [answer(), odd]


def test_only_attempts_with_a_manifest_are_attempts(archive: Archive) -> None:
    archive.keep(AttemptKey(SLOT, "9"), answer())
    put(archive)

    assert archive.attempts() == [KEY]


def test_attempts_come_oldest_first_from_a_slot_on(archive: Archive) -> None:
    keys = [AttemptKey(SLOT + step * STEP, name) for step in (2, 0, 1) for name in ("2", "1")]
    for key in keys:
        put(archive, key)

    assert archive.attempts() == sorted(keys)
    assert archive.attempts(SLOT + STEP) == sorted(keys)[2:]
    assert archive.slot_attempts(SLOT) == sorted(keys)[:2]


def test_a_manifest_is_written_once(archive: Archive) -> None:
    manifest = put(archive)

    assert not archive.finish(msgspec.structs.replace(manifest, credits=99))
    assert archive.manifest(KEY)[0].credits == 1


def test_a_claim_can_be_had_once(archive: Archive) -> None:
    claims = [Claim(1, SLOT + n, f"machine-{n}", 42, SLOT - 5.0) for n in range(2)]

    assert [archive.claim(SLOT, claim) for claim in claims] == [True, False]
    assert archive.claims(SLOT) == [claims[0]]


@pytest.mark.parametrize("damage", [b"", b"not gzip", gzip.compress(BODY + b" ", mtime=0)])
def test_a_damaged_answer_is_noticed(tmp_path: Path, damage: bytes) -> None:
    archive = open_archive(str(tmp_path))
    manifest = put(archive)
    (tmp_path / "captures" / slot_name(SLOT) / "1" / "listings-1.json.gz").write_bytes(damage)

    with pytest.raises(DamagedError, match=r"listings-1\.json\.gz"):
        archive.answers(KEY, manifest)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"slot": 1}', b"\xff\xfe", b"[" * 99_999])
def test_a_damaged_manifest_is_noticed(tmp_path: Path, damage: bytes) -> None:
    archive = open_archive(str(tmp_path))
    put(archive)
    (tmp_path / "captures" / slot_name(SLOT) / "1" / "manifest.json").write_bytes(damage)

    with pytest.raises(DamagedError, match="cannot be read"):
        archive.manifest(KEY)


def test_a_missing_answer_is_noticed(tmp_path: Path) -> None:
    archive = open_archive(str(tmp_path))
    manifest = put(archive)
    (tmp_path / "captures" / slot_name(SLOT) / "1" / "listings-1.json.gz").unlink()

    with pytest.raises(DamagedError, match="not in the archive"):
        archive.answers(KEY, manifest)


def test_what_does_not_belong_to_an_archive_is_passed_over(tmp_path: Path) -> None:
    archive = open_archive(str(tmp_path))
    put(archive)
    for stray in ("notes.txt", "captures/x/1/manifest.json", "captures/.DS_Store"):
        (tmp_path / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / stray).write_text("stray")

    assert archive.attempts() == [KEY]


def test_a_place_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(UsageError, match="s3://bucket/prefix"):
        open_archive("ftp://example.org/x")
    with pytest.raises(ArchiveError):
        open_archive(str(tmp_path / "file" / "archive"))


def test_an_archive_that_is_gone_as_a_whole_is_away_and_not_damaged(tmp_path: Path) -> None:
    archive = open_archive(str(tmp_path / "archive"))
    manifest = put(archive)
    assert archive.attempts() == [KEY]
    elsewhere = pickle.dumps(archive)
    (tmp_path / "archive").rename(tmp_path / "disk")
    (tmp_path / "archive").mkdir()

    for reader in (archive, pickle.loads(elsewhere)):  # noqa: S301  our own
        for use in (
            reader.attempts,
            partial(reader.manifest, KEY),
            partial(reader.answers, KEY, manifest),
            partial(reader.claim, SLOT, Claim(1, SLOT, "machine", 42, SLOT - 5.0)),
            partial(reader.keep, KEY, answer()),
            reader.objects.check_there,
        ):
            with pytest.raises(ArchiveError, match="mount its disk again") as found:
                use()
            assert not isinstance(found.value, DamagedError)
    assert [*(tmp_path / "archive").iterdir()] == []
    (tmp_path / "archive").rmdir()
    (tmp_path / "disk").rename(tmp_path / "archive")
    assert archive.attempts() == [KEY]
    assert archive.answers(KEY, manifest) == [answer()]
