"""Addresses of databases: how they are written, who vouches for the server, how one signs in.

How to sign in and whom to trust stand in the address itself, so that it is all that another
process needs. A ``ValueError`` may say more in words, but never with the text itself, which can
hold a password.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from coinlog.loopback import is_loopback
from coinlog.settings.parsers import host, text

MYSQL_SCHEMES = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")
MYSQL_OPTIONS = frozenset({"ssl_ca", "ssl_disabled", "unix_socket", "signin", "region"})
SIGNINS = ("password", "iam")

_UNESCAPED = "its host cannot be read; in a password write @ as %40, / as %2F, # as %23"

RDS = "rds"
RDS_AUTHORITY = Path(__file__).resolve().parents[1] / "aws" / "rds-ca.pem"
_RDS_HOST = re.compile(r"[\w-]+\.[\w-]+\.([a-z0-9-]+)\.rds\.amazonaws\.com(\.cn)?", re.IGNORECASE)


def database_url(value: str) -> sa.URL:
    """Return the address of a database with its driver; its text never shows the password."""
    url = _sa_url(value.strip())
    if url.drivername == "sqlite":
        return _sqlite(url)
    if url.drivername not in MYSQL_SCHEMES:
        raise ValueError(f"{url.drivername[:20]!r} is no kind of database that coinlog knows")
    # An @ behind the ? means that the ? is one of the password: nothing is shown then.
    _mysql_options(url, shown="@" not in value.partition("?")[2])
    if "unix_socket" not in url.query:
        _mysql_host(url)
    if not url.database:
        raise ValueError("the name of the database is missing at its end")
    if "@" in url.database:
        raise ValueError(_UNESCAPED)
    url = trusting(url.set(drivername="mysql+pymysql"), None)
    region = url.query.get("region")
    return signed_in_by_token(url, str(region or "") or None) if "signin" in url.query else url


def trusting(url: sa.URL, ca: str | None) -> sa.URL:
    """Return an address with the file of who may vouch for its server; RDS has a list of its own.

    What the address itself says is left alone.
    """
    if not ca and _RDS_HOST.fullmatch(url.host or "") and RDS_AUTHORITY.is_file():
        ca = str(RDS_AUTHORITY)
    if not ca or {"ssl_ca", "ssl_disabled"} & url.query.keys():
        return url
    return url.update_query_dict({"ssl_ca": ca})


def signed_in_by_token(url: sa.URL, region: str | None) -> sa.URL:
    """Return an address at which one signs in with a token of AWS instead of a password.

    Raises:
        ValueError: the region is not known, or the server is this machine, where there is no TLS.
    """
    if is_loopback(url.host or "localhost"):
        raise ValueError("the server is this machine, and a token is sent through TLS alone")
    named = _RDS_HOST.fullmatch(url.host or "")
    region = named[1] if named else region
    if not region:
        raise ValueError("the region of AWS is not known: set AWS_REGION")
    # Setting a part of an address to None would leave it as it is.
    bare = sa.URL.create(**{**url._asdict(), "password": None})
    return bare.update_query_dict({"signin": "iam", "region": region})


def sqlite_url(path: Path) -> sa.URL:
    """Return the address of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path))


def _sa_url(value: str) -> sa.URL:
    try:
        return sa.make_url(value)
    except (ArgumentError, ValueError):
        # The library's message quotes the text, and with it the password.
        raise ValueError("it cannot be read as an address") from None


def _mysql_options(url: sa.URL, *, shown: bool) -> None:
    """Refuse options that cannot be used, before the driver fails with words of its own."""
    unknown = sorted(set(url.query) - MYSQL_OPTIONS)
    if unknown:
        got = f" {unknown[0]!r}" if shown and re.fullmatch(r"\w{1,40}", unknown[0]) else ""
        raise ValueError(
            f"it has an option{got} that coinlog does not know: after ? stands "
            "ssl_ca=/path/ca.pem or ssl_disabled=true"
        )
    repeated = [name for name, given in url.query.items() if not isinstance(given, str)]
    if repeated:
        raise ValueError(f"it has {repeated[0]} more than once: give one")
    if url.query.get("ssl_disabled", "true") != "true":
        raise ValueError("its ssl_disabled is not true: leave it out for a verified connection")
    if url.query.get("signin", "iam") != "iam":
        raise ValueError("its signin is not iam: leave it out to sign in with a password")
    if "ssl_ca" in url.query:
        _check_authority(str(url.query["ssl_ca"]), shown=shown)


def _check_authority(path: str, *, shown: bool) -> None:
    if cause := _no_authority(path):
        got = f" {path[:80]!r}" if shown else ""
        raise ValueError(
            f"its ssl_ca names a file{got}, {cause}: after ? stands ssl_ca=/path/ca.pem, a file "
            "of certificates in PEM"
        )


def _no_authority(path: str) -> str | None:
    """Return why a file is no list of certificates, ``None`` where it is one."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except FileNotFoundError:
        return "which is not there"
    except ssl.SSLError:
        return "which holds no certificates"
    except (OSError, ValueError):
        return "which cannot be read"
    return None


def _mysql_host(url: sa.URL) -> None:
    try:
        host(url.host or "")
    except ValueError:
        # A password with an unescaped @ ends up in the host: it is not shown.
        raise ValueError(_UNESCAPED) from None


def _sqlite(url: sa.URL) -> sa.URL:
    if url.query:
        raise ValueError("SQLite takes no options after ?")
    if not url.database or ":memory:" in url.database or url.host:
        raise ValueError("SQLite needs a file, with three slashes before its path")
    return sqlite_url(Path(url.database).expanduser().absolute())


def signin(value: str) -> str:
    """Return how to sign in to a database server: one of ``SIGNINS``."""
    if value.strip().lower() not in SIGNINS:
        raise ValueError
    return value.strip().lower()


def authority(value: str) -> str:
    """Return the absolute path of a file of certificates; ``rds`` is the one that comes along."""
    if value.strip().lower() == RDS:
        return rds_authority()
    path = str(Path(text(value)).expanduser().absolute())
    if cause := _no_authority(path):
        raise ValueError(f"it is a file {cause}")
    return path


def rds_authority() -> str:
    """Return the path of the list of Amazon RDS, which is built with the program."""
    path = str(RDS_AUTHORITY)
    if cause := _no_authority(path):
        raise ValueError(f"that list is a file, {path}, {cause}: run `make setup`")
    return path
