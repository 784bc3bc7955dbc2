"""Names that want to be more than names, and a tame market of the same shape to compare with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Asset, Missing, Reason, Snapshot, SourceKind
from coinlog.slots import iso
from coinlog.sources.decode import read_rows
from coinlog.sources.quotes import asset_of, quote_of
from coinlog.store.engine import open_engine
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle
from samples import SLOT, STEP, settlement

NAMES = (
    '<img src=x onerror="alert(1)">',
    "'); DROP TABLE asset; --",
    '"__proto__"',
    "</script><script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "💩🏳️\u200d🌈\u200b",
    "A" * 10_240,
    '=HYPERLINK("https://x.test","y")',
    "line\nbreak\r\nX-Injected: 1",
    "javascript:alert(1)",
    "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "\x00nul\x0b\u2028\ufffe",
    "]]><!--<svg/onload=alert(1)>-->",
    "{{ 7 * 7 }}${7*7}%{7*7}",
    "[bold red]x[/] [link=https://x.test]y[/link]",
    '" onmouseover="alert(1)" x="',
    "../../../etc/passwd",
    "%s%n%00%0d%0aSet-Cookie:a=b",
    "\t+1\t-1@SUM(A1)",
    "__proto__",
    "constructor",
)
IDS = (1, 1027, *range(3, len(NAMES) + 1))
SLOTS = tuple(SLOT - STEP * back for back in range(7, -1, -1))
NOW = SLOT + STEP // 6


def settlements(*, tame: bool = False) -> Iterator[Settlement]:
    """Yield eight slots of the market: the third partial, the fifth failed, all in the same way."""
    for number, slot in enumerate(SLOTS):
        found = None if number == 4 else _snapshot(slot, number, tame=tame)
        made = settlement(slot, found=found)
        yield made if found else msgspec.structs.replace(made, detail=_say("detail", 10, tame=tame))


def fill_hostile(url: sa.URL, *, tame: bool = False) -> None:
    """Put the market into a store that has its tables."""
    engine = open_engine(url)
    for one in settlements(tame=tame):
        settle(engine, one, one.slot + 14)
    engine.dispose()


def _snapshot(slot: int, number: int, *, tame: bool) -> Snapshot:
    """Return a slot as it comes out of the source's own answer."""
    rows = [_row(place, slot, number, tame=tame) for place in range(len(IDS))]
    body = json.dumps({"status": {"error_code": 0}, "data": rows}).encode()
    _, found, refused = read_rows(body)
    assert not refused
    lacking = Missing("asset 777", Reason.NOT_ANSWERED, _say("missing", 10, tame=tame), 777)
    return Snapshot(
        observed_at=slot + 12,
        source=SourceKind.COINMARKETCAP,
        assets=tuple(asset_of(row) for row in found),
        quotes=tuple(quote for row in found if (quote := quote_of(row))),
        missing=(lacking,) if number == 2 else (),
    )


def _row(place: int, slot: int, number: int, *, tame: bool) -> dict[str, Any]:
    renamed = number > 5
    return {
        "id": IDS[place],
        "name": _say("name", place + renamed, tame=tame),
        "symbol": _say("symbol", place, tame=tame),
        "slug": _say("slug", place, tame=tame),
        "cmc_rank": place + 1,
        "circulating_supply": 1e6,
        "max_supply": 2e6,
        "quote": [
            {
                "symbol": "USD",
                "price": 10.0 + place + number % 3,
                "market_cap": 1e9 / (place + 1),
                "volume_24h": 1e6,
                "percent_change_24h": 1.0 - number,
                "percent_change_7d": 5.0,
                "last_updated": iso(slot),
            }
        ],
    }


def _say(what: str, place: int, *, tame: bool) -> str:
    """Return a hostile text, or a tame one of its length in its place; all symbols differ."""
    place %= len(NAMES)
    text = f"{place}{NAMES[place]}" if what == "symbol" else NAMES[place]
    return f"{what}{place}".ljust(len(text), "x") if tame else text


def called(place: int, *, renamed: bool = True) -> Asset:
    """Return what the store should call the asset at a place."""
    row = _row(place, SLOT, 7 if renamed else 0, tame=False)
    return Asset(row["id"], row["name"][:255], row["symbol"][:64], row["slug"][:255])


class Skeleton(HTMLParser):
    """What a page is made of but for its words: elements, the names of attributes, addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, ...]] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *(name for name, _ in attrs)))
        self._in_script = tag == "script"
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        self.parts.append((f"/{tag}",))
        self._in_script = False

    def handle_comment(self, data: str) -> None:
        self.parts.append(("!--", data))

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.scripts.append(data)


def skeleton(html: str) -> Skeleton:
    """Return what a page is made of."""
    parser = Skeleton()
    parser.feed(html)
    parser.close()
    return parser
