"""From the bytes of an answer to typed rows, by name, in one pass.

Keys that are not named here are ignored: the source adds and drops them without notice. Shapes of
v1, v2 and v3 are read alike: ``data`` is a list, or a dict of rows or of lists of rows; ``quote``
is a dict by currency (v1, v2) or a list (v3).

A body that cannot be decoded (cut off, NaN, 1e999, HTML) raises BrokenAnswerError; a row that is
wrong in itself is refused alone.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.slots import MAX_ASSET_ID
from coinlog.sources.texts import first_words

T = TypeVar("T")

AssetId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ASSET_ID)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Count = int | float | None


class QuoteRow(msgspec.Struct):
    """What a row says in one currency."""

    price: Amount
    id: Any = None
    symbol: Any = None
    market_cap: Amount | None = None
    fully_diluted_market_cap: Amount | None = None
    volume_24h: Amount | None = None
    percent_change_1h: float | None = None
    percent_change_24h: float | None = None
    percent_change_7d: float | None = None
    percent_change_30d: float | None = None
    last_updated: Any = None


class AssetRow(msgspec.Struct):
    """One asset of listings/latest or quotes/latest."""

    id: AssetId
    name: str
    symbol: str
    quote: dict[str, QuoteRow] | list[QuoteRow]
    slug: str = ""
    circulating_supply: Amount | None = None
    total_supply: Amount | None = None
    max_supply: Amount | None = None
    cmc_rank: Count = None
    num_market_pairs: Count = None
    is_fiat: int | bool | None = None
    last_updated: Any = None


class Envelope(msgspec.Struct, Generic[T]):
    """What every answer is wrapped in. ``status`` is read apart, by name (``status.py``)."""

    data: T
    status: Any = None


class Refused(msgspec.Struct, frozen=True):
    """A row that is wrong in itself: its asset's id where that can be read, and why."""

    asset_id: int | None
    why: str


class _Id(msgspec.Struct):
    id: AssetId


_ROWS = msgspec.json.Decoder(Envelope[list[AssetRow] | dict[str, AssetRow | list[AssetRow]]])
_ROW = msgspec.json.Decoder(AssetRow)
_ID = msgspec.json.Decoder(_Id)
_ANYTHING = msgspec.json.Decoder()
_APART = msgspec.json.Decoder(Envelope[msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_DICT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_rows(body: bytes) -> tuple[Any, list[AssetRow], list[Refused]]:
    """Return an answer's status (as it is), its rows in order, and the rows refused.

    Raises:
        BrokenAnswerError: the body cannot be decoded.
    """
    check_numbers(body)
    try:
        answer = decode(_ROWS, body)
    except msgspec.ValidationError:
        return _read_apart(body)
    return answer.status, _flat(answer.data), []


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return a decoded body; text with halves of surrogate pairs is mended first.

    Raises:
        BrokenAnswerError: it is no JSON.
        msgspec.ValidationError: it is JSON of another shape.
    """
    try:
        return _decode_or_mend(decoder, body)
    except msgspec.ValidationError:
        raise
    except RecursionError as error:
        raise BrokenAnswerError("got JSON nested too deeply to be an answer") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise BrokenAnswerError(
            f"got a body of {len(body)} bytes that is not JSON ({error}), beginning with "
            f"{first_words(body)}: expected the source's JSON; was it cut off, or did another "
            "server answer?"
        ) from error


def _decode_or_mend(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _mend_surrogates(body)
        if mended == body:
            raise
        return decoder.decode(mended)


_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|"
    rb"(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def _mend_surrogates(body: bytes) -> bytes:
    r"""Return the body with each lone ``\ud83d`` replaced by U+FFFD, the replacement character.

    A source that cuts names by UTF-16 units leaves half an emoji: one such name shall not cost
    the slot, and no database takes it as it is.
    """
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)


_SHAPE = bytes.maketrans(b"123456789E", b"000000000e")
_LARGE_EXPONENT = re.compile(rb"0e\+?000+[\s,}\]]")
_MANY_DIGITS = b"0" * 200


def check_numbers(body: bytes) -> None:
    """Refuse a body with a number that no double holds, such as 1e999, in whatever key.

    msgspec skips the values of ignored keys. Decoding everything takes 28 ms for 5,000 rows; to
    look for numbers that could be too large (an exponent of three digits, or 200 digits: no
    other reaches 1.8e308) takes 8 ms, and only what looks suspicious is decoded whole.

    Raises:
        BrokenAnswerError: there is such a number.
    """
    shape = body.translate(_SHAPE)
    if _MANY_DIGITS not in shape and not _LARGE_EXPONENT.search(shape):
        return
    try:
        decode(_ANYTHING, body)
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(
            f"got a number that no double can hold ({error}): expected finite numbers; the answer "
            "is kept in the archive"
        ) from error


def _flat(data: list[AssetRow] | dict[str, AssetRow | list[AssetRow]]) -> list[AssetRow]:
    if isinstance(data, list):
        return data
    rows: list[AssetRow] = []
    for value in data.values():
        rows.extend(value if isinstance(value, list) else [value])
    return rows


def _read_apart(body: bytes) -> tuple[Any, list[AssetRow], list[Refused]]:
    """Decode row by row, to tell the rows that are right from those that are not."""
    try:
        answer = decode(_APART, body)
        raws = _raw_rows(answer.data)
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(
            f"got JSON of an unknown shape ({error}), beginning with {first_words(body)}: expected "
            "an object with status and data"
        ) from error
    rows: list[AssetRow] = []
    refused: list[Refused] = []
    for raw in raws:
        try:
            rows.append(decode(_ROW, bytes(raw)))
        except msgspec.ValidationError as error:
            refused.append(Refused(_id_of(raw), str(error).replace("`", "")))
    return answer.status, rows, refused


def _raw_rows(data: msgspec.Raw) -> list[msgspec.Raw]:
    if not bytes(data).lstrip().startswith(b"{"):
        return _LIST.decode(data)
    raws: list[msgspec.Raw] = []
    for value in _DICT.decode(data).values():
        raws.extend(_LIST.decode(value) if bytes(value).startswith(b"[") else [value])
    return raws


def _id_of(raw: msgspec.Raw) -> int | None:
    try:
        return decode(_ID, bytes(raw)).id
    except msgspec.ValidationError:
        return None
