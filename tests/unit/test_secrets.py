"""Secrets: read from a value or a file, never shown."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import msgspec
import pytest

from coinlog.errors import SettingError
from coinlog.settings import SETTINGS, Secret, load_settings

SECRET = Secret("hunter2")


@pytest.mark.parametrize(
    "text",
    [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET:>12}", f"{SECRET!r}", f"{[SECRET]}"],
)
def test_a_secret_never_prints_its_value(text: str) -> None:
    assert "hunter2" not in text
    assert "***" in text


@pytest.mark.parametrize("write", [pickle.dumps, msgspec.json.encode, vars])
def test_a_secret_is_not_written_anywhere(write: object) -> None:
    assert callable(write)
    with pytest.raises(TypeError) as refused:
        write(SECRET)

    assert "hunter2" not in str(refused.value)


def test_a_secret_is_equal_to_the_same_one_alone() -> None:
    assert SECRET == Secret("hunter2") == copy.deepcopy(copy.copy(SECRET))
    assert Secret("other") != SECRET != "hunter2"
    assert len({SECRET, Secret("hunter2")}) == 1
    assert SECRET.reveal() == "hunter2"


def test_settings_print_without_secrets() -> None:
    environ = {"CMC_API_KEY": "hunter2", "DB_HOST": "db", "DB_PASSWORD": "hunter3"}
    settings = load_settings(environ, None)

    assert "hunter" not in f"{settings} {settings!r} {settings.database_url}"
    assert settings.database_url.password == "hunter3"


@pytest.mark.parametrize("name", [n for s in SETTINGS if s.secret for n in s.names])
def test_every_secret_can_come_from_a_file(name: str, own_world: Path) -> None:
    odd = {"COINLOG_DATABASE_URL": "mysql://u:hunter2@h/d", "COINLOG_ALERT_URLS": "json://hunter2"}
    value = odd.get(name, "hunter2")
    (own_world / "secret").write_text(value + "\r\n")
    environ = {f"{name}_FILE": str(own_world / "secret"), "DB_HOST": "h"}

    settings = load_settings(environ, None)

    keys = (settings.api_key, settings.move_password, settings.import_password)
    held = [secret.reveal() for secret in (*keys, *settings.alert_urls) if secret]
    expected = value if name == "COINLOG_ALERT_URLS" else "hunter2"
    assert (held or [str(settings.database_url.password)]) == [expected]


def test_a_secret_given_twice_is_refused(own_world: Path) -> None:
    environ = {"CMC_API_KEY": "a", "CMC_API_KEY_FILE": str(own_world)}

    with pytest.raises(SettingError, match="CMC_API_KEY and CMC_API_KEY_FILE are both set"):
        load_settings(environ, None)


@pytest.mark.parametrize("content", [b"", b" \n", b"one\ntwo\n", b"\xff\xfe", b"a\0b"])
def test_a_file_that_holds_no_secret_is_refused(content: bytes, own_world: Path) -> None:
    (own_world / "secret").write_bytes(content)
    environ = {"CMC_API_KEY_FILE": str(own_world / "secret")}

    with pytest.raises(SettingError, match=r"CMC_API_KEY_FILE .* expected") as refused:
        load_settings(environ, None)

    assert "two" not in str(refused.value)


@pytest.mark.parametrize("path", ["/absent/secret", "/", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(path: str) -> None:
    with pytest.raises(SettingError, match=r"CMC_API_KEY_FILE .* cannot be read"):
        load_settings({"CMC_API_KEY_FILE": path}, None)


def test_a_secret_put_in_the_place_of_its_file_is_not_shown() -> None:
    with pytest.raises(SettingError) as refused:
        load_settings({"CMC_API_KEY_FILE": "hunter2"}, None)

    assert "hunter2" not in str(refused.value)
