"""A made-up market behind a real HTTP server that speaks CoinMarketCap's API.

Nothing in here is real but the names of Bitcoin and Ethereum. Every number follows from a seed,
an asset and a time, so that two servers, today and next year, give the same answers.
"""
