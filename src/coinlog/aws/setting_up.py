"""From the environment of a function to its settings; the key comes from its parameter."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cache
from typing import Any

from coinlog.errors import SettingError
from coinlog.extras import load_aws
from coinlog.settings import PRO_URL, Secret, Settings, load_settings
from coinlog.settings.table import KEYLESS_URL, SETTINGS

ANSWER_SECONDS = 5


def ready_settings() -> Settings:
    """Return the settings of a function and set up its log; there is no ``.env`` there.

    Raises:
        SettingError: one of them cannot be used.
    """
    settings = load_settings(dotenv=None)
    log = logging.getLogger("coinlog")
    log.setLevel(settings.log_level)
    for note in settings.notes:
        log.warning(note)
    return settings


def with_key(settings: Settings) -> Settings:
    """Return the settings with the key of their parameter, where one is named and none is given.

    Raises:
        SettingError: the parameter cannot be read, or holds no key.
    """
    name = settings.api_key_parameter
    if settings.api_key or not name:
        return settings
    url = PRO_URL if settings.cmc_url == KEYLESS_URL else settings.cmc_url
    return replace(settings, api_key=key_in(name), cmc_url=url)


def patient() -> Any:  # noqa: ANN401  botocore has no types
    """Return how long a client of AWS waits: never longer than a function's time."""
    config = load_aws("botocore", "config").config
    wait = {"connect_timeout": ANSWER_SECONDS, "read_timeout": ANSWER_SECONDS}
    return config.Config(**wait, retries={"total_max_attempts": 3})


@cache
def key_in(name: str) -> Secret:
    """Return the key in a parameter: asked for once in the life of the process."""
    boto3, errors = load_aws("boto3"), load_aws("botocore", "exceptions").exceptions
    try:
        client = boto3.client("ssm", config=patient())
        answer = client.get_parameter(Name=name, WithDecryption=True)
    except (errors.BotoCoreError, errors.ClientError) as error:
        raise SettingError(
            f"COINLOG_API_KEY_PARAMETER names {name!r}, which cannot be read ({error}): expected "
            "a SecureString of this region that the function's role may read"
        ) from None
    setting = next(setting for setting in SETTINGS if setting.name == "COINLOG_API_KEY")
    key = setting.read(str(answer["Parameter"]["Value"]), setting.name, f"from parameter {name}")
    if not isinstance(key, Secret):
        raise TypeError(f"{name} is read as {type(key)}")
    return key
