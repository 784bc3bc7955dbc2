"""Settings about alerts: of what one is told, and where messages go."""

from __future__ import annotations

from coinlog.settings import parsers
from coinlog.settings.setting import Setting

ALERTING = (
    Setting(
        name="COINLOG_ALERTS",
        parse=parsers.file,
        default_words="`<data>/alerts.toml`; where there is none, nobody is told anything",
        expected="the path of a file, which `coinlog alerts init` writes",
        example="/etc/coinlog/alerts.toml",
        help="What to be told of: rules about the recorder and the market.",
        special=True,
    ),
    Setting(
        name="COINLOG_ALERT_URLS",
        parse=parsers.alert_urls,
        default_words="none",
        expected="addresses of Apprise, one a line or with spaces between",
        example="ntfy://ntfy.sh/a-topic-nobody-guesses",
        help="Where alerts go: a hundred services. They are sent by whoever records.",
        secret=True,
        several=True,
        special=True,
    ),
    Setting(
        name="COINLOG_ALERT_URLS_PARAMETER",
        parse=parsers.text,
        default_words="none",
        expected="the name of a parameter in AWS Systems Manager",
        example="/coinlog/alert-urls",
        help="Where the function `send` on AWS finds the same, a SecureString; where there is no "
        "such parameter, alerts go to the topic alone.",
        special=True,
    ),
    Setting(
        name="COINLOG_ALERT_TOPIC",
        parse=parsers.text,
        default_words="none",
        expected="the ARN of a topic in Amazon SNS",
        example="arn:aws:sns:eu-west-1:123456789012:coinlog",
        help="Where the function `send` publishes what the function `load` has to tell.",
        special=True,
    ),
)
