"""Saved answers: each told by its own shape and time, and junk told by its name."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from adopting import at, first_ticker, only, prices, saved_answers, second_ticker, snapshot_of
from coinlog.errors import UsageError
from coinlog.imports.saved import SavedAnswers
from coinlog.market import Asset, SourceKind
from coinlog.sources.imported import Kind
from coinlog.sources.labels import Label
from market import encoded
from samples import HOUR, SLOT, STEP, listings_body

TOLD = at("2018-05-01T01:13:07Z")
BITCOIN: dict[str, str | None] = {
    "id": "bitcoin",
    "name": "Bitcoin",
    "symbol": "BTC",
    "price_usd": "9024.090000000001",
}
DEAD: dict[str, str | None] = {"id": "dead", "name": "Dead", "symbol": "DED", "price_usd": None}


def reasons(found: SavedAnswers) -> dict[str, str]:
    return {refusal.place: refusal.why for refusal in found.refusals.first}


def test_an_answer_of_today_is_kept_byte_for_byte(tmp_path: Path) -> None:
    body = listings_body([1, 1027], SLOT + 12)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.json.gz").write_bytes(gzip.compress(body))
    captured = only(saved_answers(tmp_path))

    (answer,) = captured.answers
    assert (answer.body, answer.endpoint) == (body, Kind.LISTINGS)
    assert answer.params == {"file": "deep/a.json.gz"}
    snapshot = snapshot_of(captured, {})
    assert prices(snapshot) == {1: 100.5, 1027: 100.5}
    assert (snapshot.observed_at, snapshot.missing, snapshot.notes) == (SLOT + 12, (), ())


def test_rows_saved_without_their_envelope_are_as_old_as_the_newest(tmp_path: Path) -> None:
    body = listings_body([1, 1027], SLOT + 12)
    (tmp_path / "a.json").write_bytes(body[len(b'{"data":') : body.index(b',"status"')])
    captured = only(saved_answers(tmp_path / "a.json"))

    assert captured.answers[0].endpoint == Kind.LISTINGS_DATA
    assert snapshot_of(captured, {}).observed_at == SLOT + 12
    assert prices(snapshot_of(captured, {})) == {1: 100.5, 1027: 100.5}


def test_the_first_ticker_says_slugs_and_strings(tmp_path: Path) -> None:
    rows: list[dict[str, str | None]] = [
        BITCOIN,
        {**BITCOIN, "id": "old", "last_updated": str(TOLD - HOUR)},
        DEAD,
    ]
    (tmp_path / "ticker.json").write_bytes(first_ticker(TOLD, rows))
    found = saved_answers(tmp_path)
    captured = only(found)
    bitcoin, old = Label("BTC", "Bitcoin", "bitcoin"), Label("BTC", "Bitcoin", "old")
    snapshot = snapshot_of(captured, {bitcoin: Asset(1, "Bitcoin", "BTC", "bitcoin")})

    assert found.seen.keys() == {bitcoin, old}
    assert captured.observed_at == TOLD
    (quote,) = snapshot.quotes
    assert (quote.asset_id, quote.price, quote.volume_24h) == (1, 9024.090000000001, 9007640000.0)
    assert (quote.circulating_supply, quote.max_supply, quote.rank) == (16823137.0, 21e6, 1)
    assert (quote.percent_change_24h, quote.percent_change_7d) == (-8.05, None)
    assert quote.last_updated == TOLD
    told = " ".join(missing.detail for missing in snapshot.missing)
    assert "DED" in told
    assert "'BTC, Bitcoin, old' is matched to no asset" in told


def test_the_second_ticker_says_ids(tmp_path: Path) -> None:
    (tmp_path / "ticker.json").write_bytes(second_ticker(TOLD, {1: 9024.09, 52: 0.83, 9: None}))
    captured = only(saved_answers(tmp_path))
    snapshot = snapshot_of(captured, {})

    assert captured.observed_at == TOLD
    assert prices(snapshot) == {1: 9024.09, 52: 0.83}
    assert [missing.reason for missing in snapshot.missing] == ["refused"]
    assert snapshot.assets[1] == Asset(52, "Asset 52", "A52", "asset-52")


@pytest.mark.parametrize("told", ["1", "BTC"])
@pytest.mark.parametrize("listed", [True, False])
def test_an_answer_about_single_assets_is_no_listing(
    tmp_path: Path, told: str, *, listed: bool
) -> None:
    (row,) = json.loads(listings_body([1], SLOT))["data"]
    body = json.loads(listings_body([1], SLOT))
    body["data"] = {told: [row] if listed else row}
    (tmp_path / "quotes.json").write_bytes(encoded(body))
    found = saved_answers(tmp_path)

    assert list(found.slots()) == []
    assert "quotes/latest" in reasons(found)["quotes.json"]


def test_pages_of_one_listing_are_one_attempt(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_bytes(second_ticker(TOLD, {1: 9024.09}))
    (tmp_path / "2.json").write_bytes(second_ticker(TOLD + 7, {52: 0.83}))
    (tmp_path / "3.json").write_bytes(second_ticker(TOLD + 60, {1: 9025.0}))
    found = saved_answers(tmp_path)
    (slot,) = found.slots()
    captured = list(found.captured(slot))

    assert [prices(snapshot_of(each, {})) for each in captured] == [
        {1: 9024.09, 52: 0.83},
        {1: 9025.0},
    ]
    assert [answer.name for answer in captured[0].answers] == ["listings-1", "listings-2"]


def test_answers_in_a_zip_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        file.writestr("a/1.json", listings_body([1], SLOT - STEP))
        file.writestr("a/2.json.gz", gzip.compress(listings_body([1], SLOT)))
        file.writestr("a/readme.txt", "hello")
    found = saved_answers(tmp_path / "all.zip")

    assert list(found.slots()) == [SLOT - STEP, SLOT]
    assert found.notes == ["1 file called neither .json nor .json.gz passed over"]


JUNK = {
    "empty.json": (b"", "not JSON"),
    "cut.json": (listings_body([1], SLOT)[:-40], "not JSON"),
    "error.json": (encoded({"status": {"error_code": 1001, "error_message": "Bad key"}}), "1001"),
    "none.json": (encoded({"status": {"error_code": 0}, "data": []}), "no row"),
    "list.json": (b"[]", "empty list"),
    "other.json": (b'{"bitcoin": {"usd": 1}}', "no answer of listings"),
    "numbers.json": (b"[1, 2, 3]", "no answer of listings"),
    "text.json": (b"hello", "not JSON"),
    "nan.json": (listings_body([1], SLOT).replace(b"100.5", b"NaN"), "not JSON"),
    "huge.json": (listings_body([1], SLOT).replace(b"100.5", b"1e999"), ""),
    "dead.json": (first_ticker(TOLD, [DEAD]), "no row of it can be used: DED"),
    "later.json": (listings_body([1], SLOT + 100 * STEP), "not over yet"),
    "before.json": (second_ticker(1, {1: 1.0}), "does not say when"),
    "simulated.json": (
        listings_body([1], SLOT).replace(b'"error_code"', b'"simulated":true,"error_code"'),
        "never share a store",
    ),
    "torn.json.gz": (gzip.compress(listings_body([1], SLOT))[:-9], "cannot be read"),
    "bomb.json.gz": (gzip.compress(b" " * 60_000_000), "more than 50,000,000 bytes"),
    "deep.json": (b"[" * 100_000, ""),
    "coingecko.json": (b'[{"id":"bitcoin","current_price":1}]', "no answer of listings"),
}


def test_junk_is_refused_file_by_file(tmp_path: Path) -> None:
    for name, (body, _) in JUNK.items():
        (tmp_path / name).write_bytes(body)
    (tmp_path / "good.json").write_bytes(listings_body([1], SLOT))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "a.json").mkdir()
    found = saved_answers(tmp_path)

    assert list(found.slots()) == [SLOT]
    assert found.count == len(JUNK) + 1
    why = reasons(found)
    assert why.keys() == JUNK.keys()
    assert {name: said in why[name] for name, (_, said) in JUNK.items()} == dict.fromkeys(
        JUNK, True
    )


def test_a_name_tells_the_time_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "top_2018-05-02_0600.json").write_bytes(second_ticker(TOLD, {1: 1.0}))
    (tmp_path / "top.json").write_bytes(second_ticker(TOLD, {1: 1.0}))
    found = saved_answers(tmp_path, time_from_name=True, form="top_%Y-%m-%d_%H%M")

    assert snapshot_of(only(found), {}).observed_at == at("2018-05-02T06:00:00Z")
    assert list(reasons(found)) == ["top.json"]


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(listings_body([1], SLOT))
    found = saved_answers(path)
    path.write_bytes(listings_body([1], SLOT + 1))

    with pytest.raises(UsageError, match="changed"):
        list(found.captured(SLOT))


def test_simulated_answers_are_for_the_simulated_market(tmp_path: Path) -> None:
    (tmp_path / "simulated.json").write_bytes(JUNK["simulated.json"][0])
    (tmp_path / "real.json").write_bytes(listings_body([1], SLOT))
    found = saved_answers(tmp_path, source=SourceKind.SIMULATED)

    assert snapshot_of(only(found), {}).source is SourceKind.SIMULATED
    assert list(reasons(found)) == ["real.json"]
