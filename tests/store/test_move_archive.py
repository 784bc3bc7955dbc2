"""Moving an archive: every object, byte for byte, between folders and buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coinlog.archive import MANIFEST, Archive, open_archive
from coinlog.attempts import AttemptKey, Claim, slot_name
from coinlog.errors import ArchiveError, DamagedError, UsageError
from coinlog.market import Outcome
from coinlog.move.archives import MovedArchive, compare_archives, move_archive
from market import put_attempt
from samples import SLOT, STEP

FIRST = f"captures/{slot_name(SLOT)}/1"


@contextmanager
def unwatched(_phase: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _: None


def move(origin: str, target: str) -> MovedArchive:
    return move_archive(origin, target, unwatched)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with an archive of three slots, one of them tried twice."""
    archive = open_archive(str(tmp_path / "archive"))
    archive.claim(SLOT, Claim(1, SLOT + 1.0, "here", 1, 1.0))
    put_attempt(archive, SLOT, outcome=Outcome.FAILED)
    for slot, name in ((SLOT, "2"), (SLOT + STEP, "1"), (SLOT + 2 * STEP, "1")):
        put_attempt(archive, slot, name)
    archive.objects.create("backfill/asset-1/20260126T000000Z/asset-1.json.gz", b"history")
    archive.objects.create("backfill/asset-1/20260126T000000Z/manifest.json", b"{}")
    archive.objects.create("README", b"kept by hand")
    return tmp_path / "archive"


def contents(archive: Archive) -> dict[str, bytes]:
    return {path: archive.objects.read(path) for path in archive.objects.sizes("")}


def test_an_archive_goes_to_a_bucket_and_back_the_same(
    folder: Path, bucket: str, tmp_path: Path
) -> None:
    there, back = f"s3://{bucket}/some/prefix", tmp_path / "back"

    moved, again = move(str(folder), there), move(there, str(back))

    wanted = contents(open_archive(str(folder)))
    assert (moved.copied, moved.objects) == (len(wanted), len(wanted)) == (12, 12)
    assert moved == again
    assert moved.bytes == sum(map(len, wanted.values()))
    assert contents(open_archive(there)) == contents(open_archive(str(back))) == wanted
    assert open_archive(there).attempts() == open_archive(str(folder)).attempts()


def test_an_archive_in_a_bucket_is_recorded_into_and_read(bucket: str) -> None:
    archive = open_archive(f"s3://{bucket}/coinlog")
    put_attempt(archive, SLOT)

    key = AttemptKey(SLOT, "1")
    manifest, _ = archive.manifest(key)
    assert archive.attempts() == [key]
    assert [answer.status for answer in archive.answers(key, manifest)] == [200]
    assert not archive.finish(manifest)
    assert archive.claim(SLOT, Claim(1, SLOT + 1.0, "here", 1, 1.0))
    assert not archive.claim(SLOT, Claim(1, SLOT + 2.0, "there", 2, 2.0))
    archive.objects.check_writable()


def test_of_a_bucket_that_is_gone_no_object_counts_as_damaged(bucket: str) -> None:
    archive = open_archive(f"s3://{bucket}-gone/coinlog")

    for use in (lambda: archive.manifest(AttemptKey(SLOT, "1")), archive.attempts):
        with pytest.raises(ArchiveError) as found:
            use()
        assert not isinstance(found.value, DamagedError)


