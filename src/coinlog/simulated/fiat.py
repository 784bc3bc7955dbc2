"""The fiat currencies of the made-up market: real names, made-up and slowly moving rates."""

from __future__ import annotations

from typing import NamedTuple

from coinlog.market import FIAT_IDS, USD
from coinlog.simulated.noise import Walk, exp
from coinlog.slots import DAY

_YEAR_DAYS = 365.25
_REFERENCE_DAY = 20_820  # 2027-01-02


class Currency(NamedTuple):
    """A fiat currency; ``rate`` is its worth in USD at the start of 2027, as made up.

    ``daily`` is its daily volatility, ``decay`` what it loses against the dollar in a year.
    """

    name: str
    symbol: str
    sign: str
    rate: float
    daily: float
    decay: float

    @property
    def id(self) -> int:
        """Return the currency's CoinMarketCap id."""
        return FIAT_IDS[self.symbol]

    @property
    def slug(self) -> str:
        """Return the currency's name as it stands in addresses."""
        return self.name.lower().replace(" ", "-")


CURRENCIES = {
    currency.id: currency
    for currency in (
        Currency("United States Dollar", "USD", "$", 1.0, 0.0, 0.0),
        Currency("Euro", "EUR", "€", 1.13, 0.0016, 0.0),
        Currency("Pound Sterling", "GBP", "£", 1.31, 0.0017, 0.0),
        Currency("Japanese Yen", "JPY", "¥", 0.0067, 0.0018, 0.0),
        Currency("Colombian Peso", "COP", "$", 0.000246, 0.0024, 0.02),
        Currency("Mexican Peso", "MXN", "$", 0.0545, 0.0022, 0.02),
        Currency("Brazilian Real", "BRL", "R$", 0.184, 0.0026, 0.03),
        Currency("Argentine Peso", "ARS", "$", 0.00072, 0.0019, 0.3),
    )
}


class Rates:
    """The worth of the fiat currencies in USD at any whole minute."""

    def __init__(self, seed: int) -> None:
        self._walks = {
            identity: Walk(seed, currency.symbol, currency.daily)
            for identity, currency in CURRENCIES.items()
        }

    def at(self, identity: int, at: int) -> float:
        """Return what one unit of a currency is worth in USD at a time."""
        if identity == USD:
            return 1.0
        currency = CURRENCIES[identity]
        years = (at / DAY - _REFERENCE_DAY) / _YEAR_DAYS
        return currency.rate * exp(self._walks[identity].at(at) - currency.decay * years)
