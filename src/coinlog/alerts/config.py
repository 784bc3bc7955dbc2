"""The file of alerts, ``alerts.toml``: read, and refused with a sentence where it is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from coinlog.alerts.drift_rule import Drift
from coinlog.alerts.keys import (
    Key,
    asset_id,
    currency,
    margin,
    number,
    percent,
    percent_change,
    whole,
    window,
    words,
)
from coinlog.alerts.market_rules import DOMINANCE, Change, Dominance, Price, Rank
from coinlog.alerts.quota_rule import Quota
from coinlog.alerts.recorder_rules import Clock, Database, Disk, Failing, Missed, Partial
from coinlog.alerts.rule import Rule
from coinlog.errors import SettingError
from coinlog.sources.texts import one_line

FILE_BYTES = 1_000_000
URLS_FILE = "urls_file"

RECORDER: Mapping[str, tuple[type[Rule], tuple[Key, ...]]] = {
    "failing": (Failing, ()),
    "missed": (Missed, ()),
    "partial": (Partial, (whole("slots", 1, 1000, "3"),)),
    "quota": (Quota, (whole("credits_a_month", 1, 10**9, "10000"),)),
    "drift": (Drift, ()),
    "clock": (Clock, (whole("seconds", 1, 86_400, "60"),)),
    "disk": (Disk, (whole("free_mb", 1, 10**9, "1000"),)),
    "database": (Database, (whole("minutes", 1, 10_080, "15"),)),
}
MARKET: Mapping[str, tuple[type[Rule], tuple[Key, ...]]] = {
    "price": (
        Price,
        (asset_id(), number("above"), number("below"), currency(), percent("rearm", "1")),
    ),
    "change": (Change, (asset_id(), percent_change(), window(), margin("1"))),
    "rank": (
        Rank,
        (
            asset_id(),
            whole("better_than", 2, 100_000, "10"),
            whole("worse_than", 1, 100_000, "10"),
            margin("1"),
        ),
    ),
    "dominance": (
        Dominance,
        (asset_id(tuple(DOMINANCE)), percent("above", "60"), percent("below", "40"), margin("0.5")),
    ),
}
EITHER = {
    "price": ("above", "below"),
    "rank": ("better_than", "worse_than"),
    "dominance": ("above", "below"),
}
NEEDED = {"change": ("percent", "window")}


class Alerting(msgspec.Struct, frozen=True):
    """What a file of alerts says: the rules, and a file with the addresses messages go to."""

    rules: tuple[Rule, ...] = ()
    urls_file: Path | None = None


def read_alerts(path: Path) -> Alerting | None:
    """Return what a file says; ``None`` where there is none.

    Raises:
        SettingError: it cannot be read or used; the message names the line and the key.
    """
    try:
        with path.open("rb") as file:
            body = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingError(
            f"{path} cannot be read ({error.strerror or error}): expected a file of alerts, which "
            "`coinlog alerts init` writes"
        ) from None
    if len(body) > FILE_BYTES:
        raise SettingError(f"{path} is too large: expected {FILE_BYTES:,} bytes at most")
    return parse_alerts(body, str(path), path.parent)


def parse_alerts(body: bytes, name: str, folder: Path | None = None) -> Alerting:
    """Return what the text of a file says; ``folder`` is where its ``urls_file`` starts from.

    Raises:
        SettingError: it cannot be used; the message names the line and the key.
    """
    try:
        text = body.decode()
        found = tomllib.loads(text)
    except UnicodeDecodeError:
        raise SettingError(f"{name} is no text in UTF-8: expected TOML") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingError(
            f"{name} cannot be read as TOML: {error or 'too deep'}; docs/alerts.md has examples"
        ) from None
    except ValueError:
        # Python reads no number of so many thousand digits.
        raise SettingError(
            f"{name} cannot be read as TOML: a number in it is too long; docs/alerts.md has "
            "examples"
        ) from None
    return _Checked(text, name).alerting(found, folder)


class _Place(NamedTuple):
    """Where something stands in the file: a table, its number among those of its name, a key.

    ``inner`` is a key of what that key holds.
    """

    table: str = ""
    number: int = 0
    key: str = ""
    inner: str = ""


class _Checked:
    """A file's contents on the way to rules."""

    def __init__(self, text: str, name: str) -> None:
        self._lines, self._name = text.splitlines(), name

    def alerting(self, found: Mapping[str, Any], folder: Path | None) -> Alerting:
        tops = (URLS_FILE, "recorder", *MARKET)
        for key in found:
            if key not in tops:
                raise self._unknown(_Place(key=key), key, tops)
        rules = [*self._recorder(found.get("recorder", {})), *self._market(found)]
        return Alerting(tuple(rules), self._urls_file(found.get(URLS_FILE), folder))

    def _urls_file(self, value: object, folder: Path | None) -> Path | None:
        if value is None:
            return None
        place = _Place(key=URLS_FILE)
        if not isinstance(value, str) or not value.strip() or "://" in value:
            # Somebody may have put an address itself there, and addresses hold secrets.
            raise self._wrong(
                place,
                f"{URLS_FILE} cannot be used: expected the path of a file with an Apprise address "
                f'a line, for example {URLS_FILE} = "alert-urls.txt"',
            )
        if folder is None:
            raise self._wrong(
                place,
                f"{URLS_FILE} is of no use in a bucket: put the addresses into the parameter that "
                "COINLOG_ALERT_URLS_PARAMETER names",
            )
        try:
            return folder / Path(value).expanduser()
        except RuntimeError:
            raise self._wrong(
                place,
                f"{URLS_FILE} begins with ~, and no home is known here: expected a path from / on, "
                "or one beside this file",
            ) from None

    def _recorder(self, found: object) -> Iterator[Rule]:
        if not isinstance(found, dict):
            raise self._wrong(_Place(key="recorder"), "recorder is no table: expected [recorder]")
        for kind, value in found.items():
            place = _Place("recorder", 0, kind)
            if kind not in RECORDER:
                raise self._unknown(place, kind, tuple(RECORDER))
            made, keys = RECORDER[kind]
            if value is False:
                continue
            if value is not True and not isinstance(value, dict):
                table = f" or a table, for example {kind} = {{ {keys[0]} }}" if keys else ""
                raise self._wrong(place, f"{kind} is {_shown(value)}: expected true, false{table}")
            given = value if isinstance(value, dict) else {}
            yield made(**self._values(given, keys, f"recorder.{kind}", place))

    def _market(self, found: Mapping[str, Any]) -> Iterator[Rule]:
        known: dict[str, int] = {}
        for kind, (made, keys) in MARKET.items():
            tables = found.get(kind, [])
            if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
                example = f"a table in double brackets for each rule, [[{kind}]]"
                raise self._wrong(
                    _Place(key=kind), f"{kind} is written otherwise: expected {example}"
                )
            for index, table in enumerate(tables):
                place = _Place(kind, index)
                self._check_whole(kind, table, place)
                rule = made(**self._values(table, keys, kind, place))
                if rule.key in known:
                    raise self._wrong(
                        place,
                        f"this [[{kind}]] is the same as number {known[rule.key]}: remove one",
                    )
                self._check_reachable(rule, kind, place)
                known[rule.key] = index + 1
                yield rule

    def _check_reachable(self, rule: Rule, kind: str, place: _Place) -> None:
        flaw = rule.flaw()
        if flaw:
            raise self._wrong(place, f"this [[{kind}]] {flaw}")

    def _check_whole(self, kind: str, table: Mapping[str, Any], place: _Place) -> None:
        either = EITHER.get(kind, ())
        given = [key for key in either if key in table]
        needed = ["asset", *NEEDED.get(kind, ())]
        lacking = [key for key in needed if key not in table]
        if lacking and not self._strange(kind, table):
            raise self._wrong(place, f"[[{kind}]] has no {lacking[0]}: expected {words(needed)}")
        if either and len(given) != 1 and not self._strange(kind, table):
            one, other = either
            said = (
                f"takes {one} or {other}, not both"
                if given
                else f"has neither {one} nor {other}: expected one of them"
            )
            raise self._wrong(place, f"[[{kind}]] {said}")

    def _strange(self, kind: str, table: Mapping[str, Any]) -> bool:
        """Return whether a key is misspelt, which is what is told then."""
        return not table.keys() <= {key.name for key in MARKET[kind][1]}

    def _values(
        self, given: Mapping[str, Any], keys: Sequence[Key], table: str, place: _Place
    ) -> dict[str, Any]:
        by_name = {key.name: key for key in keys}
        values = {}
        for name, value in given.items():
            here = place._replace(inner=name) if place.key else place._replace(key=name)
            if name not in by_name:
                raise self._unknown(here, name, tuple(by_name), f" of {table}")
            key = by_name[name]
            try:
                values[key.field] = key.parse(value)
            except ValueError:
                raise self._wrong(
                    here,
                    f"{name} of {table} is {_shown(value)}: expected {key.expected}, for example "
                    f"{key}",
                ) from None
        return values

    def _unknown(self, place: _Place, key: str, known: Sequence[str], of: str = "") -> SettingError:
        near = get_close_matches(key, known, n=1, cutoff=0.5)
        listed = words(known) if known else "none"
        hint = f"did you mean {near[0]}?" if near else f"expected {listed}"
        return self._wrong(place, f"{one_line(key, 40)!r} is no key{of}: {hint}")

    def _wrong(self, place: _Place, said: str) -> SettingError:
        line = self._line(place)
        return SettingError(
            f"{self._name} line {line}: {said}" if line else f"{self._name}: {said}"
        )

    def _line(self, place: _Place) -> int | None:
        """Return the line of a key, else that of its table; TOML's own reader keeps none."""
        headers = rf"\s*\[\[?\s*[\"']?{re.escape(place.table)}[\"']?\s*[\].]"
        starts = [n for n, line in enumerate(self._lines) if re.match(headers, line)]
        start = starts[min(place.number, len(starts) - 1)] if place.table and starts else 0
        found = start if place.table and starts else None
        for key in (place.key, place.inner):
            found = self._line_of(key, found or 0, found) if key else found
        return None if found is None else found + 1

    def _line_of(self, key: str, start: int, otherwise: int | None) -> int | None:
        wanted = re.compile(rf"(?:\s*|.*[{{,\s.\[\"'])[\"']?{re.escape(key)}[\"']?\s*[=\].]")
        lines = enumerate(self._lines[start:], start)
        return next((number for number, line in lines if wanted.match(line)), otherwise)


def _shown(value: object) -> str:
    """Return a value for a message: cut off, and without what an address may hold in secret."""
    try:
        text = repr(value)
    except ValueError:
        # A hexadecimal number can be longer than Python writes numbers.
        return "too long a number"
    if "://" in text:
        return "an address"
    return text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004  enough to know it by
