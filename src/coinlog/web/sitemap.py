"""The list of pages for search engines (sitemaps.org), each with its other languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup

_HEAD = Markup(
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
)


def sitemap_of(origin: str, paths: Iterable[str], prefixes: Mapping[str, str]) -> bytes:
    """Return the list; ``prefixes`` holds what stands before a path in each language."""
    entries = (
        _entry(origin, path, prefix, prefixes) for path in paths for prefix in prefixes.values()
    )
    return (_HEAD + Markup("").join(entries) + Markup("</urlset>\n")).encode()


def _entry(origin: str, path: str, prefix: str, prefixes: Mapping[str, str]) -> Markup:
    others = (
        Markup('<xhtml:link rel="alternate" hreflang="{}" href="{}{}{}"/>').format(
            code, origin, other, path
        )
        for code, other in prefixes.items()
    )
    return Markup("<url><loc>{}{}{}</loc>{}</url>\n").format(
        origin, prefix, path, Markup("").join(others)
    )
