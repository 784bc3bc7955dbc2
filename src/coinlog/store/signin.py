"""Signing in to a database on AWS with a token instead of a password.

A token is a signed address, made on this machine for each new connection from the credentials of
whoever runs the program, and good for 15 minutes. It goes through verified TLS alone, and stands
in no address, message or log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
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
    session: Any = None

    def make() -> str:
        nonlocal session
        session = session or load_aws("botocore", "session", "signers").session.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise StoreUnavailableError(
                f"no credentials of AWS were found to sign in to {host} with: a function or a task "
                "has those of its role; elsewhere run `aws configure`"
            )
        return _signed(session, credentials, f"{host}:{port}", user, region)

    return make


def _signed(session: Any, credentials: Any, place: str, user: str, region: str) -> str:  # noqa: ANN401  botocore has no types
    signers, model = load_aws("botocore", "signers").signers, load_aws("botocore", "model").model
    events = session.get_component("event_emitter")
    service = model.ServiceId(_SERVICE)
    signer = signers.RequestSigner(service, region, _SERVICE, "v4", credentials, events)
    query = urlencode({"Action": "connect", "DBUser": user})
    request = {"method": "GET", "url": f"https://{place}/?{query}", "body": {}, "headers": {}}
    address = signer.generate_presigned_url(
        {**request, "context": {}}, "connect", _LIFE_SECONDS, region, _SERVICE
    )
    return str(address).removeprefix("https://")
