"""Hostile, partial and huge bodies: refused whole, or row by row, and never believed."""

from __future__ import annotations

import json
import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlog.errors import BrokenAnswerError
from coinlog.sources.decode import AssetRow, Refused, check_numbers, read_rows
from coinlog.sources.quotes import asset_of, quote_of

ROW = (
    '{"id": 1, "name": "Bitcoin", "symbol": "BTC", "slug": "bitcoin", "circulating_supply": 2, '
    '"quote": {"USD": {"price": PRICE, "market_cap": 3}}, "further": FURTHER}'
)
OTHER = ROW.replace('"id": 1', '"id": 1027').replace("PRICE", "2").replace("FURTHER", "0")


def body(price: str = "1", further: str = "0") -> bytes:
    row = ROW.replace("PRICE", price).replace("FURTHER", further)
    return f'{{"status": {{}}, "data": [{row}, {OTHER}]}}'.encode()


def rows_of(text: bytes) -> tuple[list[int], list[Refused]]:
    _, rows, refused = read_rows(text)
    return [row.id for row in rows], refused


def price_of(text: str) -> float:
    quote = quote_of(read_rows(body(text))[1][0])
    assert quote
    return quote.price


UNREADABLE = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1E+400", "12e308", "01", "'1'"]
HUGE = ["9" * 250 + "e99", "9" * 400 + ".5", "1" + "0" * 4999]


@pytest.mark.parametrize("text", [*UNREADABLE, *HUGE])
@pytest.mark.parametrize("where", ["price", "further"])
def test_a_number_that_is_none_fails_the_whole_answer(text: str, where: str) -> None:
    with pytest.raises(BrokenAnswerError, match="expected"):
        read_rows(body(**{where: text}))


@pytest.mark.parametrize(
    "text",
    ["", " ", "[", "<html>", "null", "[]", "1", '"x"', '{"data": 1}', '{"data": null}', "{}"],
)
def test_what_is_no_answer_fails(text: str) -> None:
    with pytest.raises(BrokenAnswerError, match="expected"):
        read_rows(text.encode())


@pytest.mark.parametrize("cut", [1, 10, 100, 200])
def test_a_body_cut_off_anywhere_fails(cut: int) -> None:
    with pytest.raises(BrokenAnswerError, match="cut off"):
        read_rows(body()[:-cut])


def test_nesting_without_end_fails_and_crashes_nothing() -> None:
    with pytest.raises(BrokenAnswerError, match="nested"):
        read_rows(body(further="[" * 200_000 + "]" * 200_000))


@pytest.mark.parametrize(
    ("price", "why"),
    [
        ("null", "got null"),
        ("-1", ">= 0"),
        ("-1e-300", ">= 0"),
        ('"12.5"', "got str"),
        ("{}", "got object"),
        ("true", "got bool"),
        ("9" * 310, "out of range"),
    ],
)
def test_a_price_that_is_wrong_refuses_its_row_alone(price: str, why: str) -> None:
    ids, refused = rows_of(body(price))
    assert ids == [1027]
    assert [refusal.asset_id for refusal in refused] == [1]
    assert why in refused[0].why


@pytest.mark.parametrize("asset_id", ["0", "-1", "2147483648", "1.5", '"1"', "null", "9" * 30])
def test_a_row_without_a_usable_id_is_refused(asset_id: str) -> None:
    ids, refused = rows_of(body().replace(b'"id": 1,', f'"id": {asset_id},'.encode()))
    assert ids == [1027]
    assert [refusal.asset_id for refusal in refused] == [None]


@pytest.mark.parametrize("gone", ["id", "name", "symbol", "quote"])
def test_a_row_without_what_makes_it_one_is_refused(gone: str) -> None:
    ids, refused = rows_of(body().replace(f'"{gone}"'.encode(), b'"other"', 1))
    assert ids == [1027]
    assert f"missing required field {gone}" in refused[0].why


