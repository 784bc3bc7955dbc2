"""Every text in every language: all there, none unused, the same names to fill in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import coinlog.web
from coinlog.market import Outcome, Reason
from coinlog.web.i18n import DEFAULT, LOCALES, Plural, catalogue, languages
from coinlog.web.shell import CURRENCIES

WEB = Path(coinlog.web.__file__).parent
FRONTEND = Path(__file__).resolve().parent.parent.parent / "frontend" / "src"
OTHERS = languages()[1:]


def forms(entry: str | Plural) -> list[str]:
    return [entry] if isinstance(entry, str) else [entry.one, entry.other]


def names(entry: str | Plural) -> set[str]:
    return {name for text in forms(entry) for name in re.findall(r"\{(\w+)\}", text)}


def source() -> str:
    """Return all that can ask for a text: templates, Python and TypeScript."""
    files = [*WEB.glob("templates/*.html"), *WEB.glob("*.py"), *FRONTEND.rglob("*.ts")]
    return "\n".join(file.read_text() for file in files)


def quoted() -> set[str]:
    """Return every quoted word: a key that is used stands in quotes, whole or its beginning."""
    return set(re.findall(r"""["']([\w.]+)["'{]""", source()))


def asked_for() -> set[str]:
    """Return the keys that are asked for in full."""
    return set(re.findall(r"""\bt\(\s*["']([\w.]*\w)["']""", source()))


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_same_texts_as_english(language: str) -> None:
    assert catalogue(language).texts.keys() == catalogue(DEFAULT).texts.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_each_text_has_the_same_names_to_fill_in(language: str) -> None:
    ours, english = catalogue(language).texts, catalogue(DEFAULT).texts
    assert {key: names(ours[key]) for key in english} == {
        key: names(english[key]) for key in english
    }


@pytest.mark.parametrize("language", languages())
def test_a_language_has_twelve_months_and_the_patterns_of_numbers(language: str) -> None:
    form = catalogue(language).format
    assert len(set(form.months)) == 12
    assert tuple(form.currencies) == CURRENCIES
    assert all(pattern.count("{}") == 1 for pattern in (*form.currencies.values(), form.percent))
    assert {"6", "9", "12", "15"} == form.powers.keys()


@pytest.mark.parametrize("language", languages())
def test_no_text_is_empty_or_left_in_english(language: str) -> None:
    assert all(
        text.strip() for entry in catalogue(language).texts.values() for text in forms(entry)
    )


def test_every_text_that_is_asked_for_is_there() -> None:
    keys = catalogue(DEFAULT).texts.keys()
    assert {key for key in asked_for() if key not in keys and f"js.{key}" not in keys} == set()


def test_no_text_is_unused() -> None:
    used = quoted()
    beginnings = tuple(word for word in used if word.endswith("."))
    keys = catalogue(DEFAULT).texts.keys()
    whole = {key for key in keys if key in used or key.removeprefix("js.") in used}
    assert {key for key in keys - whole if not key.startswith(beginnings)} == set()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words(reason: Reason) -> None:
    assert f"reason.{reason}" in catalogue(DEFAULT).texts


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_words(outcome: Outcome) -> None:
    assert {f"outcome.{outcome}", f"tally.{outcome}"} <= catalogue(DEFAULT).texts.keys()


def test_a_language_is_one_file() -> None:
    assert set(languages()) == {file.stem for file in LOCALES.iterdir()}
    assert languages()[0] == DEFAULT


def test_a_plural_is_chosen_by_n() -> None:
    spanish = catalogue("es")
    assert spanish.text("chart.gaps", n=1) == "1 hueco en este periodo"
    assert spanish.text("chart.gaps", n=3) == "3 huecos en este periodo"
