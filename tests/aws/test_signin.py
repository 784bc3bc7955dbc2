"""Signing in to a database on AWS: by tokens, through verified TLS, and never otherwise.

Amazon's plugin runs nowhere else, so MariaDB asks PAM, which checks the token's signature as the
plugin would: the driver sends it by the same ``mysql_clear_password``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import boto3
import pytest
import sqlalchemy as sa

from certificates import Authority
from coinlog.aws.prepare import DELETES, LOADER, PAGE, prepare
from coinlog.errors import SettingError, StoreError, StoreUnavailableError
from coinlog.settings import load_settings
from coinlog.settings.databases import RDS_AUTHORITY
from coinlog.store import schema
from coinlog.store.engine import open_engine, store_errors
from coinlog.store.signin import token_maker
from servers import MariaDB
from tls_servers import BY_TOKEN, NAME, TlsMariaDB, needs_token_check

REGION = "eu-west-1"
KEPT = ("store", "slot", "attempt", "thinning")
"""The tables that the loader takes nothing from: what was due, what was tried, what was dropped."""
RDS_HOST = f"coinlog.c9akciq32rgq.{REGION}.rds.amazonaws.com"


@pytest.fixture(autouse=True)
def made_up_credentials(monkeypatch: pytest.MonkeyPatch, own_world: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMADEUP")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(own_world / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(own_world / "none"))


def connected(url: sa.URL) -> str:
    engine = open_engine(url)
    try:
        with store_errors(), engine.connect() as connection:
            row = connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_version'").first()
            return str(row[1]) if row else ""
    finally:
        engine.dispose()


def environment(server: MariaDB, name: str, **more: str) -> dict[str, str]:
    parts = {"DB_HOST": NAME, "DB_PORT": str(server.port), "DB_USER": name, "DB_NAME": name}
    return {**parts, "AWS_REGION": REGION, **more}


def test_a_token_is_the_one_that_amazons_own_library_makes() -> None:
    client = boto3.Session().client("rds", REGION)
    theirs = client.generate_db_auth_token(RDS_HOST, 3306, LOADER)
    ours = token_maker(RDS_HOST, 3306, LOADER, REGION)()

    def without_time(token: str) -> list[str]:
        parts = token.split("&")
        return [part for part in parts if not part.startswith(("X-Amz-Date", "X-Amz-Signature"))]

    assert without_time(ours) == without_time(theirs)
    assert ours.startswith(f"{RDS_HOST}:3306/?Action=connect&DBUser={LOADER}&X-Amz-Algorithm")


def test_a_host_of_rds_is_trusted_by_its_list_and_tells_its_region() -> None:
    environ = {"DB_HOST": RDS_HOST, "COINLOG_DATABASE_SIGNIN": "iam", "DB_PASSWORD": "unused"}
    url = load_settings(environ, None).database_url

    assert url.query == {"ssl_ca": str(RDS_AUTHORITY), "signin": "iam", "region": REGION}
    assert url.password is None


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_it_is_told_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreUnavailableError, match="credentials of its role"):
        token_maker(RDS_HOST, 3306, LOADER, REGION)()


@pytest.mark.parametrize(
    ("host", "cause"), [("127.0.0.1", "this machine"), ("db.internal", "AWS_REGION")]
)
def test_a_token_needs_tls_and_a_region(host: str, cause: str) -> None:
    with pytest.raises(SettingError, match=cause):
        load_settings({"DB_HOST": host, "COINLOG_DATABASE_SIGNIN": "iam"}, None)


def test_a_verified_connection_is_encrypted(tls_mariadb: TlsMariaDB) -> None:
    with tls_mariadb.database() as plain:
        name = str(plain.database)
        environ = environment(
            tls_mariadb,
            name,
            DB_PASSWORD=str(plain.password),
            COINLOG_DATABASE_CA=str(tls_mariadb.authority.file),
        )
        assert connected(load_settings(environ, None).database_url).startswith("TLSv1.")


@pytest.mark.parametrize("ca", ["other", "rds"])
def test_a_server_that_nobody_vouches_for_gets_no_password(
    tls_mariadb: TlsMariaDB, tmp_path: Path, ca: str
) -> None:
    file = str(Authority(tmp_path).file) if ca == "other" else "rds"
    environ = environment(tls_mariadb, "x", DB_PASSWORD="canary-1", COINLOG_DATABASE_CA=file)
    with pytest.raises(StoreUnavailableError, match="set COINLOG_DATABASE_CA") as refused:
        connected(load_settings(environ, None).database_url)

    assert "canary-1" not in str(refused.value)


def test_a_server_with_another_name_gets_no_password(tls_mariadb: TlsMariaDB) -> None:
    environ = environment(tls_mariadb, "x", COINLOG_DATABASE_CA=str(tls_mariadb.authority.file))
    url = load_settings({**environ, "DB_HOST": "another.test"}, None).database_url

    with pytest.raises(StoreUnavailableError, match="as its certificate does"):
        connected(url)


@pytest.mark.usefixtures("tls_mariadb")
def test_a_server_without_tls_gets_no_password(mariadb: MariaDB) -> None:
    environ = environment(mariadb, "x", DB_PASSWORD="canary-2")
    with pytest.raises(StoreUnavailableError, match="let the server speak TLS") as refused:
        connected(load_settings(environ, None).database_url)

    assert "canary-2" not in str(refused.value)


@pytest.fixture
def prepared(tls_mariadb: TlsMariaDB) -> Iterator[dict[str, str]]:
    """Prepare a database with its users; return the environment that leads to it."""
    with tls_mariadb.database() as plain:
        name, ca = str(plain.database), str(tls_mariadb.authority.file)
        tls_mariadb.execute(f"GRANT ALL ON *.* TO {name}@'%' WITH GRANT OPTION")
        environ = environment(tls_mariadb, name, COINLOG_DATABASE_CA=ca)
        master = {**environ, "DB_PASSWORD": str(plain.password)}
        # Made twice: doing it again changes nothing.
        for _ in range(2):
            prepare(load_settings(master, None).database_url, BY_TOKEN)
        yield {**environ, "COINLOG_DATABASE_SIGNIN": "iam"}
        tls_mariadb.execute(*(f"DROP USER {user}@'%'" for user in (LOADER, PAGE)))


def deletes(tables: Iterable[str]) -> list[str]:
    return [str(schema.metadata.tables[name].delete()) for name in tables]


def url_of(environ: dict[str, str], user: str) -> sa.URL:
    return load_settings({**environ, "DB_USER": user}, None).database_url


@needs_token_check
def test_a_user_signs_in_with_a_token_of_its_own_alone(
    prepared: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connected(url_of(prepared, LOADER)).startswith("TLSv1.")

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(StoreUnavailableError, match="rds-db:connect"):
        connected(url_of(prepared, LOADER))


@needs_token_check
def test_connections_are_made_by_tokens_and_no_address_shows_one(prepared: dict[str, str]) -> None:
    url = url_of(prepared, LOADER)
    engine = open_engine(url)
    with engine.connect(), engine.connect():
        pass
    engine.dispose()

    whole = engine.url.render_as_string(hide_password=False)
    assert "X-Amz" not in f"{url!r} {engine.url!r} {whole}"


@needs_token_check
def test_the_pages_user_may_read_and_the_loaders_may_write_and_neither_makes_tables(
    prepared: dict[str, str],
) -> None:
    insert = "INSERT INTO schedule VALUES (1, 60, 'top:1', 'coinmarketcap')"
    create = "CREATE TABLE more (id INT)"
    for user, allowed, refused in (
        (
            LOADER,
            ("SELECT * FROM v_prices", insert, *deletes(DELETES[LOADER])),
            (create, "DROP TABLE quote", *deletes(KEPT)),
        ),
        (PAGE, ("SELECT * FROM v_prices",), (insert, create, "DELETE FROM quote")),
    ):
        engine = open_engine(url_of(prepared, user))
        for statement in allowed:
            with engine.begin() as connection:
                connection.exec_driver_sql(statement)
        for statement in refused:
            with (
                pytest.raises(StoreError, match="may not do that"),
                store_errors(),
                engine.begin() as one,
            ):
                one.exec_driver_sql(statement)
        engine.dispose()


def test_of_every_table_it_is_said_whether_the_loader_may_delete_from_it() -> None:
    assert sorted([*DELETES[LOADER], *KEPT]) == sorted(schema.metadata.tables)


@needs_token_check
def test_rights_that_a_user_should_not_have_are_taken_back(
    prepared: dict[str, str], tls_mariadb: TlsMariaDB
) -> None:
    tls_mariadb.execute(f"GRANT INSERT ON {prepared['DB_NAME']}.* TO {PAGE}@'%'")
    # As an earlier coinlog granted it.
    tls_mariadb.execute(f"GRANT DELETE ON {prepared['DB_NAME']}.* TO {LOADER}@'%'")
    master = {**prepared, "COINLOG_DATABASE_SIGNIN": "password"}
    master["DB_PASSWORD"] = f"p@ss/{prepared['DB_NAME']}"
    prepare(load_settings(master, None).database_url, BY_TOKEN)

    engine = open_engine(url_of(prepared, PAGE))
    with pytest.raises(StoreError, match="may not do that"), store_errors(), engine.begin() as one:
        one.execute(schema.store.insert(), {"id": 9, "version": 1})
    engine.dispose()

    loader = open_engine(url_of(prepared, LOADER))
    with pytest.raises(StoreError, match="may not do that"), store_errors(), loader.begin() as one:
        one.execute(schema.slot.delete())
    with store_errors(), loader.begin() as one:
        one.execute(schema.quote.delete())
    loader.dispose()


@needs_token_check
def test_a_newer_schema_stays_where_a_release_was_rolled_back(
    prepared: dict[str, str], tls_mariadb: TlsMariaDB
) -> None:
    name = prepared["DB_NAME"]
    newer = f"UPDATE {name}.alembic_version SET version_num = '9999'"  # noqa: S608  our own name
    tls_mariadb.execute(newer)
    master = {**prepared, "COINLOG_DATABASE_SIGNIN": "password", "DB_PASSWORD": f"p@ss/{name}"}

    said = prepare(load_settings(master, None).database_url, BY_TOKEN)

    tls_mariadb.execute(newer.replace("9999", schema.REVISION))
    assert said[0] == "the schema is 9999, of a newer coinlog, and stays as it is"
    assert len(said) == 3


def test_where_the_plugin_is_absent_it_is_told_what_to_switch_on(tls_mariadb: TlsMariaDB) -> None:
    with tls_mariadb.database() as plain:
        name = str(plain.database)
        tls_mariadb.execute(f"GRANT ALL ON *.* TO {name}@'%' WITH GRANT OPTION")
        with pytest.raises(StoreUnavailableError, match="switch on IAM authentication"):
            prepare(plain)
