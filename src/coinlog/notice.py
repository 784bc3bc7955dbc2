"""What goes with every number that leaves: whose it is, what may be done with it, is it real.

The terms are CoinMarketCap's own, in our words; their page is what counts.
"""

from __future__ import annotations

import re

from coinlog.market import ATTRIBUTION, ATTRIBUTION_URL

TERMS_URL = "https://coinmarketcap.com/api/terms/"
TERMS = (
    "CoinMarketCap's terms allow storing this data and charting it for your own use, and forbid "
    f"redistributing it without their consent: {TERMS_URL}"
)
SIMULATED = "SIMULATED"
NOT_REAL = (
    f"{SIMULATED}: a made-up market, for trying things out. No number in it is real, and none is "
    "CoinMarketCap's."
)

_FORMULA_STARTS = ("=", "+", "-", "@")
_CONTROLS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]\s*")


def attribution(*, simulated: bool) -> str:
    """Return whose the data is, on one line."""
    return f"{SIMULATED}, not {ATTRIBUTION}" if simulated else f"{ATTRIBUTION}, {ATTRIBUTION_URL}"


def terms(*, simulated: bool) -> str:
    """Return what may be done with the data."""
    return NOT_REAL if simulated else TERMS


def safe_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, on one line without control codes."""
    line = _CONTROLS.sub(" ", text).strip() if _CONTROLS.search(text) else text
    return f"\t{line}" if line.startswith(_FORMULA_STARTS) else line
