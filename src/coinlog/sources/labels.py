"""Rows of others: what they call their asset, and which one that is.

Old tables, files and the retired ticker know no CoinMarketCap ids. A label is all that they say;
which asset it means is decided once, at import, and kept beside the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from coinlog.market import Asset
from coinlog.sources.decode import AssetRow, Refused

NOBODY = 0
"""The id of a row that does not say any: no asset has it."""


class Label(msgspec.Struct, frozen=True, order=True):
    """How a row calls its asset; empty, and an id of 0, where it does not say."""

    symbol: str = ""
    name: str = ""
    slug: str = ""
    id: int = NOBODY

    def __str__(self) -> str:
        said = (self.symbol, self.name, self.slug, f"id {self.id}" if self.id else "")
        return ", ".join(dict.fromkeys(part for part in said if part))


class Labelled(msgspec.Struct, frozen=True):
    """A row with its label; ``place`` begins a sentence with where it stood."""

    label: Label
    row: AssetRow
    place: str = ""


Matches = Mapping[Label, Asset]


class Match(msgspec.Struct, frozen=True):
    """Which asset a label means, as it is kept in the archive."""

    label: Label
    asset: Asset


def write_matches(matches: Matches) -> bytes:
    """Return matches as the body that is kept beside the rows; equal ones give equal bytes."""
    lines = [Match(label, matches[label]) for label in sorted(matches)]
    return msgspec.json.encode({"format": 1, "matches": lines})


def read_matches(body: bytes) -> dict[Label, Asset]:
    """Return the matches in a body of ours."""
    return {each.label: each.asset for each in msgspec.json.decode(body, type=_Matches).matches}


class _Matches(msgspec.Struct):
    matches: list[Match]


def matched(rows: Iterable[Labelled], matches: Matches) -> tuple[list[AssetRow], list[Refused]]:
    """Return rows under the id of their asset, and one refusal for each label without one.

    What a row says of its asset stands; what it does not say is told as the match knows it.
    """
    found: list[AssetRow] = []
    unknown: dict[Label, Refused] = {}
    for each in rows:
        if each.label.id or each.label in matches:
            found.append(_called(each, matches.get(each.label)))
        else:
            why = f"{str(each.label)[:120]!r} is matched to no asset"
            unknown.setdefault(each.label, Refused(None, each.place + why))
    return found, list(unknown.values())


def _called(each: Labelled, asset: Asset | None) -> AssetRow:
    row, label = each.row, each.label
    known = asset or Asset(label.id, "", "", "")
    symbol = label.symbol or known.symbol or label.name or str(known.id)
    changes: dict[str, Any] = {
        "id": label.id or known.id,
        "symbol": symbol,
        "name": label.name or known.name or symbol,
        "slug": label.slug or known.slug,
        "is_fiat": known.is_fiat,
    }
    return msgspec.structs.replace(row, **changes)
