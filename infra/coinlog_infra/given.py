"""Find the options in the environment and ``deploy.toml``.

This is the only module of ``infra/`` that reads the environment: all others receive values.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from coinlog.errors import UsageError
from coinlog.settings import Secret, load_settings
from coinlog.settings.dotenv import read_dotenv
from coinlog_infra.option import NAME, Option
from coinlog_infra.options import OPTIONS, Given, Options, build_options

ROOT = Path(__file__).resolve().parents[2]
FILE, DOTENV = ROOT / "deploy.toml", ROOT / ".env"
PREFIX = "DEPLOY_"

_KEY = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_KEYS = {option.key: option for option in OPTIONS}


def load_options(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Options:
    """Return the options: a make variable or the environment wins over ``deploy.toml``.

    Interval and assets of the program's own ``.env`` hold where neither says otherwise.

    Raises:
        UsageError: a value cannot be used, or the file cannot be read.
    """
    told = from_environment(environ)
    name = told["name"].text.strip() if "name" in told else ""
    return build_options({**from_dotenv(DOTENV), **from_file(file or file_of(name)), **told})


def file_of(name: str) -> Path:
    """Return the file that a deployment's options are in: ``deploy.toml`` is the first one's.

    A second name has its own, so that neither takes the other's options for its own.

    Raises:
        UsageError: ``deploy.toml`` cannot be read.
    """
    if not NAME.fullmatch(name):
        return FILE
    own = FILE.with_name(f"{FILE.stem}.{name}{FILE.suffix}")
    if not own.exists() and not FILE.exists():
        return FILE
    first = from_file(FILE).get("name", Given(Options().name, "")).text
    return FILE if name == first and not own.exists() else own


def from_dotenv(path: Path) -> dict[str, Given]:
    """Return what the program's own ``.env`` says of what is recorded, by field.

    Raises:
        SettingError: it cannot be read.
    """
    lines = read_dotenv(path, frozenset(option.setting for option in OPTIONS))
    return {
        option.field: Given(lines[option.setting].value, f"{option.setting} in {path.name}")
        for option in OPTIONS
        if option.setting in lines and lines[option.setting].value
    }


def from_environment(environ: Mapping[str, str] | None = None) -> dict[str, Given]:
    """Return what the environment says, by field; an empty value counts as not given."""
    environ = os.environ if environ is None else environ
    return {
        option.field: Given(environ[name], called)
        for option in OPTIONS
        for name, called in reversed(_names(option))
        if environ.get(name)
    }


def _names(option: Option) -> tuple[tuple[str, str], ...]:
    """Return the environment's names for an option, the one that wins first, and what to call them.

    ``make`` hands its variables over with a prefix: a shell's own NAME or EMAIL means other things.
    """
    own = ((f"{PREFIX}{option.variable}", option.variable),)
    return (*own, (option.setting, option.setting)) if option.setting else own


def from_file(file: Path) -> dict[str, Given]:
    """Return what a ``deploy.toml`` says, by field; nothing where there is no such file.

    Raises:
        UsageError: it cannot be read, or holds what is no option.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(
            f'{file.name} cannot be read ({error}): expected lines such as interval = "6h"; '
            "correct it, or remove it to begin with the defaults"
        ) from None
    return {
        _KEYS[_known(key, file)].field: _given(key, value, file) for key, value in table.items()
    }


def _known(key: str, file: Path) -> str:
    if key not in _KEYS:
        near = get_close_matches(key, _KEYS, n=1)
        raise UsageError(
            f"{file.name} says {key}, which is no option: "
            + (f"did you mean {near[0]}?" if near else f"expected one of {', '.join(_KEYS)}")
        )
    return key


def _given(key: str, value: object, file: Path) -> Given:
    called = f"{key} in {file.name}"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return Given(",".join(value), called)
    if isinstance(value, bool):
        return Given("yes" if value else "no", called)
    if isinstance(value, str | int):
        return Given(str(value), called)
    option = _KEYS[key]
    raise UsageError(
        f"{called} is a {type(value).__name__}: expected {option.expected}, for example "
        f'{key} = "{option.example}"'
    )


def api_key() -> Secret | None:
    """Return the API key that the program's own settings find, in the environment or ``.env``.

    Raises:
        SettingError: one that is set cannot be used.
    """
    return load_settings(dotenv=DOTENV).api_key


def looks_like_a_key(key: Secret) -> bool:
    """Return whether a key has the form of CoinMarketCap's: 32 hexadecimal digits with dashes."""
    return bool(_KEY.fullmatch(key.reveal()))


def docker() -> str:
    """Return the program that builds images: CDK's own variable names another than Docker."""
    return os.environ.get("CDK_DOCKER", "").strip() or "docker"


def said(name: str) -> str:
    """Return a make variable that is no option, such as ``YES`` or ``CMD``: empty if not given."""
    return os.environ.get(f"{PREFIX}{name}", "").strip()


def agreed() -> bool:
    """Return whether ``YES=1`` was given: do not ask."""
    return said("YES").lower() in {"1", "yes", "true"}


def agreed_to(name: str) -> bool:
    """Return whether ``YES`` repeats a name, which is how to agree to what cannot be undone.

    Raises:
        UsageError: it says something else.
    """
    answer = said("YES")
    if answer and answer != name:
        raise UsageError(f"YES is {answer[:40]!r}: expected the name, YES={name}")
    return bool(answer)


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a program that we start, with some values more."""
    return {**os.environ, **more}
