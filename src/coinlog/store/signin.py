"""Signing in to a database on AWS with a token instead of a password.

A token is a signed address, made on this machine for each new connection from the credentials of
whoever runs the program, and good for 15 minutes. It goes through verified TLS alone, and stands
in no address, message or log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy import event

from coinlog.errors import StoreUnavailableError
from coinlog.extras import load_aws

_SERVICE = "rds-db"
_LIFE_SECONDS = 900


def sign_in_by_token(engine: sa.Engine, region: str) -> None:
    """Give each new connection of an engine a token of its own."""
    url = engine.url
    make_token = token_maker(url.host or "", url.port or 3306, url.username or "", region)

    @event.listens_for(engine, "do_connect")
    def give_token(_dialect: Any, _record: Any, _args: Any, given: dict[str, Any]) -> None:  # noqa: ANN401  SQLAlchemy's own types
        given["password"] = make_token()


def token_maker(host: str, port: int, user: str, region: str) -> Callable[[], str]:
    """Return what makes a token for a user of a database; credentials are found at the first.

    Raises:
        MissingPackageError: botocore is not installed.
        StoreUnavailableError: there are no credentials to sign with.
    """
    signing: _Signing | None = None

    def make() -> str:
        nonlocal signing
        core = load_aws("botocore", "exceptions", "model", "session", "signers")
        try:
            signing = signing or _find(core)
            return _signed(core, signing, f"{host}:{port}", user, region)
        except core.exceptions.BotoCoreError as error:
            raise StoreUnavailableError(
                f"no token to sign in to {host} could be made ({error}): a function or a task has "
                "the credentials of its role; elsewhere run `aws configure`"
            ) from error

    return make


class _Signing(NamedTuple):
    """What is needed to sign: credentials, which renew themselves, and their session's events."""

    credentials: Any
    events: Any


def _find(core: Any) -> _Signing:  # noqa: ANN401  botocore has no types
    session = core.session.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise core.exceptions.NoCredentialsError
    return _Signing(credentials, session.get_component("event_emitter"))


def _signed(core: Any, signing: _Signing, place: str, user: str, region: str) -> str:  # noqa: ANN401  botocore has no types
    signer = core.signers.RequestSigner(
        core.model.ServiceId(_SERVICE), region, _SERVICE, "v4", *signing
    )
    query = urlencode({"Action": "connect", "DBUser": user})
    request = {"method": "GET", "url": f"https://{place}/?{query}", "body": {}, "headers": {}}
    address = signer.generate_presigned_url(
        {**request, "context": {}}, "connect", _LIFE_SECONDS, region, _SERVICE
    )
    return str(address).removeprefix("https://")
