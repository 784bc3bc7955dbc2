"""Which language the bare home page is answered in: the only address that asks the browser."""

from __future__ import annotations

from functools import lru_cache

from coinlog.web.i18n import DEFAULT, languages
from coinlog.web.security import Headers, Scope


def redirects(headers: Headers) -> bool:
    """Return whether the bare ``/`` may lead elsewhere for a request with these headers."""
    accepted = next((value for name, value in headers if name == b"accept-language"), b"")
    return preferred(accepted.decode("latin-1")) != DEFAULT


def language_of_path(path: str) -> str:
    """Return the language that an address is in: its first part, else the default."""
    first = path.split("/")[1]
    return first if first in languages() else DEFAULT


def redirect_for(scope: Scope) -> bytes | None:
    """Return where the bare ``/`` leads a reader of another language, or ``None`` to stay.

    Who comes from one of our own pages has chosen the language already.
    """
    if scope["raw_path"] != b"/" or scope["query_string"]:
        return None
    headers = dict(scope["headers"])
    if headers.get(b"sec-fetch-site") == b"same-origin" or _from_here(headers):
        return None
    language = preferred(headers.get(b"accept-language", b"").decode("latin-1"))
    return None if language == DEFAULT else f"/{language}/".encode()


def _from_here(headers: dict[bytes, bytes]) -> bool:
    _, _, rest = headers.get(b"referer", b"").partition(b"://")
    host = headers.get(b"host", b"")
    return bool(host) and rest.partition(b"/")[0] == host


@lru_cache(maxsize=256)
def preferred(accepted: str) -> str:
    """Return the language of ours that an Accept-Language header likes best."""
    best, best_weight = DEFAULT, 0.0
    for part in accepted[:200].split(","):
        tag, _, parameter = part.partition(";")
        code = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if code in languages() and weight > best_weight:
            best, best_weight = code, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return min(max(float(value), 0.0), 1.0) if name == "q" else 1.0
    except ValueError:
        return 0.0
