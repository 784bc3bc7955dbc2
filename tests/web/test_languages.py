"""Languages: each page whole in each of them, found by search engines, chosen by ``/`` alone.

A third language is made up here from the English texts, each in marks, and put as one file into
a copy of the package. What its pages then say without marks has no text in the catalogues.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

import coinlog
from browsing import fill_store
from coinlog.web.i18n import DEFAULT, LOCALES, catalogue, languages
from samples import SLOT, STEP
from sites import Site, slots_before

TESTS = Path(__file__).resolve().parent.parent
PACKAGE = Path(coinlog.__file__).parent
PATHS = ("/", "/assets/1", "/compare?ids=1,1027", "/log", "/schema")

WALK = """
import json, re, sys
import sqlalchemy as sa
from sites import site_on

found, shapes = {}, set()
waiting = ["/xx/", "/xx/nowhere", "/xx/assets/123456"]
with site_on(sa.make_url(sys.argv[1])) as web:
    for path in waiting:
        page = found[path] = web.get(path).text
        for link in re.findall('href="(/xx/[^"#]*)"', page):
            shape = re.sub(r"=[^&]*|\\d+", "", link)
            if shape not in shapes and not shape.endswith((".atom", ".png")):
                shapes.add(shape)
                waiting.append(link.replace("&amp;", "&"))
print(json.dumps(found))
"""
"""Follows the links of the made-up language, of each kind the first, from home and two errors."""

NAMES = re.compile(
    r"CoinMarketCap|coinlog|Data|UTC|[A-Z]{3,5}|Asset|Bitcoin|Ethereum|Solana|Shiba Inu|Boost"
    r"|script|alert|id|\b[0-9a-f]{8}\b|v?\d+\.\d+\S*|Español|English|GET|text/\w+|application/\w+"
)
"""Words that are the same in every language: names, symbols, what programs are called."""


class Said(HTMLParser):
    """What a page says in its own language: text and labels, without what is marked as English."""

    SILENT = frozenset({"script", "style", "code", "pre", "textarea"})
    LABELS = frozenset({"aria-label", "title", "placeholder", "alt", "content"})
    TOLD = frozenset({"description", "og:title", "og:description", "og:image:alt"})
    VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "source", "wbr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[bool] = [False]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        other = "lang" in given and tag != "html"
        silent = self._open[-1] or tag in self.SILENT or other
        if tag not in self.VOID:
            self._open.append(silent)
        if not silent and (tag != "meta" or self.is_text(given)):
            self.said += [text for name, text in attrs if text and name in self.LABELS]

    @classmethod
    def is_text(cls, given: dict[str, str | None]) -> bool:
        """Return whether what a page tells of itself is a text, and no address or code."""
        return (given.get("name") or given.get("property")) in cls.TOLD

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self._open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self._open[-1]:
            self.said.append(data)


def unmarked(said: str) -> str:
    """Return what stands outside of marks, which may stand in each other."""
    while (less := re.sub("⟦[^⟦⟧]*⟧", "", said)) != said:
        said = less
    return said


def english_in(page: str) -> set[str]:
    """Return the words of a page that came from no catalogue and are no names."""
    left = NAMES.sub("", unmarked(" ¦ ".join(Said(page).said)))
    return set(re.findall(r"[^\W\d_]{2,}", left))


def marked(value: object) -> object:
    """Return the texts in a value of a catalogue in marks."""
    if isinstance(value, str):
        return f"⟦{value}⟧"
    if isinstance(value, dict):
        return {key: marked(one) for key, one in value.items()}
    return [marked(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def third(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package, and in it a language more: one file."""
    shutil.copytree(PACKAGE, tmp_path / "coinlog", ignore=shutil.ignore_patterns("__pycache__"))
    words = msgspec.json.decode((LOCALES / "en.json").read_bytes())
    words["language"] = "Markish"
    words["texts"] = marked(words["texts"])
    words["format"]["months"] = marked(words["format"]["months"])
    file = tmp_path / "coinlog" / LOCALES.relative_to(PACKAGE) / "xx.json"
    file.write_bytes(msgspec.json.encode(words))
    return tmp_path


