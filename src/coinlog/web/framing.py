"""What other sites may do with an answer: nothing, show it in a frame, or show it as a picture.

Only embeds may be framed, and only pictures may be shown by other sites.
"""

from __future__ import annotations

import re

from coinlog.web.security import POLICY, SECURITY_HEADERS, Headers
from coinlog.web.spark import STYLE_HASH

_NOBODY = "frame-ancestors 'none'"
EMBED_POLICY = POLICY.replace(_NOBODY, "frame-ancestors *")
PICTURE_POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'; sandbox; {_NOBODY}"

_EMBED = re.compile(r"(?:/[a-z]{2})?/embed/.*")
_PICTURE = re.compile(r"/spark/.*|(?:/[a-z]{2})?/og/.*")


_OF_FILES = (b"x-content-type-options", b"cross-origin-resource-policy")


def _with(**values: str) -> Headers:
    """Return the usual headers with some of them in other words."""
    changed = {name.replace("_", "-").encode(): value.encode() for name, value in values.items()}
    return [(name, changed.get(name, value)) for name, value in SECURITY_HEADERS]


FILE_HEADERS: Headers = [
    (b"content-security-policy", f"default-src 'none'; {_NOBODY}".encode()),
    *(pair for pair in SECURITY_HEADERS if pair[0] in _OF_FILES),
]
"""Those of scripts and styles: what says what a page may do says nothing to them."""

EMBED_HEADERS = _with(content_security_policy=EMBED_POLICY)
PICTURE_HEADERS = _with(
    content_security_policy=PICTURE_POLICY, cross_origin_resource_policy="cross-origin"
)


def headers_for(path: str) -> Headers:
    """Return the headers of security that an answer at a path carries."""
    if _EMBED.fullmatch(path):
        return EMBED_HEADERS
    return PICTURE_HEADERS if _PICTURE.fullmatch(path) else SECURITY_HEADERS