@pytest.mark.parametrize("row", ["null", "[]", "17", '"x"', "{}"])
def test_what_is_no_row_is_refused(row: str) -> None:
    ids, refused = rows_of(f'{{"data": [{row}, {OTHER}]}}'.encode())
    assert (ids, len(refused)) == ([1027], 1)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("0", 0.0),
        ("1e-18", 1e-18),
        ("1.22691e-19", 1.22691e-19),
        ("5e-324", 5e-324),
        ("155579987314341800", 155579987314341800.0),
        ("9007199254740993", 9007199254740992.0),
        ("1.234567890123456789012345678901234567890123", 1.2345678901234567),
        ("1e308", 1e308),
    ],
)
def test_a_number_is_the_nearest_double(text: str, price: float) -> None:
    assert price_of(text) == price


def test_of_doubled_keys_the_last_counts() -> None:
    assert price_of('5, "price": 7') == 7


@pytest.mark.parametrize(
    "data",
    ["[ROW]", '{"1": ROW}', '{"BTC": [ROW]}', '{"BTC": [ROW], "NONE": []}', '{"x": ROW, "y": []}'],
)
def test_every_shape_of_data_is_read(data: str) -> None:
    assert rows_of(f'{{"data": {data.replace("ROW", OTHER)}}}'.encode()) == ([1027], [])


@pytest.mark.parametrize("data", ['{"1": ROW}', '{"BTC": [ROW]}', '{ "a" :  [ ROW , ROW ] }'])
def test_rows_are_refused_alone_in_every_shape(data: str) -> None:
    bad = OTHER.replace('"price": 2', '"price": null')
    ids, refused = rows_of(f'{{"data": {data.replace("ROW", bad)}}}'.encode())
    assert ids == []
    assert {refusal.asset_id for refusal in refused} == {1027}


@pytest.mark.parametrize(
    "quote",
    [
        '{"USD": {"price": 5}}',
        '{"2781": {"price": 5}}',
        '[{"id": 2781, "symbol": "USD", "price": 5}]',
        '[{"id": 1, "symbol": "BTC", "price": 1}, {"id": 2781, "price": 5}]',
        '{"BTC": {"price": 1}, "USD": {"price": 5}}',
    ],
)
def test_the_quote_in_usd_is_found_in_every_shape(quote: str) -> None:
    row = OTHER.replace('{"USD": {"price": 2, "market_cap": 3}}', quote)
    _, rows, _ = read_rows(f'{{"data": [{row}]}}'.encode())
    found = quote_of(rows[0])
    assert found
    assert found.price == 5


@pytest.mark.parametrize("quote", ["{}", "[]", '{"BTC": {"price": 1}}', '[{"id": 1, "price": 1}]'])
def test_another_currency_is_never_taken_for_usd(quote: str) -> None:
    row = OTHER.replace('{"USD": {"price": 2, "market_cap": 3}}', quote)
    _, rows, _ = read_rows(f'{{"data": [{row}]}}'.encode())
    assert quote_of(rows[0]) is None


def row(**fields: object) -> AssetRow:
    given = {**json.loads(OTHER), **fields}
    _, rows, refused = read_rows(json.dumps({"data": [given]}).encode())
    assert refused == []
    return rows[0]


def test_names_are_cut_to_what_the_store_holds_and_otherwise_kept() -> None:
    given = asset_of(row(name="🚀\n" * 300, symbol="<b>" * 100, slug="é" * 300, is_fiat=1))
    assert given.name == ("🚀\n" * 300)[:255]
    assert given.symbol == ("<b>" * 100)[:64]
    assert (len(given.slug), given.is_fiat) == (255, True)


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude80", "\\uD83D!", "\\ud83d\\n", "x\\udfff"])
def test_half_an_emoji_becomes_the_replacement_character(half: str) -> None:
    text = OTHER.replace("Bitcoin", half + " \\\\ud83d \\ud83d\\ude80")
    _, rows, _ = read_rows(f'{{"data": [{text}], "ignored": "{half}"}}'.encode())
    rows[0].name.encode()
    assert "\ufffd" in rows[0].name
    assert rows[0].name.endswith(" \\ud83d 🚀")


