"""Values as they were given, place by place: the first place that has a setting wins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from coinlog.errors import SettingError
from coinlog.settings.setting import Setting

SECRET_FILE_LIMIT = 65_536


class Given(NamedTuple):
    """A value as it was given, under which name and where."""

    name: str
    text: str
    where: str


Layer = dict[str, Given]
"""The values of one place by name. Empty ones count as not given."""


def find(setting: Setting, layers: Iterable[Layer]) -> Given | None:
    """Return a setting as given in the first layer that has it, read from its file if it has one.

    Raises:
        SettingError: it is given twice, as value and as file, or the file cannot be read.
    """
    for layer in layers:
        for name in setting.names:
            given = layer.get(name)
            file = layer.get(f"{name}_FILE") if setting.secret else None
            if given and file:
                raise SettingError(f"{name} and {name}_FILE are both set: unset one of them")
            if file:
                return read_secret_file(file, several=setting.several)
            if given:
                return given._replace(name=name)
    return None


def read_secret_file(given: Given, *, several: bool = False) -> Given:
    """Return the secret that a ``NAME_FILE`` points to, without the line break at its end.

    Raises:
        SettingError: the file cannot be read, is empty, or holds more than one line of which no
            ``several`` are expected.
    """
    try:
        with Path(given.text).expanduser().open(encoding="utf-8") as file:
            text = file.read(SECRET_FILE_LIMIT).rstrip("\r\n")
    except (OSError, ValueError, RuntimeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not a text file in UTF-8"
        # Somebody may have put the secret itself here: only what looks like a path is shown.
        path = f" {given.text[:200]!r}" if given.text[0] in "/.~" else ""
        raise SettingError(
            f"{given.name} ({given.where}) names a file{path} that cannot be read ({cause}): "
            "expected the path of a file that holds the secret and nothing else"
        ) from None
    if not text.strip() or ("\n" in text and not several) or "\0" in text:
        raise SettingError(
            f"{given.name} ({given.where}) names a file that is empty or has several lines: "
            "expected the secret and nothing else"
        )
    return Given(given.name.removesuffix("_FILE"), text, f"from the file in {given.name}")
