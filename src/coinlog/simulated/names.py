"""Made-up names and symbols for made-up assets: pleasant to read, the same for every seed."""

from __future__ import annotations

import re

from coinlog.simulated.noise import digest
from coinlog.simulated.positions import is_stable

# fmt: off
_STARTS = (
    "Al", "Am", "Ar", "Bel", "Bri", "Cal", "Cor", "Cyr", "Dal", "Del", "Dor", "El", "Em", "Fal",
    "Fen", "Fir", "Gal", "Gly", "Hal", "Hel", "Il", "Ir", "Jal", "Jor", "Kal", "Kes", "Kin",
    "Lar", "Lir", "Lo", "Lu", "Mal", "Mer", "Mir", "Nal", "Ner", "Nim", "Or", "Os", "Pal",
    "Per", "Quil", "Ral", "Ren", "Ros", "Sa", "Ser", "Sol", "Tal", "Ter", "Thal", "Tir", "Um",
    "Val", "Ver", "Vin", "Wil", "Xan", "Yar", "Yll", "Zal", "Zer",
)
_MIDDLES = (
    "a", "ba", "da", "de", "di", "do", "ga", "ka", "la", "le", "li", "lo", "ma", "me", "mi",
    "na", "ne", "ni", "no", "ra", "re", "ri", "ro", "sa", "se", "ta", "ti", "va", "vi",
)
_ENDS = (
    "bara", "ceo", "dara", "dene", "dium", "dora", "fane", "fira", "gara", "gon", "kara",
    "kora", "lane", "lia", "lith", "loma", "lora", "maris", "mere", "mira", "mora", "nara",
    "nel", "nova", "phin", "quen", "ra", "rel", "ria", "ris", "ron", "sara", "sel", "tara",
    "thea", "this", "tine", "tora", "tris", "va", "vane", "vara", "vera", "vine", "vora", "wyn",
    "xis", "zora",
)
_SUFFIXES = (
    "Network", "Protocol", "Finance", "Chain", "Labs", "Cash", "Exchange", "Games", "Data",
    "Compute", "Grid", "Lend",
)
# fmt: on
_TAKEN = frozenset(
    (
        "allora",
        "altava",
        "alvara",
        "amara",
        "aragon",
        "caldera",
        "corra",
        "galaxis",
        "lumera",
        "palladium",
        "solaris",
        "terra",
        "velora",
    )
)
_SHORT_UP_TO = 400
_STRIDE = 1009  # Shares no divisor with the number of short names, so that none comes twice.

_SPECIAL = {
    (0, 0): ("Bitcoin", "BTC", "bitcoin"),
    (1, 0): ("Ethereum", "ETH", "ethereum"),
    (131, 0): ("月灯链", "月灯", "yuedeng"),
    (173, 0): ("Pocket Otter 🦦", "OTTER", "pocket-otter"),
    (333, 0): ("Salt & <Pepper>", "S&P", "salt-and-pepper"),
    (512, 0): ("Beacon of Trust & Care", "BTC", "beacon-of-trust-and-care"),
}


def name_of(position: int, version: int) -> tuple[str, str, str]:
    """Return (name, symbol, slug) of an asset; ``version`` counts a position's names.

    Slugs are unique. Names nearly are, and symbols are not, as in reality.
    """
    if (position, version) in _SPECIAL:
        return _SPECIAL[position, version]
    stem = _stem(position, version)
    luck = digest("name", position, version, size=2)
    if is_stable(position):
        name, symbol = f"{stem} USD", f"{stem[:2].upper()}USD"
    else:
        suffix = _SUFFIXES[luck[1] % len(_SUFFIXES)]
        name = f"{stem} {suffix}" if luck[0] < 70 else stem
        symbol = _symbol(stem, luck[1])
    slug = name.lower().replace(" ", "-")
    return name, symbol, slug if _is_short(position, version) else f"{slug}-{position}-{version}"


def _is_short(position: int, version: int) -> bool:
    """Return whether there is a name of two syllables that nobody else has."""
    return position < _SHORT_UP_TO and version < len(_STARTS) * len(_ENDS) // _SHORT_UP_TO


def _stem(position: int, version: int) -> str:
    """Return a name's first word, unique among the positions that a demonstration shows first."""
    luck = digest("stem", position, version, size=3)
    if _is_short(position, version):
        total = len(_STARTS) * len(_ENDS)
        start, end = divmod((position + _SHORT_UP_TO * version) * _STRIDE % total, len(_ENDS))
        stem = _STARTS[start] + _ENDS[end]
    else:
        middle = _MIDDLES[luck[1] % len(_MIDDLES)]
        stem = _STARTS[luck[0] % len(_STARTS)] + middle + _ENDS[luck[2] % len(_ENDS)]
    stem = re.sub(r"(.)\1\1", r"\1\1", stem)
    return f"{stem}nis" if stem.lower() in _TAKEN else stem


def _symbol(stem: str, luck: int) -> str:
    """Return three to five letters made of the name's consonants, or its first letters."""
    consonants = stem[0] + re.sub("[aeiou]", "", stem[1:])
    letters = stem if luck < 90 else consonants if len(consonants) > 2 else stem
    symbol = letters[: 3 + luck % 3].upper()
    return symbol.capitalize() if luck > 250 else symbol