def test_a_name_that_is_no_utf8_fails_the_answer() -> None:
    with pytest.raises(BrokenAnswerError, match="utf-8"):
        read_rows(body().replace(b"Bitcoin", b"Bitc\xff\xfein"))


@pytest.mark.parametrize("count", [-1, 2**31, 1.5, 1e300, None])
def test_a_rank_that_is_no_count_is_unknown(count: float | None) -> None:
    quote = quote_of(row(cmc_rank=count, num_market_pairs=count))
    assert quote
    assert (quote.rank, quote.num_market_pairs) == (None, None)


@pytest.mark.parametrize("time", [None, "", "yesterday", 1769450000, "0001-01-01T00:00:00Z", []])
def test_a_time_that_cannot_be_read_is_unknown(time: object) -> None:
    quote = quote_of(row(last_updated=time))
    assert quote
    assert quote.last_updated is None


def test_the_rows_time_is_in_seconds_utc() -> None:
    quote = quote_of(row(last_updated="2026-01-26T20:42:00.000Z"))
    assert quote
    assert quote.last_updated == 1769460120


@pytest.mark.parametrize(
    ("cap", "supply", "known"),
    [(0, 0, None), (0, None, None), (None, 5, None), (0, 5, 0.0), (7, 0, 7.0), (7, 5, 7.0)],
)
def test_a_market_cap_of_0_without_supply_is_unknown(
    cap: float | None, supply: float | None, known: float | None
) -> None:
    quotes = {"USD": {"price": 1, "market_cap": cap, "fully_diluted_market_cap": 0}}
    quote = quote_of(row(quote=quotes, circulating_supply=supply))
    assert quote
    assert (quote.market_cap, quote.fully_diluted_market_cap) == (known, 0.0)


numbers = st.one_of(
    st.floats(min_value=0, allow_nan=False, allow_infinity=False).map(repr),
    st.integers(min_value=0, max_value=10**60).map(str),
    st.from_regex(r"(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
)


@given(numbers)
def test_every_number_is_read_as_python_reads_it(text: str) -> None:
    assert struct.pack("d", price_of(text)) == struct.pack("d", float(json.loads(text)))


@given(st.from_regex(r"-?[1-9][0-9]{0,320}(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_no_number_beyond_doubles_slips_through_in_an_ignored_key(text: str) -> None:
    finite = math.isfinite(float(text))
    try:
        check_numbers(body(further=text))
    except BrokenAnswerError:
        assert not finite
    else:
        # A whole number is exact in whatever key: only what would become infinite is refused.
        assert finite or text.lstrip("-").isdecimal()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
keys = [*AssetRow.__struct_fields__, "price", "further"]
odd_rows = st.dictionaries(st.sampled_from(keys), anything, max_size=6)


@given(st.lists(odd_rows | anything, max_size=4), st.booleans())
def test_whatever_comes_is_read_or_refused(given_rows: list[object], keyed: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    rows = [
        {**json.loads(OTHER), **each} if isinstance(each, dict) else each for each in given_rows
    ]
    data = {str(number): each for number, each in enumerate(rows)} if keyed else rows
    try:
        _, good, _ = read_rows(json.dumps({"data": data}).encode())
    except BrokenAnswerError as error:
        assert str(error).isprintable()
        return
    quotes = [quote for each in good if (quote := quote_of(each))]
    assert all(math.isfinite(quote.price) and quote.price >= 0 for quote in quotes)
    msgspec.json.encode([asset_of(each) for each in good])


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_broken_answer(noise: bytes) -> None:
    for text in (noise, body().replace(b"Bitcoin", noise), body()[: len(noise)] + noise):
        try:
            read_rows(text)
        except BrokenAnswerError as error:
            assert "\n" not in str(error)
