"""Find every setting in the environment and ``.env``, and check it.

This is the only module of coinlog that reads the environment: all others receive values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from coinlog.errors import SettingError
from coinlog.settings.databases import signed_in_by_token, sqlite_url, trusting
from coinlog.settings.dotenv import read_dotenv
from coinlog.settings.layers import Given, Layer, find
from coinlog.settings.places import default_data
from coinlog.settings.secret import Secret
from coinlog.settings.table import KEYLESS_URL, PRO_URL, SETTINGS
from coinlog.slots import AssetSelection, parse_assets

PREFIX = "COINLOG_"
DATABASE_FILE = "coinlog.db"

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_NAMES = frozenset(name for setting in SETTINGS for name in setting.names)
_SECRET_NAMES = frozenset(name for s in SETTINGS if s.secret for name in s.names)
_FILE_NAMES = frozenset(f"{name}_FILE" for name in _SECRET_NAMES)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Every setting, checked. Paths are absolute, times are seconds, sizes are bytes.

    ``notes`` are sentences for the user about settings that look like a mistake;
    ``secret_files`` are the files that hold secrets.
    """

    api_key: Secret | None
    cmc_url: str
    database_url: sa.URL
    data: Path
    archive: str
    interval_seconds: int
    assets: str
    host: str
    port: int
    deadline_seconds: float
    patience_seconds: float
    body_limit_bytes: int
    workers: int
    log_level: str
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    rate: int
    connections: int
    move_password: Secret | None = None
    import_password: Secret | None = None
    backfill: str = "ask"
    verify_seconds: int = 0
    api_key_parameter: str | None = None
    alert_topic: str | None = None
    alerts: Path | None = None
    alert_urls: tuple[Secret, ...] = ()
    alert_urls_parameter: str | None = None
    log: str = "text"
    notes: tuple[str, ...] = ()
    secret_files: tuple[Path, ...] = ()

    @property
    def selection(self) -> AssetSelection:
        """The assets to record, parsed."""
        return parse_assets(self.assets)

    def for_simulated_market(self, url: str) -> Settings:
        """Return a copy for the made-up market: its own data folder, asked at ``url``, keyless."""
        data = self.data / "simulated"
        return replace(
            self,
            api_key=None,
            cmc_url=url.rstrip("/"),
            database_url=sqlite_url(data / DATABASE_FILE),
            data=data,
            archive=str(data / "archive"),
        )


def load_settings(
    environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")
) -> Settings:
    """Return the settings from an environment (this process's unless given) and a ``.env`` file.

    The environment wins over ``.env``; of several names for one thing the first in the table.

    Raises:
        SettingError: a value cannot be used, or ``.env`` cannot be read.
    """
    process = {
        name: Given(name, text, "from the environment")
        for name, text in (os.environ if environ is None else environ).items()
        if text
    }
    file = _dotenv_layer(dotenv) if dotenv else {}
    notes = (*_unknown(process, file), *_contradicting(process, file))
    settings = _Reader((process, file)).settings(notes)
    return replace(settings, secret_files=_secret_files(process, file, dotenv))


def _dotenv_layer(path: Path) -> Layer:
    # A NAME_FILE is not public: somebody may have put the secret itself there.
    lines = read_dotenv(path, _NAMES - _SECRET_NAMES)
    return {
        name: Given(name, line.value, f"{path} line {line.number}")
        for name, line in lines.items()
        if line.value
    }


