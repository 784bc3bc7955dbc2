"""Bytes that a fuzzer finds by itself (Atheris), for what reads foreign bytes: run by hand.

``uv pip install atheris --target /tmp/atheris`` once, then
``PYTHONPATH=/tmp/atheris .venv/bin/python tests/fuzz/bytes.py decoder -max_total_time=60``; the
other targets are ``query``, ``body``, ``dotenv`` and ``imported``. It ends at the first input that
raises what is none of ours, or makes a number that no store may hold, and leaves it in a file.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable

import atheris  # installed by whoever runs this

with atheris.instrument_imports(include=["coinlog", "urllib.parse"]):
    from urllib.parse import parse_qsl

    from coinlog.errors import CoinlogError
    from coinlog.settings.dotenv import parse_dotenv
    from coinlog.slots import AssetSelection
    from coinlog.sources.answers import Answer
    from coinlog.sources.imported import read_imported
    from coinlog.sources.inflate import Inflater
    from coinlog.sources.reading import read_market
    from coinlog.web.canonical import key_of, known_of
    from coinlog.web.security import fault_of
    from coinlog.web.shell import PARTS, ask_of, read_query

TOP = AssetSelection(200, ())
HEAD = b'{"status":{"error_code":0,"timestamp":"2026-01-26T18:00:12.000Z"},"data":['
PATHS = ("/", "/assets/1", "/compare", "/market", "/log", "/api/v1/assets", "/embed/1")


def _answer(body: bytes, kind: str) -> Answer:
    return Answer(f"{kind}-1", "/v3", {}, 200, body, 1_769_450_412.0, 0.1)


def decoder(data: bytes) -> None:
    """Read bytes as a market, as they are and as rows of one."""
    for body in (data, HEAD + data + b"]}"):
        with contextlib.suppress(CoinlogError):
            for quote in read_market([_answer(body, "listings")], TOP).quotes:
                assert math.isfinite(quote.price)
                assert quote.price >= 0


def imported(data: bytes) -> None:
    """Read bytes as what somebody else has saved."""
    with contextlib.suppress(CoinlogError):
        read_imported([_answer(data, "saved")])


def body(data: bytes) -> None:
    """Inflate bytes that come in two pieces."""
    inflater = Inflater("gzip", 100_000)
    with contextlib.suppress(CoinlogError):
        inflater.feed(data[: len(data) // 2])
        inflater.feed(data[len(data) // 2 :])
        inflater.finish()
    assert len(inflater.body) <= 100_000


def query(data: bytes) -> None:
    """Read bytes as what a page is asked for; its links must ask for the same again."""
    path = PATHS[data[0] % len(PATHS)] if data else "/"
    scope = {"method": "GET", "raw_path": path.encode(), "query_string": data[1:]}
    if fault_of(scope):
        return
    key_of(path, data[1:])
    pairs = parse_qsl(data[1:].decode("latin-1"), keep_blank_values=True)
    asked = read_query(known_of(path, pairs), PARTS.get(path.rstrip("0123456789"), ()))
    ask_of(path, "en", asked).at.href()


def dotenv(data: bytes) -> None:
    """Read bytes as a file of settings."""
    with contextlib.suppress(CoinlogError):
        parse_dotenv(data.decode("utf-8", "replace"), ".env", frozenset({"DB_HOST"}))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (decoder, imported, body, query, dotenv)
}


def main() -> None:
    """Fuzz the target that the command line names."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"name one of {', '.join(TARGETS)}, then options of libFuzzer")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
