"""Times as people wrote them: seconds UTC, or refused where they are in doubt."""

from __future__ import annotations

import pytest

from coinlog.errors import UsageError
from coinlog.imports.times import Clock, open_zone
from coinlog.slots import parse_time

TOLD = 1_624_926_225
"""2021-06-29T00:23:45Z."""


def clock(zone: str = "UTC", form: str | None = None) -> Clock:
    return Clock(open_zone(zone), parse_time("2026-01-26T18:00:00Z"), form)


@pytest.mark.parametrize(
    "text",
    [
        *("1624926225", "1624926225.25", "1624926225000", "1624926225000000", " 1624926225 "),
        *("2021-06-29 00:23:45", "2021-06-29T00:23:45.999Z", "2021-06-29 00:23:45 UTC"),
        "2021-06-28T19:23:45-05:00",
    ],
)
def test_epochs_and_iso_times_are_read(text: str) -> None:
    assert clock().read(text) == TOLD


def test_a_time_without_a_zone_is_one_of_the_zone_asked_for() -> None:
    assert clock("America/Bogota").read("2021-06-28 19:23:45") == TOLD
    assert clock("America/Bogota").read("2021-06-29T00:23:45Z") == TOLD
    assert clock("Europe/Madrid", "%d/%m/%Y %H:%M:%S").read("29/06/2021 02:23:45") == TOLD


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2021-03-28 02:30:00", "never came in Europe/Madrid"),
        ("2021-10-31 02:30:00", "came twice in Europe/Madrid"),
        ("999999999", "before 2009"),
        ("2001-01-01", "before 2009"),
        ("2026-01-26T18:00:00Z", "not over yet"),
        ("9999-12-31", "not over yet"),
        ("29/06/2021", "--time-format"),
        ("ayer", "no time"),
        ("", "no time"),
        ("99999999999999999999", "no time"),
    ],
)
def test_a_time_in_doubt_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        clock("Europe/Madrid").read(text)


@pytest.mark.parametrize("name", ["Madrid", "../etc", "", "Europe/Atlantis"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="Europe/Madrid"):
        open_zone(name)
