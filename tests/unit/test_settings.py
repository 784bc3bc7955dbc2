"""What the settings are, where they come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from coinlog.errors import SettingError
from coinlog.settings import SETTINGS, Secret, Setting, Settings, load_settings
from coinlog.settings.folders import default_data

KEY = "b54bcf4d-1bca-4e8e-9a24-22ff2c3d462c"


def load(**environ: str) -> Settings:
    return load_settings(environ, None)


def refusal(**environ: str) -> str:
    with pytest.raises(SettingError) as refused:
        load(**environ)
    return str(refused.value)


def test_nothing_needs_to_be_set(own_world: Path) -> None:
    settings = load(COINLOG_DATA=str(own_world))

    assert settings.api_key is None
    assert settings.cmc_url == "https://pro-api.coinmarketcap.com/public-api"
    assert settings.database_url == sa.make_url(f"sqlite:///{own_world}/coinlog.db")
    assert settings.archive == f"{own_world}/archive"
    assert (settings.interval_seconds, settings.assets) == (6 * 3600, "top:200")
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 5000, 1)
    assert (settings.deadline_seconds, settings.body_limit_bytes) == (90, 64_000_000)
    assert settings.notes == ()


def test_an_empty_value_counts_as_not_set() -> None:
    assert load(COINLOG_PORT="", COINLOG_API_KEY="", DB_HOST="").port == 5000


@pytest.mark.parametrize("name", ["COINLOG_API_KEY", "CMC_API_KEY", "COIN_API_KEY", "COIN_APY_KEY"])
def test_a_key_of_any_name_asks_the_keyed_api(name: str) -> None:
    settings = load(**{name: KEY})

    assert settings.api_key == Secret(KEY)
    assert settings.cmc_url == "https://pro-api.coinmarketcap.com"


def test_of_several_names_the_first_in_the_table_wins() -> None:
    settings = load(COIN_APY_KEY="third", CMC_API_KEY="second", COINLOG_API_KEY="first")

    assert settings.api_key == Secret("first")


def test_the_environment_wins_over_dotenv_even_by_a_later_name(own_world: Path) -> None:
    dotenv = own_world / ".env"
    dotenv.write_text("COINLOG_API_KEY=file\nDB_HOST=file\nCOINLOG_PORT=1\n")

    settings = load_settings({"COIN_API_KEY": "env", "COINLOG_DATABASE_URL": "sqlite:///x"}, dotenv)

    assert settings.api_key == Secret("env")
    assert settings.database_url.drivername == "sqlite"
    assert settings.port == 1


def test_dotenv_is_read_from_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("COINLOG_PORT=4000\nCOINLOG_INTERVAL=1h\n")
    monkeypatch.setenv("COINLOG_INTERVAL", "5m")

    settings = load_settings()

    assert (settings.port, settings.interval_seconds) == (4000, 300)


def test_the_sandbox_is_usable() -> None:
    settings = load(COINLOG_CMC_URL="https://sandbox-api.coinmarketcap.com/", CMC_API_KEY=KEY)

    assert settings.cmc_url == "https://sandbox-api.coinmarketcap.com"


def test_slashes_never_double_in_the_api_address() -> None:
    url = "http://127.0.0.1:4000//public-api//"

    assert load(COINLOG_CMC_URL=url).cmc_url == "http://127.0.0.1:4000/public-api"


def test_db_host_makes_mysql_the_store_with_the_rest_from_anywhere(own_world: Path) -> None:
    dotenv = own_world / ".env"
    dotenv.write_text("DB_USER=ana\nDB_PASSWORD='p@ss/ #1'\n")

    url = load_settings({"DB_HOST": "db", "DB_PORT": "3307"}, dotenv).database_url

    assert url == sa.URL.create("mysql+pymysql", "ana", "p@ss/ #1", "db", 3307, "coinlog")


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_every_way_to_write_mysql_becomes_the_one_driver(scheme: str) -> None:
    url = load(COINLOG_DATABASE_URL=f"{scheme}://u:p%40ss@h:3307/d").database_url

    assert url == sa.URL.create("mysql+pymysql", "u", "p@ss", "h", 3307, "d")


def test_a_relative_sqlite_file_is_found_from_the_current_folder(own_world: Path) -> None:
    url = load(COINLOG_DATABASE_URL="sqlite:///my.db").database_url

    assert url.database == str(own_world / "my.db")


def test_the_simulated_market_has_a_folder_of_its_own_and_no_key(own_world: Path) -> None:
    settings = load(
        COINLOG_DATA=str(own_world), CMC_API_KEY=KEY, DB_HOST="db", COINLOG_ARCHIVE="s3://abc/x"
    ).for_simulated_market("http://127.0.0.1:4000/")

    assert settings.api_key is None
    assert settings.cmc_url == "http://127.0.0.1:4000"
    assert settings.data == own_world / "simulated"
    assert settings.database_url.database == f"{own_world}/simulated/coinlog.db"
    assert settings.archive == f"{own_world}/simulated/archive"


def test_the_data_folder_is_beside_the_project_in_a_checkout(own_world: Path) -> None:
    (own_world / "pyproject.toml").write_text('[project]\nname = "coinlog"\n')

    assert default_data() == own_world / "data"


def test_another_projects_folder_is_no_checkout(own_world: Path) -> None:
    (own_world / "pyproject.toml").write_text('[project]\nname = "other"\n')

    assert default_data() != own_world / "data"


def test_equal_selections_of_assets_read_equal() -> None:
    assert load(COINLOG_ASSETS=" top:0200 + id:5,5,7").assets == "top:200+id:5,7"
    assert load(COINLOG_ASSETS="id:1").selection.ids == (1,)


def test_an_archive_is_a_folder_or_a_bucket(own_world: Path) -> None:
    assert load(COINLOG_ARCHIVE="kept").archive == str(own_world / "kept")
    assert load(COINLOG_ARCHIVE="s3://my-bucket/a/b/").archive == "s3://my-bucket/a/b"


def test_a_log_level_is_named_as_logging_names_it() -> None:
    assert load(COINLOG_LOG_LEVEL="Debug").log_level == "DEBUG"
    assert load().log_level == "INFO"


def test_a_short_interval_shortens_the_deadline() -> None:
    assert load(COINLOG_INTERVAL="1m").deadline_seconds == 30
    assert load(COINLOG_DEADLINE_SECONDS="7.5").deadline_seconds == 7.5
    assert "less than COINLOG_INTERVAL" in refusal(
        COINLOG_INTERVAL="5m", COINLOG_DEADLINE_SECONDS="300"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("COINLOG_PORT", value) for value in ("0", "65536", "-1", "5e3", "٥", "1_000", "x")),
        *(("COINLOG_INTERVAL", value) for value in ("7h", "0m", "6", "90m", "-1h", "2d", "h")),
        *(
            ("COINLOG_ASSETS", value)
            for value in ("bitcoin", "top:0", "top:10001", "id:0", "top:1,")
        ),
        *(("COINLOG_CMC_URL", value) for value in ("ftp://x", "x", "https://", "http://h:x")),
        *(("COINLOG_CMC_URL", f"https://h{end}") for end in ("/v1", "/?a=b", "/#f", ":99999")),
        *(("COINLOG_ARCHIVE", value) for value in ("gs://b", "s3://", "s3://B", "s3://b c")),
        *(("COINLOG_HOST", value) for value in ("a b", "h:1", "http://h", "1.2.3", "-x")),
        *(("DB_HOST", value) for value in ("'x',", "x/y", "mysql://x", "h:3306")),
        *(("COINLOG_DEADLINE_SECONDS", value) for value in ("0", "nan", "1e2", "-5", "inf")),
        ("COINLOG_LOG_LEVEL", "loud"),
        ("COINLOG_DATA", "/dev/null"),
        ("COINLOG_WORKERS", "0"),
        ("COINLOG_BODY_LIMIT_MB", "64MB"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_got_and_an_example(name: str, value: str) -> None:
    message = refusal(**{name: value})

    setting = next(setting for setting in SETTINGS if name in setting.names)
    assert message.startswith(f"{name} (from the environment) is ")
    assert f"expected {setting.expected}, for example {name}={setting.example}" in message


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_example_of_every_setting_can_be_used(setting: Setting, own_world: Path) -> None:
    (own_world / ".env").write_text(f"{setting.name}={setting.example}\n")

    assert load_settings({}, own_world / ".env").notes == ()


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://u:hunter2@h/d",
        "mysql://u:hun@ter2@h/d",
        "mysql://u:hunter2@h:port/d",
        "mysql://u:hunter2@h",
        "u:hunter2@h/d",
        "hunter2",
        "mysql:///hunter2",
        "sqlite://hunter2",
        "sqlite:///hunter2?mode=memory",
        "sqlite:///:memory:hunter2",
        "mysql://u:a@b?hunter2@h/d",
        "mysql://u:a@b?ssl_ca=hunter2@h/d",
        "mysql://u:hunter2@h/d?foo=hunter2",
        "mysql://u:hunter2@h/d?ssl_disabled=hunter2",
    ],
)
def test_a_refused_database_address_never_shows_its_password(value: str) -> None:
    message = refusal(COINLOG_DATABASE_URL=value)

    assert "hunter2" not in message
    assert "ter2" not in message
    assert "for example COINLOG_DATABASE_URL=mysql://" in message


@pytest.mark.parametrize(
    ("address", "got"),
    [
        ("mysql://u:p@h/d?foo=bar", "an option 'foo' that coinlog does not know"),
        ("mysql://u:p@h/d?ssl_ca=/nope", "a file '/nope', which is not there"),
        ("mysql://u:p@h/d?ssl_ca=.", "a file '.', which cannot be read"),
        ("mysql://u:p@h/d?ssl_ca=empty.pem", "which holds no certificates"),
        ("mysql://u:p@h/d?ssl_disabled=1", "its ssl_disabled is not true"),
        ("mysql://u:p@h/d?ssl_disabled=true&ssl_disabled=true", "ssl_disabled more than once"),
        ("sqlite:///my.db?timeout=1", "SQLite takes no options"),
    ],
)
def test_an_option_of_a_database_that_cannot_be_used_is_refused(address: str, got: str) -> None:
    Path("empty.pem").touch()

    message = refusal(COINLOG_DATABASE_URL=address)

    assert got in message
    assert "expected sqlite:///, mysql:// or mariadb://" in message


@pytest.mark.parametrize("option", [("ssl_ca", certifi.where()), ("ssl_disabled", "true")])
def test_a_database_takes_a_ca_of_ones_own_or_goes_without_tls(option: tuple[str, str]) -> None:
    url = load(COINLOG_DATABASE_URL=f"mysql://u:p@h/d?{'='.join(option)}").database_url

    assert dict(url.query) == dict([option])


@pytest.mark.parametrize(
    "key", ["'hunter2'", "hun ter2", "hunter2\nX-Evil: 1", "hünter2", "x" * 300]
)
def test_a_refused_key_is_never_shown(key: str) -> None:
    message = refusal(COIN_APY_KEY=key)

    assert message.startswith("COIN_APY_KEY (from the environment) has a value that cannot be used")
    assert key not in message
    assert "ter2" not in message


def test_an_address_with_a_login_is_refused_without_showing_it() -> None:
    message = refusal(COINLOG_CMC_URL="https://u:hunter2@h/?key=hunter2")

    assert "hunter2" not in message
    assert "must not hold a user or a password" in message


def test_an_unknown_name_is_noted_with_the_nearest_one() -> None:
    notes = load(COINLOG_INTERVALL="1h", COINLOG_XYZ="1").notes

    assert "COINLOG_INTERVALL is no setting of coinlog: did you mean COINLOG_INTERVAL?" in notes
    assert any(note.startswith("COINLOG_XYZ") for note in notes)


@given(st.dictionaries(st.sampled_from([s.name for s in SETTINGS]), st.text(max_size=40)))
def test_any_environment_is_either_used_or_refused_in_our_words(environ: dict[str, str]) -> None:
    try:
        settings = load_settings(environ, None)
    except SettingError as refused:
        assert "expected" in str(refused)
    else:
        assert not settings.cmc_url.endswith("/")
