"""Imported bodies in an archive are read again from the archive alone, or told to be broken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adopting import BTC, MATCHES, prices
from coinlog.errors import BrokenAnswerError
from coinlog.market import Outcome, Snapshot
from coinlog.sources.answers import Answer
from coinlog.sources.imported import MATCHES as MATCHES_NAME
from coinlog.sources.imported import Kind, read_imported
from coinlog.sources.labels import read_matches, write_matches
from coinlog.verdict import judge_imported
from market import encoded
from samples import SLOT

TABLE: dict[str, Any] = {
    "format": 1,
    "unit": "row",
    "header": ["Name", "Symbol", "Price", "Time"],
    "columns": {"name": "Name", "symbol": "Symbol", "price": "Price", "time": "Time"},
    "decimal": ".",
    "zone": "UTC",
    "rows": [[1, SLOT + 5, ["Bitcoin", "BTC", "1.5", "x"]]],
}


def answers(body: bytes, matches: bytes | None = None, kind: str = Kind.TABLE) -> list[Answer]:
    told = write_matches({BTC: MATCHES[BTC]}) if matches is None else matches
    return [
        Answer("rows-1", kind, {}, 200, body, SLOT + 5.0, 0.0),
        Answer(MATCHES_NAME, MATCHES_NAME, {}, 200, told, SLOT + 5.0, 0.0),
    ]


def read(**changes: object) -> Snapshot:
    return read_imported(answers(encoded({**TABLE, **changes})))


def test_a_body_of_ours_is_read() -> None:
    assert prices(read()) == {1: 1.5}
    assert read_matches(write_matches(MATCHES)) == MATCHES


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": {"price": "Nowhere"}},
        {"columns": {}},
        {"rows": []},
        {"rows": [[1, SLOT, ["Bitcoin"]]]},
        {"rows": [[1, SLOT]]},
        {"rows": [[1, 2**62, ["Bitcoin", "BTC", "1.5", "x"]]]},
        {"rows": [[1, SLOT, [None, None, None, None]]]},
        {"header": "none"},
        {"decimal": "?"},
        {"decimal": None},
    ],
)
def test_a_body_that_is_not_as_we_wrote_it_is_broken(changes: dict[str, object]) -> None:
    with pytest.raises(BrokenAnswerError):
        read(**changes)


@pytest.mark.parametrize("matches", [b"", b"{}", b"[]", b"\xff", b'{"matches":[{}]}', b"[" * 5000])
def test_matches_that_are_not_as_we_wrote_them_are_broken(matches: bytes) -> None:
    with pytest.raises(BrokenAnswerError, match="import it again"):
        read_imported(answers(encoded(TABLE), matches))


def test_matches_alone_are_no_attempt() -> None:
    with pytest.raises(BrokenAnswerError):
        read_imported(answers(encoded(TABLE))[1:])


@pytest.mark.parametrize("kind", [*Kind, "another"])
@given(st.binary(max_size=200), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_no_body_ever_raises_anything_else(kind: str, junk: bytes, at: int, flipped: bytes) -> None:
    whole = encoded(TABLE)
    for body in (junk, whole[:at] + flipped + whole[at + len(flipped) :]):
        verdict = judge_imported(answers(body, kind=kind))
        assert (verdict.outcome is Outcome.FAILED) == (verdict.snapshot is None)
        assert msgspec.json.encode(verdict)
