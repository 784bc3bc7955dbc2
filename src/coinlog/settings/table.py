"""The table of all settings, each of which is defined once.

``docs/settings.md`` is written from it, and a test holds the two equal.
"""

from __future__ import annotations

from coinlog import slots
from coinlog.settings import databases, parsers
from coinlog.settings.admission import ADMISSION
from coinlog.settings.alerting import ALERTING
from coinlog.settings.setting import Setting

PRO_URL = "https://pro-api.coinmarketcap.com"
KEYLESS_URL = PRO_URL + "/public-api"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="COINLOG_API_KEY",
        aliases=("CMC_API_KEY", "COIN_API_KEY", "COIN_APY_KEY"),
        parse=parsers.api_key,
        default_words="none: keyless",
        expected="the key as CoinMarketCap shows it",
        example="00000000-0000-0000-0000-000000000000",
        help="CoinMarketCap key, sent as `X-CMC_PRO_API_KEY`. Without one coinlog asks the "
        "keyless part of the API, for which no account is needed.",
        secret=True,
    ),
    Setting(
        name="COINLOG_CMC_URL",
        parse=parsers.cmc_url,
        default_words=f"`{PRO_URL}` with a key, the same + `/public-api` without",
        expected="an http(s) address without version, query or password",
        example="https://sandbox-api.coinmarketcap.com",
        help="Base address of the API. The example is CoinMarketCap's sandbox, which answers "
        "with made-up data.",
    ),
    Setting(
        name="COINLOG_DATABASE_URL",
        parse=databases.database_url,
        default_words="SQLite in the data folder",
        expected="sqlite:///, mysql:// or mariadb:// and so on",
        example="mysql://coinlog:PASSWORD@127.0.0.1:3306/coinlog",
        help="The store. `sqlite:///relative.db` and `sqlite:////absolute/path.db` are files; "
        "characters such as `@` in a password are written `%40`. Wins over `DB_HOST` and its "
        "companions.",
        secret=True,
    ),
    Setting(
        name="DB_HOST",
        parse=parsers.host,
        default_words="none: SQLite",
        expected="a host name or an address, without port",
        example="127.0.0.1",
        help="Host of a MySQL or MariaDB server. Set, it makes that server the store.",
    ),
    Setting(
        name="DB_PORT",
        parse=parsers.whole(1, 65535),
        default="3306",
        expected="a whole number from 1 to 65535",
        example="3306",
        help="Port of the database server.",
    ),
    Setting(
        name="DB_USER",
        parse=parsers.text,
        default="coinlog",
        expected="a user of the database",
        example="coinlog",
        help="User of the database.",
    ),
    Setting(
        name="DB_PASSWORD",
        parse=parsers.password,
        default_words="none",
        expected="the password of the database user",
        example="'the password'",
        help="Password of the database user.",
        secret=True,
    ),
    Setting(
        name="DB_NAME",
        parse=parsers.text,
        default="coinlog",
        expected="the name of a database",
        example="coinlog",
        help="Name of the database on the server.",
    ),
    Setting(
        name="COINLOG_DATA",
        parse=parsers.folder,
        default_words="`./data` in a checkout, else the platform's data folder",
        expected="a folder, or a path where one can be made",
        example="/var/lib/coinlog",
        help="Data folder. The made-up market keeps its own in `simulated/` inside it.",
    ),
    Setting(
        name="COINLOG_ARCHIVE",
        parse=parsers.archive,
        default_words="`<data>/archive`",
        expected="a folder or s3://bucket/prefix",
        example="s3://my-bucket/coinlog",
        help="Where the raw answers are kept. Those of the made-up market are in its own folder, "
        "which only `COINLOG_DATA` moves.",
    ),
    Setting(
        name="COINLOG_INTERVAL",
        parse=slots.parse_interval,
        default="6h",
        expected="minutes that divide an hour or hours that divide a day",
        example="6h",
        help="Time between slots: `5m`, `15m`, `1h`, `6h`, `24h` and so on.",
    ),
    Setting(
        name="COINLOG_ASSETS",
        parse=parsers.assets,
        default="top:200",
        expected=f"top:N (up to {slots.MAX_TOP}), id:N,N or both",
        example="top:200+id:4687",
        help="Assets to record: the first by rank, a list of CoinMarketCap ids (`id:1,1027`), "
        "or both. Bitcoin and Ethereum are always among them.",
    ),
    Setting(
        name="COINLOG_BACKFILL",
        parse=parsers.history,
        default="ask",
        expected="one of " + ", ".join(parsers.HISTORY),
        example="1y",
        help="Whether `coinlog up` fetches the past from the source's history, which needs a key "
        "and costs credits: asked at the first start, never, or how far back at every start.",
    ),
    Setting(
        name="COINLOG_VERIFY",
        parse=parsers.rounds,
        default="none",
        expected="none, daily, weekly, hours such as 12h or days such as 30d",
        example="daily",
        help="How often `coinlog up` compares the next tenth of the store with the archive, in the "
        "background: ten times see everything.",
    ),
    Setting(
        name="COINLOG_HOST",
        parse=parsers.host,
        default="127.0.0.1",
        expected="a host name or an address, without port",
        example="0.0.0.0",  # noqa: S104 -- an example of opening the page, for containers
        help="Address that the page listens on.",
    ),
    Setting(
        name="COINLOG_PORT",
        parse=parsers.whole(1, 65535),
        default="5000",
        expected="a whole number from 1 to 65535",
        example="5000",
        help="Port that the page listens on.",
    ),
    Setting(
        name="COINLOG_DEADLINE_SECONDS",
        parse=parsers.seconds(1, 3600),
        default_words="90, or half the interval where that is less",
        expected="seconds from 1 to 3600, and less than the interval",
        example="90",
        help="Time that one attempt may take, with all its requests and retries.",
        special=True,
    ),
    Setting(
        name="COINLOG_PATIENCE_SECONDS",
        parse=parsers.seconds(0, 3600),
        default_words="150, or a third of the interval where that is less",
        expected="seconds from 0 to 3600, and less than the interval",
        example="150",
        help="Time in which a database that is away is tried again, before what was captured "
        "waits in the archive for the next look.",
        special=True,
    ),
    Setting(
        name="COINLOG_BODY_LIMIT_MB",
        parse=parsers.megabytes(1, 1024),
        default="64",
        expected="a whole number of megabytes from 1 to 1024",
        example="64",
        help="The largest answer that is accepted, after unpacking.",
        special=True,
    ),
    Setting(
        name="COINLOG_WORKERS",
        parse=parsers.whole(1, 64),
        default="1",
        expected="a whole number from 1 to 64",
        example="2",
        help="Processes that serve the page. One serves tens of thousands of requests a second "
        "from its cache; each further one takes its own memory for the same.",
        special=True,
    ),
    Setting(
        name="COINLOG_MOVE_PASSWORD",
        parse=parsers.password,
        default_words="none",
        expected="the password of a database user",
        example="'the password'",
        help="Password for an address that `coinlog move` is given without one: everybody on "
        "this machine can read what stands in a command.",
        secret=True,
        special=True,
    ),
    Setting(
        name="COINLOG_IMPORT_PASSWORD",
        parse=parsers.password,
        default_words="none",
        expected="the password of a database user",
        example="'the password'",
        help="The same for the address of a database that `coinlog import` reads.",
        secret=True,
        special=True,
    ),
    Setting(
        name="COINLOG_DATABASE_SIGNIN",
        parse=databases.signin,
        default="password",
        expected="one of " + ", ".join(databases.SIGNINS),
        example="iam",
        help="How to sign in to the server of `DB_HOST`. `iam` makes a token of AWS for each new "
        "connection, from the credentials of the function, the task or the user who runs it; it "
        "needs verified TLS, `AWS_REGION` and the extra `coinlog[aws]`.",
        special=True,
    ),
    Setting(
        name="COINLOG_DATABASE_CA",
        parse=databases.authority,
        default_words="the system's list; for a host of Amazon RDS its own, as with `rds`",
        expected="a file of certificates in PEM, or rds for the list of Amazon RDS",
        example="/etc/ssl/database-ca.pem",
        help="Who may vouch for the server of `DB_HOST`, whose certificate is always verified "
        "unless the host is this machine.",
        special=True,
    ),
    Setting(
        name="COINLOG_API_KEY_PARAMETER",
        parse=parsers.text,
        default_words="none",
        expected="the name of a parameter in AWS Systems Manager",
        example="/coinlog/api-key",
        help="Where the functions on AWS find the CoinMarketCap key, a SecureString, unless "
        "`COINLOG_API_KEY` is given. They read it for each slot.",
        special=True,
    ),
    *ALERTING,
    Setting(
        name="COINLOG_LOG",
        parse=parsers.log_form,
        default="text",
        expected="one of " + ", ".join(parsers.LOG_FORMS),
        example="json",
        help="In which form recording and serving tell what they do: `text` for people, or `json`, "
        "one line for each slot, warning and error, for programs that collect logs.",
        special=True,
    ),
    Setting(
        name="COINLOG_LOG_LEVEL",
        parse=parsers.log_level,
        default="info",
        expected="one of " + ", ".join(parsers.LOG_LEVELS),
        example="debug",
        help="How much is logged.",
        special=True,
    ),
    *ADMISSION,
)