@pytest.fixture(params=["folder", "bucket"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return an empty place: the test runs once on a folder, once on a bucket."""
    if request.param == "folder":
        return str(tmp_path / "there")
    return f"s3://{request.getfixturevalue('bucket')}"


def test_a_move_goes_on_with_what_is_not_there_yet(folder: Path, target: str) -> None:
    there = open_archive(target)
    here = open_archive(str(folder))
    held = [path for path in here.objects.sizes("") if MANIFEST not in path]
    for path in held:
        there.objects.create(path, here.objects.read(path))

    assert move(str(folder), target).copied == 12 - len(held)
    assert move(str(folder), target) == MovedArchive(
        objects=12, bytes=sum(here.objects.sizes("").values())
    )


def test_what_was_recorded_at_the_new_place_stays(folder: Path, target: str) -> None:
    move(str(folder), target)
    put_attempt(open_archive(target), SLOT + 9 * STEP)
    put_attempt(open_archive(str(folder)), SLOT + 3 * STEP)

    moved = move(str(folder), target)

    assert (moved.copied, moved.others, moved.differences) == (2, 0, [])
    assert len(open_archive(target).attempts()) == 6


def test_an_attempt_counts_only_once_all_its_answers_are_there(
    folder: Path, tmp_path: Path
) -> None:
    # A folder stands where an answer should go.
    (tmp_path / "there" / FIRST / "listings-1.json.gz" / "x").mkdir(parents=True)

    moved = move(str(folder), str(tmp_path / "there"))

    assert moved.differences == [
        f"{FIRST}/listings-1.json.gz: it is not there",
        f"{FIRST}/manifest.json: it is not there",
    ]
    assert AttemptKey(SLOT, "1") not in open_archive(str(tmp_path / "there")).attempts()


def test_a_place_that_cannot_be_written_is_told_and_can_be_tried_again(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    blocked = tmp_path / "there" / "captures"
    blocked.write_text("a file where a folder should be")

    with pytest.raises(ArchiveError, match="the archive could not be used at"):
        move(str(folder), str(tmp_path / "there"))

    blocked.unlink()
    assert move(str(folder), str(tmp_path / "there")).differences == []


def test_an_answer_that_differs_there_is_told_and_never_overwritten(
    folder: Path, target: str
) -> None:
    open_archive(target).objects.create(f"{FIRST}/listings-1.json.gz", b"other")

    moved = move(str(folder), target)

    size = len(open_archive(str(folder)).objects.read(f"{FIRST}/listings-1.json.gz"))
    assert moved.differences == [
        f"{FIRST}/listings-1.json.gz: {size:,} bytes here, 5 there",
        f"{FIRST}/manifest.json: it is not there",
    ]
    assert open_archive(target).objects.read(f"{FIRST}/listings-1.json.gz") == b"other"
    assert AttemptKey(SLOT, "1") not in open_archive(target).attempts()


def test_a_single_flipped_bit_is_found(folder: Path, target: str) -> None:
    path = f"{FIRST}/listings-1.json.gz"
    body = bytearray(open_archive(str(folder)).objects.read(path))
    body[-1] ^= 1
    open_archive(target).objects.create(path, bytes(body))

    moved = move(str(folder), target)
    again = compare_archives(str(folder), target, unwatched)

    assert [text.partition(" SHA-256 ")[0] for text in moved.differences] == [f"{path}:"]
    assert again.differences == moved.differences


def test_comparing_names_what_is_missing_and_copies_nothing(folder: Path, target: str) -> None:
    found = compare_archives(str(folder), target, unwatched)

    assert len(found.differences) == found.objects == 12
    assert found.differences[-1] == "README: it is not there"
    assert open_archive(target).objects.sizes("") == {}


def test_another_archive_is_not_moved_into(folder: Path, target: str) -> None:
    put_attempt(open_archive(target), SLOT + 9 * STEP)

    with pytest.raises(UsageError, match="holds another archive: none of its 1 folders"):
        move(str(folder), target)

    assert len(open_archive(target).objects.sizes("")) == 2


def test_another_archive_is_known_by_its_attempts_where_slots_are_the_same(
    folder: Path, target: str
) -> None:
    put_attempt(open_archive(target), SLOT + STEP, ids=(1, 1027, 7))
    before = contents(open_archive(target))

    with pytest.raises(UsageError, match=r"another archive: .*manifest\.json is not the one in"):
        move(str(folder), target)

    assert contents(open_archive(target)) == before


def test_places_that_are_no_archive_or_not_apart_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no archive at"):
        move(str(tmp_path / "mistyped"), str(tmp_path / "there"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there is nothing at"):
        move(str(tmp_path / "empty"), str(tmp_path / "there"))
    for one, other in ((folder, folder / "in"), (folder / "captures", folder), (folder, folder)):
        with pytest.raises(UsageError, match="are both in"):
            move(str(one), str(other))

    assert {path.name for path in tmp_path.iterdir()} == {"archive", "empty"}


def test_two_logbooks_are_joined_and_what_both_have_recorded_stays(
    folder: Path, target: str
) -> None:
    there = open_archive(target)
    put_attempt(there, SLOT + STEP, ids=(1, 1027, 7))
    put_attempt(there, SLOT + 9 * STEP)
    before = contents(there)

    moved = move_archive(str(folder), target, unwatched, join=True)

    assert (moved.left, moved.differences) == (1, [])
    after, wanted = contents(there), contents(open_archive(str(folder)))
    assert before.items() <= after.items()
    of_both = f"captures/{slot_name(SLOT + STEP)}/"
    assert after == {k: v for k, v in wanted.items() if not k.startswith(of_both)} | before
    again = move_archive(str(folder), target, unwatched, join=True)
    assert (again.copied, again.left) == (0, 1)