class _Reader:
    """Finds settings in layers, of which the first that has one wins."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self.layers = layers

    def settings(self, notes: tuple[str, ...]) -> Settings:
        key = self.value("COINLOG_API_KEY", Secret)
        data = self.value("COINLOG_DATA", Path) or default_data()
        interval = self.known("COINLOG_INTERVAL", int)
        return Settings(
            api_key=key,
            cmc_url=self.value("COINLOG_CMC_URL", str) or (PRO_URL if key else KEYLESS_URL),
            database_url=self.database() or sqlite_url(data / DATABASE_FILE),
            data=data,
            archive=self.value("COINLOG_ARCHIVE", str) or str(data / "archive"),
            interval_seconds=interval,
            assets=self.known("COINLOG_ASSETS", str),
            host=self.known("COINLOG_HOST", str),
            port=self.known("COINLOG_PORT", int),
            deadline_seconds=self.budget("COINLOG_DEADLINE_SECONDS", interval, 90, 1 / 2),
            patience_seconds=self.budget("COINLOG_PATIENCE_SECONDS", interval, 150, 1 / 3),
            body_limit_bytes=self.known("COINLOG_BODY_LIMIT_MB", int),
            workers=self.known("COINLOG_WORKERS", int),
            log_level=self.known("COINLOG_LOG_LEVEL", str),
            proxies=self.known("COINLOG_PROXIES", tuple),
            rate=self.known("COINLOG_RATE", int),
            connections=self.known("COINLOG_CONNECTIONS", int),
            backfill=self.known("COINLOG_BACKFILL", str),
            verify_seconds=self.known("COINLOG_VERIFY", int),
            move_password=self.value("COINLOG_MOVE_PASSWORD", Secret),
            import_password=self.value("COINLOG_IMPORT_PASSWORD", Secret),
            api_key_parameter=self.value("COINLOG_API_KEY_PARAMETER", str),
            alert_topic=self.value("COINLOG_ALERT_TOPIC", str),
            alerts=self.value("COINLOG_ALERTS", Path) or data / "alerts.toml",
            alert_urls=self.value("COINLOG_ALERT_URLS", tuple) or (),
            alert_urls_parameter=self.value("COINLOG_ALERT_URLS_PARAMETER", str),
            log=self.known("COINLOG_LOG", str),
            notes=notes,
        )

    def value(self, name: str, kind: type[T]) -> T | None:
        """Return a setting's value or its default; ``None`` where it has neither."""
        setting = _BY_NAME[name]
        given = find(setting, self.layers)
        if given is None and setting.default is not None:
            given = Given(name, setting.default, "the default")
        value = setting.read(given.text, given.name, given.where) if given else None
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} is read as {type(value)}, used as {kind}")
        return value

    def known(self, name: str, kind: type[T]) -> T:
        """Return the value of a setting that has a default."""
        value = self.value(name, kind)
        if value is None:
            raise TypeError(f"{name} has no default")
        return value

    def database(self) -> sa.URL | None:
        """Return the database given in the first layer that gives one, as address or in parts."""
        for layer in self.layers:
            if find(_BY_NAME["COINLOG_DATABASE_URL"], (layer,)):
                return _Reader((layer,)).value("COINLOG_DATABASE_URL", sa.URL)
            if find(_BY_NAME["DB_HOST"], (layer,)):
                return self.database_from_parts()
        return None

    def database_from_parts(self) -> sa.URL:
        password = self.value("DB_PASSWORD", Secret)
        url = sa.URL.create(
            "mysql+pymysql",
            username=self.known("DB_USER", str),
            password=password.reveal() if password else None,
            host=self.known("DB_HOST", str),
            port=self.known("DB_PORT", int),
            database=self.known("DB_NAME", str),
        )
        url = trusting(url, self.value("COINLOG_DATABASE_CA", str))
        signin = self.known("COINLOG_DATABASE_SIGNIN", str)
        return self.by_token(url) if signin == "iam" else url

    def by_token(self, url: sa.URL) -> sa.URL:
        """Return an address at which one signs in with a token, in the environment's region."""
        region = self.layers[0].get("AWS_REGION")
        try:
            return signed_in_by_token(url, region and region.text)
        except ValueError as error:
            raise SettingError(f"COINLOG_DATABASE_SIGNIN is 'iam', and {error}") from None

    def budget(self, name: str, interval: int, usual: float, share: float) -> float:
        """Return seconds that something may take, over before the next slot's turn comes."""
        given = self.value(name, float)
        if given is not None and given >= interval:
            raise SettingError(
                f"{name} is {given:g}: expected less than COINLOG_INTERVAL, "
                f"which is {interval} seconds"
            )
        return min(usual, interval * share) if given is None else given


def _unknown(process: Layer, file: Layer) -> tuple[str, ...]:
    """Return a note for each name in the environment that looks like a setting and is none.

    Raises:
        SettingError: such a name stands in ``.env``, which is ours to be strict about.
    """
    for name in sorted(file):
        if name.startswith(PREFIX) and name not in _NAMES | _FILE_NAMES:
            raise SettingError(f"{file[name].where}: {_hint(name)}")
    return tuple(
        _hint(name)
        for name in sorted(process)
        if name.startswith(PREFIX) and name not in _NAMES | _FILE_NAMES
    )


def _contradicting(*layers: Layer) -> tuple[str, ...]:
    """Return a note for each place that names two stores."""
    address = _BY_NAME["COINLOG_DATABASE_URL"]
    return tuple(
        f"COINLOG_DATABASE_URL and DB_HOST are both set ({layer['DB_HOST'].where}): the address "
        "is used and DB_HOST is not; unset one of them"
        for layer in layers
        if "DB_HOST" in layer and find(address, (layer,))
    )


def _secret_files(process: Layer, file: Layer, dotenv: Path | None) -> tuple[Path, ...]:
    """Return the files that secrets were read from."""
    named = {**file, **process}
    paths = [Path(named[name].text).expanduser() for name in sorted(_FILE_NAMES & named.keys())]
    if dotenv and _SECRET_NAMES & file.keys():
        paths.insert(0, dotenv)
    return tuple(paths)


def _hint(name: str) -> str:
    near = get_close_matches(name, _NAMES, n=1, cutoff=0.6)
    way_out = f"did you mean {near[0]}?" if near else "docs/settings.md lists them all"
    return f"{name} is no setting of coinlog: {way_out}"
