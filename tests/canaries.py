"""Values that must never come out, and all the ways in which they could."""

from __future__ import annotations

import base64
import gzip
import html
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

KEY = "c0ffee5f-1d0c-4e8e-9a24-22ff2c3d462c"
"""As CoinMarketCap's keys are."""

PASSWORD = 'canary-1 p@ss/w"o<r>d&%é'
"""Whose every escape is another text."""

WORD = "canary-word-2"
"""A password of letters that nothing escapes: it can stand in an address as it is."""

LEAST = 8
"""So many first characters of a canary are too many."""


def forms(secret: str) -> set[bytes]:
    """Return what a secret looks like in the texts, addresses, pages and encodings there are."""
    begun = secret[: max(LEAST, len(secret) // 3)]
    texts = {secret, begun, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    texts |= {html.escape(secret), html.escape(secret, quote=False), repr(secret)[1:-1]}
    texts |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    raw = secret.encode()
    return {text.encode() for text in texts} | {raw.hex().encode()} | set(_base64(raw))


def _base64(raw: bytes) -> Iterator[bytes]:
    """Yield what of a secret's base64 is the same wherever in a longer text it stands."""
    for before in range(3):
        padded = bytes(before) + raw
        whole = base64.b64encode(padded[: len(padded) // 3 * 3])
        inner = whole[4:] if before else whole
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def seen(data: bytes | str, secrets: Iterable[str] = (KEY, PASSWORD, WORD)) -> list[str]:
    """Return the secrets that stand in some data, in whatever form."""
    looked = data.encode() if isinstance(data, str) else data
    return [secret for secret in secrets if any(form in looked for form in forms(secret))]


def files_with(folder: Path, secrets: Iterable[str] = (KEY, PASSWORD, WORD)) -> list[str]:
    """Return the files of a folder that hold a secret, inside what is packed too."""
    told = list(secrets)
    return [
        f"{path.relative_to(folder)}: {found}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (found := seen(_unpacked(path), told))
    ]


def _unpacked(path: Path) -> bytes:
    """Return the bytes of a file, and behind them those of all that is packed in it."""
    body = path.read_bytes()
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            inside = [file.read() for one in tar if (file := tar.extractfile(one))]
        return b"\0".join([body, *inside, *map(inflated, inside)])
    return body + b"\0" + inflated(body)


def inflated(body: bytes) -> bytes:
    """Return what is packed in some bytes, nothing where they are not packed."""
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b""
