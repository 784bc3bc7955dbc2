"""Which asset a label means: two of its parts agree on one, or nobody is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from coinlog.errors import UsageError
from coinlog.imports.assets import (
    Directory,
    Matching,
    Seen,
    Unmatched,
    add_map,
    choose,
    match_labels,
)
from coinlog.imports.given import parse_map
from coinlog.market import Asset
from coinlog.slots import parse_time
from coinlog.sources.labels import Label
from market import encoded

LONG_AGO = parse_time("2019-01-01")


@pytest.fixture
def directory() -> Directory:
    rows = [
        (1, "Bitcoin", "BTC", "bitcoin", "2010-07-13T00:05:00.000Z"),
        (4023, "Bitcoin BEP2", "BTC", "bitcoin-bep2", None),
        (4172, "Terra Classic", "LUNC", "terra-luna", "2019-07-26T00:00:00.000Z"),
        (20314, "Terra", "LUNA", "terra-luna-v2", "2022-05-28T09:35:00.000Z"),
        (11, "Twin", "TWN", "twin", None),
        (12, "TWIN", "twn", "twin-2", None),
    ]
    names = ("id", "name", "symbol", "slug", "first_historical_data")
    directory = Directory()
    add_map(directory, encoded({"data": [dict(zip(names, row, strict=True)) for row in rows]}))
    return directory


def match(directory: Directory, label: Label, first: int = LONG_AGO) -> int | None:
    asset = directory.match(label, first)
    return asset.id if asset else None


def test_symbol_and_name_together_tell_an_asset(directory: Directory) -> None:
    assert match(directory, Label("BTC", "Bitcoin")) == 1
    assert match(directory, Label("btc", "bitcoin")) == 1
    assert match(directory, Label("BTC", "Bitcoin BEP2")) == 4023


def test_one_of_them_alone_tells_nobody(directory: Directory) -> None:
    assert match(directory, Label("BTC")) is None
    assert match(directory, Label(name="Bitcoin")) is None
    assert match(directory, Label(slug="bitcoin")) is None
    assert match(directory, Label("BTC", "Bitcoins")) is None


def test_names_that_differ_by_case_alone_are_told_by_it_or_not_at_all(
    directory: Directory,
) -> None:
    assert match(directory, Label("TWN", "Twin")) == 11
    assert match(directory, Label("twn", "TWIN")) == 12
    assert match(directory, Label("Twn", "twin")) is None


def test_a_slug_must_agree_with_the_rest(directory: Directory) -> None:
    assert match(directory, Label("BTC", "Bitcoin", "bitcoin")) == 1
    assert match(directory, Label("XBT", "Bitcoin", "bitcoin")) == 1
    assert match(directory, Label("BTC", "Bitcoin", "bitcoin-bep2")) is None
    assert match(directory, Label("BTC", "Bitcoin", "another")) is None


def test_an_asset_is_not_taken_for_rows_older_than_its_first_quote(directory: Directory) -> None:
    assert match(directory, Label("LUNA", "Terra"), parse_time("2023-01-01")) == 20314
    assert match(directory, Label("LUNA", "Terra"), parse_time("2021-01-01")) is None


def test_a_former_name_tells_an_asset_too(directory: Directory) -> None:
    directory.add(Asset(4172, "Terra", "LUNA", "terra-luna"), former=True)

    assert match(directory, Label("LUNA", "Terra"), parse_time("2021-01-01")) == 4172
    assert match(directory, Label("LUNA", "Terra"), parse_time("2023-01-01")) is None


def labels(*found: Label) -> dict[Label, Seen]:
    return {label: Seen(3, LONG_AGO) for label in found}


def test_what_the_user_says_stands(directory: Directory) -> None:
    used: set[str] = set()
    seen = labels(Label("BTC", "Bitcoin"), Label("XYZ", "New"), Label("OLD"))
    matching = match_labels(seen, directory, {"BTC": 4023, "New": 77}, used)

    assert {label.symbol: asset.id for label, asset in matching.matches.items()} == {
        "BTC": 4023,
        "XYZ": 77,
    }
    assert matching.matches[Label("XYZ", "New")] == Asset(77, "New", "XYZ", "")
    assert [each.label.symbol for each in matching.unmatched] == ["OLD"]
    assert used == {"BTC", "New"}


def test_two_ids_for_one_label_are_refused(directory: Directory) -> None:
    with pytest.raises(UsageError, match="two ids"):
        match_labels(labels(Label("BTC", "Bitcoin")), directory, {"BTC": 1, "Bitcoin": 2}, set())
    with pytest.raises(UsageError, match="two ids"):
        parse_map(["BTC=1,BTC=2"])


def test_candidates_share_a_part_of_the_label(directory: Directory) -> None:
    (doubt,) = match_labels(labels(Label("BTC")), directory, {}, set()).unmatched

    assert [asset.id for asset in doubt.candidates] == [1, 4023]


def test_who_is_asked_for_is_matched_and_the_rest_is_left(directory: Directory) -> None:
    matching = match_labels(labels(Label("BTC"), Label("ETH")), directory, {}, set())

    def answer(each: Unmatched) -> int | None:
        return 1 if each.label.symbol == "BTC" else None

    chosen = choose(matching, directory, answer)

    assert chosen == Matching({Label("BTC"): directory.by_id[1]}, [matching.unmatched[1]])


def test_a_map_is_read_from_the_option_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_text('symbol,id\nBTC,1\n"A, B",2\n')

    assert parse_map(["ETH=1027,a=b=3", str(file)]) == {"ETH": 1027, "a=b": 3, "BTC": 1, "A, B": 2}


@pytest.mark.parametrize("text", ["BTC=", "=1", "BTC=x", "BTC=0", "BTC=99999999999", "nowhere.csv"])
def test_a_map_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--map"):
        parse_map([text])


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"data":[{"id":"x"}]}', b"\xff"])
def test_an_assets_file_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="/v1/cryptocurrency/map"):
        add_map(Directory(), body)
