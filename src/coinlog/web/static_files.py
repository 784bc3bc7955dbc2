"""The bundle of scripts and styles: read once, packed once, kept by browsers for a year."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import msgspec

from coinlog import __version__
from coinlog.web.entries import Entry
from coinlog.web.framing import FILE_HEADERS
from coinlog.web.security import SECURITY_HEADERS
from coinlog.web.shell import Bundle

STATIC = Path(__file__).parent / "static"
PACKED = ".gz"
"""What ``scripts/build_frontend.py`` puts beside a file: the same, packed."""

FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}


def read_static(folder: Path = STATIC) -> tuple[Bundle, dict[bytes, Entry]]:
    """Return the bundle's names and its files, ready to send under ``/static/``.

    A file's name holds its content's hash, so that a new build has new addresses.
    """
    manifest = folder / "manifest.json"
    names: dict[str, str] = {}
    if manifest.is_file():
        names = msgspec.json.decode(manifest.read_bytes(), type=dict[str, str])
    files = [
        path
        for path in sorted(folder.glob("*"))
        if path.is_file() and path != manifest and path.suffix != PACKED
    ]
    entries = {f"/static/{path.name}".encode(): _entry(path) for path in files}
    # Tells one build from another, and nobody which version it is.
    made_of = msgspec.json.encode([__version__, sorted(names.items())])
    digest = hashlib.blake2b(made_of, digest_size=4)
    bundle = Bundle(
        static={name: _address(folder, hashed) for name, hashed in names.items()},
        build=digest.hexdigest(),
    )
    return bundle, entries


def type_of(name: str) -> str:
    """Return a file's type, as browsers want to be told it."""
    kind = _TYPES.get(PurePosixPath(name).suffix) or mimetypes.guess_type(name)[0]
    return kind or "application/octet-stream"


def _address(folder: Path, name: str) -> str:
    """Return where a page finds a file; an icon stands in the page, smaller than its request."""
    if name.endswith(".svg"):
        return f"data:image/svg+xml,{quote((folder / name).read_text().strip())}"
    return f"/static/{name}"


def _entry(path: Path) -> Entry:
    content_type = (b"content-type", type_of(path.name).encode())
    bare = path.suffix in (".js", ".css")
    security = FILE_HEADERS if bare else SECURITY_HEADERS
    entry = Entry(path.read_bytes(), [content_type, FOREVER], security=security)
    packed = path.with_name(f"{path.name}{PACKED}")
    if packed.is_file():
        entry.keep(packed.read_bytes())
    else:
        entry.pack()
    return entry
