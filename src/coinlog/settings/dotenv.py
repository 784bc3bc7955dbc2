"""Read a ``.env`` file strictly: a line that is not ``NAME=value`` is refused, never guessed.

Understood are blank lines, ``# comments`` (also after a value, behind a space), ``export`` before
a name, and quotes around a value: nothing is special within ``'...'``; within ``"..."`` a backslash
stands before ``"`` and before itself. ``$`` is never expanded. A byte order mark and Windows line
ends are tolerated.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from coinlog.errors import SettingError

SIZE_LIMIT = 100_000

_LINE = re.compile(r"(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_VALUE = re.compile(
    r"""[ \t]*(?:
        '(?P<single>[^']*)'
      | "(?P<double>(?:\\.|[^"\\])*)"
      | (?P<bare>(?!['"]|(?<=[ \t])\#).*?)
    )(?:[ \t]+\#.*|[ \t]*)""",
    re.VERBOSE,
)
_NEARLY = re.compile(
    r"""(?:export[ \t]+)?["']?(?P<name>[A-Za-z_][A-Za-z0-9_]*)["']?[ \t]*[:=][ \t]*
    ["']?(?P<value>[A-Za-z0-9._/+~-]+)["',;\ \t]*""",
    re.VERBOSE,
)
_FURTHER = re.compile(
    r"""(?<![A-Za-z0-9_])(?:COINLOG|COIN|CMC|DB)_[A-Z_]+["']?[ \t]*[:=]""", re.IGNORECASE
)

_OF_A_SECRET = re.compile(r"(?:COINLOG|COIN|CMC|DB)_|pass|key|secret|token", re.IGNORECASE)
"""What a value may be mistaken for that holds the name of a setting, perhaps of a secret one."""


class Line(NamedTuple):
    """A value of a ``.env`` file and the number of the line it stands in."""

    value: str
    number: int


def read_dotenv(path: Path, public: frozenset[str]) -> dict[str, Line]:
    """Return the values of a ``.env`` file by name; none where there is no such file.

    ``public`` are the names whose values may be shown in a message; all others are masked.

    Raises:
        SettingError: the file cannot be read, a line is not ``NAME=value`` or a name is repeated.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise SettingError(f"{path} is larger than {SIZE_LIMIT} bytes: it is no .env file")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"{path} cannot be read ({_cause(error)}): expected a text file in UTF-8 with lines "
            "such as COINLOG_INTERVAL=6h; correct it or move it away"
        ) from None
    return parse_dotenv(text, str(path), public)


def parse_dotenv(text: str, path: str, public: frozenset[str]) -> dict[str, Line]:
    """Return the values in the text of a ``.env`` file by name. See ``read_dotenv``."""
    found: dict[str, Line] = {}
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        line = raw.strip(" \t")
        if not line or line.startswith("#"):
            continue
        name, value = _read_line(line, f"{path} line {number}", public)
        if name in found:
            raise SettingError(
                f"{path} sets {name} twice, in lines {found[name].number} and {number}: "
                "keep one of them"
            )
        found[name] = Line(value, number)
    return found


def _read_line(line: str, where: str, public: frozenset[str]) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    value = _VALUE.fullmatch(match["value"]) if match else None
    if match and value and "\0" not in line and not _holds_another(match["name"], value, public):
        if value["double"] is not None:
            return match["name"], re.sub(r'\\(["\\])', r"\1", value["double"])
        return match["name"], value["single"] if value["single"] is not None else value["bare"]
    raise SettingError(f"{where} is not NAME=value: {_correction(line, public)}")


def _holds_another(name: str, value: re.Match[str], public: frozenset[str]) -> bool:
    """Return whether another of our settings stands within a value, as in ``DB_HOST=x DB_USER=y``.

    A value in quotes is taken as it is, unless messages may show it: there could be a secret in it.
    """
    exposed = value["bare"] is not None or name in public
    return exposed and _FURTHER.search(value[0]) is not None


def _correction(line: str, public: frozenset[str]) -> str:
    """Return what the line should be, with its value only where nothing else stands beside it.

    The line itself is never shown: whatever is on it besides a public value may be a secret.
    """
    match = _NEARLY.fullmatch(line)
    if match and match["name"] in public and not _OF_A_SECRET.search(match["value"]):
        return f"it should be {match['name']}={match['value']}"
    return "expected NAME=value, one a line, for example DB_HOST=127.0.0.1"


def _cause(error: OSError | UnicodeDecodeError) -> str:
    # The text of a decoding error quotes bytes of the file, and those can be of a secret.
    return error.strerror or "no reason given" if isinstance(error, OSError) else "not UTF-8"
