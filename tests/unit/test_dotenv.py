"""The file ``.env``: what is understood and how the rest is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinlog.errors import SettingError
from coinlog.settings import load_settings
from coinlog.settings.dotenv import parse_dotenv, read_dotenv

PUBLIC = frozenset({"DB_HOST", "COINLOG_INTERVAL", "A"})


def parse(text: str) -> dict[str, str]:
    return {name: line.value for name, line in parse_dotenv(text, ".env", PUBLIC).items()}


def refusal(text: str) -> str:
    with pytest.raises(SettingError) as refused:
        parse(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=x", "x"),
        ("  export A=x  ", "x"),
        ("A=", ""),
        ("A=x y", "x y"),
        ("A=x # comment", "x"),
        ("A=x#1", "x#1"),
        ("A= # comment", ""),
        ("A='x # y'", "x # y"),
        ("A='x' # comment", "x"),
        ('A="x\'y"', "x'y"),
        (r'A="say \"hi\" \\ \n $HOME"', r'say "hi" \ \n $HOME'),
        (r"A='C:\new $x'", r"C:\new $x"),
        ("A=k=v==", "k=v=="),
        ("A=it's", "it's"),
        ("A=ä 币", "ä 币"),
    ],
)
def test_a_line_is_a_name_and_a_value(line: str, value: str) -> None:
    assert parse(line) == {"A": value}


def test_blank_lines_comments_windows_ends_and_a_mark_are_tolerated(own_world: Path) -> None:
    path = own_world / ".env"
    path.write_bytes(b"\xef\xbb\xbfA=1\r\n\r\n  # note\r\nB=2\r\n")

    lines = read_dotenv(path, PUBLIC)

    assert [(name, *line) for name, line in lines.items()] == [("A", "1", 1), ("B", "2", 4)]


@pytest.mark.parametrize(
    ("line", "corrected"),
    [
        ("DB_HOST: 'x',", "DB_HOST=x"),
        ("'DB_HOST': \"x\",", "DB_HOST=x"),
        ("DB_HOST = x", "DB_HOST=x"),
        ("DB_HOST='x',", "DB_HOST=x"),
        ("export DB_HOST : x", "DB_HOST=x"),
        ("DB_HOST='x", "DB_HOST=x"),
        ("DB_HOST: /a/b-1.c ;", "DB_HOST=/a/b-1.c"),
    ],
)
def test_another_line_is_refused_with_its_number_and_corrected(line: str, corrected: str) -> None:
    message = refusal(f"# first\n{line}\n")

    assert message == f".env line 2 is not NAME=value: it should be {corrected}"
    assert parse(corrected)


@pytest.mark.parametrize(
    "line", ["DB_PASSWORD: 'hunter2',", "CMC_KEY = hunter2", "hunter2", "=hunter2"]
)
def test_a_refused_line_never_shows_what_may_be_a_secret(line: str) -> None:
    message = refusal(line)

    assert "hunter2" not in message
    assert message.startswith(".env line 1 is not NAME=value: ")


def test_a_name_that_stands_twice_is_refused() -> None:
    assert refusal("A=1\nB=2\nA=3") == ".env sets A twice, in lines 1 and 3: keep one of them"


def test_an_unknown_name_of_ours_is_refused_with_the_nearest(own_world: Path) -> None:
    path = own_world / ".env"
    path.write_text("OTHER=1\nCOINLOG_ASSET=top:5\n")

    with pytest.raises(SettingError, match=r"line 2: COINLOG_ASSET is .* mean COINLOG_ASSETS\?"):
        load_settings({}, path)


def test_a_wrong_value_is_told_with_its_line(own_world: Path) -> None:
    path = own_world / ".env"
    path.write_text("\nCOINLOG_PORT=x\n")

    with pytest.raises(SettingError, match=r"COINLOG_PORT \(.*\.env line 2\) is 'x'"):
        load_settings({}, path)


@pytest.mark.parametrize("content", [b"A=\xff\n", b"A" * 100_001])
def test_a_file_that_is_no_dotenv_is_refused(content: bytes, own_world: Path) -> None:
    (own_world / ".env").write_bytes(content)

    with pytest.raises(SettingError, match=r"\.env"):
        read_dotenv(own_world / ".env", PUBLIC)


def test_a_folder_in_its_place_is_refused_and_absence_is_fine(own_world: Path) -> None:
    assert read_dotenv(own_world / ".env", PUBLIC) == {}
    with pytest.raises(SettingError, match="cannot be read"):
        read_dotenv(own_world, PUBLIC)


@given(st.text(max_size=60))
def test_any_text_is_either_read_or_refused_in_our_words(text: str) -> None:
    try:
        parse_dotenv(text, ".env", PUBLIC)
    except SettingError as refused:
        assert str(refused).startswith(".env ")


@given(st.text(st.characters(blacklist_characters="'\n\r\0", blacklist_categories=["Cs"])))
def test_whatever_stands_in_single_quotes_is_taken_as_it_is(value: str) -> None:
    assert parse(f"A='{value}'") == {"A": value}


CANARY = "s3cr3t-canary"


@pytest.mark.parametrize(
    "line",
    [
        f"DB_USER: 'root', DB_PASSWORD: '{CANARY}',",
        f"DB_HOST='127.0.0.1', DB_PASSWORD: '{CANARY}'",
        f'DB_USER="a" DB_PASSWORD="{CANARY}"',
        f"DB_HOST: 127.0.0.1 DB_PASSWORD={CANARY}",
        f"DB_HOST: a=DB_PASSWORD={CANARY}",
        f"DB_HOST: 'a;DB_PASSWORD={CANARY}'",
        f"DB_PASSWORD: '{CANARY}'",
        f"DB_HOST=127.0.0.1 DB_PASSWORD={CANARY}",
        f"DB_HOST=127.0.0.1, DB_PASSWORD: '{CANARY}'",
        f'DB_HOST="a db_password={CANARY}"',
        f"DB_HOST='x'; # {CANARY}",
        f"{CANARY}: x",
        f"DB_HOST:DB_PASSWORD{CANARY}",
    ],
)
def test_a_secret_behind_a_harmless_name_is_never_shown(line: str) -> None:
    message = refusal(line)

    assert CANARY not in message
    assert message == (
        ".env line 1 is not NAME=value: expected NAME=value, one a line, for example "
        "DB_HOST=127.0.0.1"
    )


NAMES = st.sampled_from(["DB_HOST", "DB_USER", "COINLOG_PORT", "COINLOG_API_KEY_FILE", "OTHER"])
MARKS = st.text(st.sampled_from(" \t,;:='\"&|#{}[]()\\"), max_size=4)
VALUES = st.sampled_from(["", "127.0.0.1", "root", "5000", "mysql://h/d", "a b"])
SECRET_NAMES = st.sampled_from(["DB_PASSWORD", "db_password", "CMC_API_KEY", "COIN_APY_KEY"])
PARTS = st.tuples(MARKS, NAMES, MARKS, VALUES, MARKS, SECRET_NAMES, MARKS)


@settings(max_examples=500)
@example(("", "DB_HOST", "", "", ":", "DB_PASSWORD", ""), "", "")
@given(PARTS, MARKS, st.sampled_from(["", "export "]))
def test_no_refusal_shows_a_secret_that_stands_behind_another_setting(
    parts: tuple[str, ...], end: str, start: str
) -> None:
    path = Path("canary.env")
    path.write_text(f"{start}{''.join(parts)}{CANARY}{end}\n", encoding="utf-8")
    try:
        load_settings({}, path)
    except SettingError as refused:
        assert CANARY not in str(refused)


@pytest.mark.parametrize("line", ["COINLOG_PORT=1, PASSWORD: '{}'", "DB_HOST='a' PASS={}"])
def test_a_refused_value_never_shows_what_looks_like_another_setting(line: str) -> None:
    Path(".env").write_text(line.format(CANARY), encoding="utf-8")

    with pytest.raises(SettingError) as refused:
        load_settings({})

    assert CANARY not in str(refused.value)


def test_the_path_of_a_secret_file_is_not_shown_where_the_secret_itself_may_stand() -> None:
    Path(".env").write_text(f"CMC_API_KEY_FILE: '{CANARY}',", encoding="utf-8")

    with pytest.raises(SettingError, match="line 1 is not NAME=value: expected NAME=value"):
        load_settings({})


def test_a_quoted_secret_may_hold_what_looks_like_a_setting() -> None:
    assert parse("DB_PASSWORD='a, DB_HOST=b'") == {"DB_PASSWORD": "a, DB_HOST=b"}
