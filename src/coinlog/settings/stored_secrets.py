"""Secrets where they are kept in AWS: parameters of Systems Manager, read when they are needed."""

from __future__ import annotations

import logging
from dataclasses import replace

from coinlog.errors import SettingError
from coinlog.extras import aws_client, load_aws
from coinlog.settings.load import Settings
from coinlog.settings.secret import Secret
from coinlog.settings.table import KEYLESS_URL, PRO_URL, SETTINGS

_log = logging.getLogger(__name__)


def with_key(settings: Settings) -> Settings:
    """Return the settings with the key of their parameter, where one is named and none is given.

    A parameter that does not exist means that nobody has put a key there: the source is asked
    without one, and the log says so.

    Raises:
        SettingError: the parameter cannot be read, or holds no key.
    """
    name = settings.api_key_parameter
    if settings.api_key or not name:
        return settings
    key = key_in(name)
    if key is None:
        _log.warning("there is no parameter %s: the source is asked without a key", name)
        return settings
    url = PRO_URL if settings.cmc_url == KEYLESS_URL else settings.cmc_url
    return replace(settings, api_key=key, cmc_url=url)


def key_in(name: str) -> Secret | None:
    """Return the key in a parameter, ``None`` where there is none; a renewed one holds at once."""
    key = _stored("COINLOG_API_KEY", name)
    if key is not None and not isinstance(key, Secret):
        raise TypeError(f"{name} is read as {type(key)}")
    return key


def alert_urls(settings: Settings) -> tuple[Secret, ...]:
    """Return where alerts go beside the topic: what is given, else what a parameter holds.

    Raises:
        SettingError: the parameter cannot be read, or holds no addresses.
    """
    if settings.alert_urls or not settings.alert_urls_parameter:
        return settings.alert_urls
    urls = _stored("COINLOG_ALERT_URLS", settings.alert_urls_parameter)
    if urls is not None and not isinstance(urls, tuple):
        raise TypeError(f"{settings.alert_urls_parameter} is read as {type(urls)}")
    return urls or ()


def _stored(setting_name: str, name: str) -> object | None:
    """Return the value of a setting that lies in a parameter; ``None`` where there is none."""
    errors = load_aws("botocore", "exceptions").exceptions
    try:
        answer = aws_client("ssm").get_parameter(Name=name, WithDecryption=True)
    except (errors.BotoCoreError, errors.ClientError) as error:
        if _is_absent(error):
            return None
        raise SettingError(
            f"{setting_name}_PARAMETER names {name!r}, which cannot be read ({error}): expected "
            "a SecureString of this region that the function's role may read"
        ) from None
    setting = next(setting for setting in SETTINGS if setting.name == setting_name)
    return setting.read(str(answer["Parameter"]["Value"]), setting.name, f"from parameter {name}")


def _is_absent(error: Exception) -> bool:
    answer: dict[str, dict[str, str]] = getattr(error, "response", {})
    return answer.get("Error", {}).get("Code") == "ParameterNotFound"
