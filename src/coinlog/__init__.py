"""coinlog: a logbook of the crypto market that you own."""

__version__ = "0.1.0"
