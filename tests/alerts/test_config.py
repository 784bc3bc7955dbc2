"""The file of alerts: read back in words, or refused with the line, the key and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coinlog.alerts.config import MARKET, RECORDER, parse_alerts, read_alerts
from coinlog.alerts.example import EXAMPLE
from coinlog.alerts.market_rules import Change, Dominance, Price, Rank
from coinlog.alerts.recorder_rules import Disk, Failing, Partial
from coinlog.errors import SettingError
from coinlog.slots import DAY


def test_the_example_can_be_used_whole_and_holds_every_kind() -> None:
    whole = re.sub(
        r"^# (quota = true|\[\[|asset|worse_than|below)", r"\1", EXAMPLE, flags=re.MULTILINE
    )
    rules = parse_alerts(whole.encode(), "alerts.toml").rules

    assert {rule.kind for rule in rules} == {*RECORDER, *MARKET}
    assert parse_alerts(EXAMPLE.encode(), "alerts.toml").rules


def test_a_file_becomes_rules(own_world: Path) -> None:
    file = own_world / "alerts.toml"
    file.write_text(
        'urls_file = "urls.txt"\n[recorder]\nfailing = true\nmissed = false\n'
        "partial = { slots = 5 }\ndisk = {}\n"
        '[[price]]\nasset = 1\nbelow = 50\ncurrency = "eur"\nrearm = 2\n'
        '[[change]]\nasset = 1027\npercent = -10\nwindow = "7d"\n'
        "[[rank]]\nasset = 5\nbetter_than = 10\n"
        "[[dominance]]\nasset = 1027\nabove = 20.5\n"
    )
    found = read_alerts(file)

    assert found
    assert found.urls_file == own_world / "urls.txt"
    assert found.rules == (
        Failing(),
        Partial(slots=5),
        Disk(),
        Price(asset=1, below=50, currency="EUR", rearm=2),
        Change(asset=1027, percent=-10, window_seconds=7 * DAY),
        Rank(asset=5, better_than=10),
        Dominance(asset=1027, above=20.5),
    )
    assert read_alerts(own_world / "none.toml") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[recorder]\nfaling = true", "line 2: 'faling' is no key: did you mean failing?"),
        ("[recoder]\n", "line 1: 'recoder' is no key: did you mean recorder?"),
        ("[recorder]\nmissed = 3", "line 2: missed is 3: expected true, false"),
        (
            "[recorder]\n\npartial = { slots = 0 }",
            "line 3: slots of recorder.partial is 0: expected a whole number from 1 to 1,000, for",
        ),
        (
            "[recorder.disk]\nfree_gb = 3",
            "line 2: 'free_gb' is no key of recorder.disk: did you mean free_mb?",
        ),
        (
            '[[price]]\nasset = "BTC"\nabove = 5',
            "line 2: asset of price is 'BTC': expected the id of an asset, as in the address of",
        ),
        (
            "[[price]]\nasset = 1\nabove = 5\n[[price]]\nasset = 1\nabov = 5",
            "line 6: 'abov' is no key of price: did you mean above?",
        ),
        ("[[price]]\nasset = 1", "line 1: [[price]] has neither above nor below: expected one of"),
        ("[[price]]\nabove = 1", "line 1: [[price]] has no asset"),
        (
            "[[rank]]\nasset = 1\nbetter_than = 5\nworse_than = 9",
            "takes better_than or worse_than, not both",
        ),
        ("[[price]]\nasset = 1\nabove = nan", "line 3: above of price is nan"),
        ("[[price]]\nasset = 1\nabove = 5\n" * 2, "line 4: this [[price]] is the same as number 1"),
        ("[price]\nasset = 1", "line 1: price is written otherwise: expected a table in double"),
        ('[[change]]\nasset = 1\npercent = 0\nwindow = "1d"', "line 3: percent of change is 0"),
        ('[[change]]\nasset = 1\npercent = 5\nwindow = "1w"', "line 4: window of change is '1w'"),
        (
            "[[dominance]]\nasset = 1\nabove = 0.3",
            "this [[dominance]] is over only at -0.2 % of the market, which nothing is: expected a",
        ),
        ("[[dominance]]\nasset = 1\nbelow = 99.8", "is over only at 100.3 % of the market, which"),
        (
            "[[change]]\nasset = 1\npercent = 5\nwindow = '1d'\nrearm = 200",
            "line 1: this [[change]] is over only at -195.0 %, and nothing loses more than all: ex",
        ),
        ("[[dominance]]\nasset = 5\nabove = 5", "line 2: asset of dominance is 5: expected the id"),
        ('[[price]]\nasset = 1\nabove = 5\ncurrency = "CHF"', "expected one of USD, EUR, GBP"),
        ("[recorder\n", "cannot be read as TOML: Expected ']'"),
        ('urls_file = "ntfy://secret"', "line 1: urls_file cannot be used: expected the path"),
        ("quota = true", "line 1: 'quota' is no key"),
        (f"[[price]]\nasset = 1\nabove = 1{'0' * 310}", "line 3: above of price is 1000000"),
        (f"[[price]]\nasset = 1\nabove = 0x{'f' * 5000}", "line 3: above of price is too long a"),
        (f"[[price]]\nasset = 1\nabove = 1{'0' * 5000}", "as TOML: a number in it is too long"),
        ('urls_file = "~nobody-of-that-name/x"', "line 1: urls_file begins with ~, and no home is"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SettingError) as raised:
        parse_alerts(text.encode(), "alerts.toml", Path())

    assert said in str(raised.value)
    assert str(raised.value).startswith("alerts.toml")
    assert "secret" not in str(raised.value)