def walk(folder: Path, url: sa.URL) -> dict[str, str]:
    """Return the pages of the made-up language, as a program with that file makes them."""
    around = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{TESTS}"}
    command = [sys.executable, "-c", WALK, url.render_as_string(hide_password=False)]
    run = subprocess.run(command, env=around, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(run.stdout)
    return found


def test_a_third_language_is_one_file_and_its_pages_are_whole(third: Path) -> None:
    url = sa.URL.create("sqlite", database=str(third / "coinlog.db"))
    fill_store(url)
    pages = {**walk(third, url)}
    empty = sa.URL.create("sqlite", database=str(third / "empty.db"))
    pages |= {f"{path} (empty)": page for path, page in walk(third, empty).items()}

    kinds = {re.sub(r"\?.*|\d+", "", path) for path in pages}
    assert kinds >= {"/xx/", "/xx/log", "/xx/assets/", "/xx/compare", "/xx/schema", "/xx/ (empty)"}
    assert {path: words for path, page in pages.items() if (words := english_in(page))} == {}
    # What looks for English would find it.
    assert english_in(pages["/xx/"].replace("⟦", "")) != set()
    assert 'hreflang="xx"' in pages["/xx/"]
    assert '<html lang="xx"' in pages["/xx/nowhere"]


def test_a_page_names_its_address_in_every_language(web: Site) -> None:
    web.store(*slots_before(2))
    web.look()
    for prefix in ("", *(f"/{code}" for code in languages()[1:])):
        for path in PATHS:
            reply = web.get(prefix + path)
            found = dict(
                re.findall(r'rel="alternate" hreflang="([^"]+)" href="([^"]+)"', reply.text)
            )
            # Whole addresses, and none of them another name of a page: search engines want both.
            here = "http://coinlog.test"
            english = f"{here}{path}"
            assert found == {"en": english, "es": f"{here}/es{path}", "x-default": english}
    assert "hreflang" not in web.get("/es/nowhere").text.partition("<body>")[0]


def test_only_the_bare_home_page_asks_the_browser(web: Site) -> None:
    spanish = {"accept-language": "es-CO,es;q=0.9,en;q=0.5"}
    home = web.get("/", spanish)
    assert (home.status, home.headers["location"]) == (302, "/es/")
    for path in ("/log", "/assets/1", "/nowhere", "/?q=a"):
        assert '<html lang="en"' in web.get(path, spanish).text
    for path in ("/es/", "/es/log", "/es/nowhere"):
        assert '<html lang="es"' in web.get(path, {"accept-language": "en"}).text


def test_spanish_errors_dates_and_numbers_are_spanish(web: Site) -> None:
    web.store(SLOT - STEP, price=1234.5)
    web.settle(SLOT)
    web.look()
    assert "Esta página no existe" in web.get("/es/nowhere").text
    log = web.get("/es/log").text
    assert "26 ene 2026, 12:00" in log
    assert "CoinMarketCap tardó demasiado en responder" in log
    assert "US$\N{NO-BREAK SPACE}1.234,50" in web.get("/es/").text


def test_error_pages_speak_to_people_in_their_language_alone(web: Site) -> None:
    web.store(SLOT)
    web.look()
    for path in ("/nowhere", "/assets/999999", "/log/2020-01-01"):
        page, spanish = web.get(path).text, web.get(f"/es{path}").text

        assert "There is no such page" in page
        assert "Esta página no existe" in spanish
        assert 'lang="en"' not in spanish.partition("<main")[2].partition("</main>")[0]
        # The API's addresses are for programs.
        assert "/api/v1/assets?q=" not in page + spanish
        assert "lists the API" not in page + spanish
    assert "/api/v1/assets?q=" in web.get("/api/v1/assets/999999").error["message"]
    assert "recording began at" in web.get("/log/2020-01-01").text


SAME = {
    *("foot.api", "schema.title", "theme.auto", "mood.neutral", "log.sha256"),
    *("js.hours", "js.minutes", "scale.log", "slot.bytes_n", "key.tab", "key.escape"),
}
"""Texts that happen to be the same in English and in another language."""


@pytest.mark.parametrize("language", languages()[1:])
def test_no_sentence_is_left_in_english(language: str) -> None:
    english, ours = catalogue(DEFAULT).texts, catalogue(language).texts
    letters = {key: re.sub(r"\{\w+\}|[\W\d_]", "", str(text)) for key, text in english.items()}
    same = {key for key in english if english[key] == ours[key] and len(letters[key]) > 2}
    assert same - SAME == set()
