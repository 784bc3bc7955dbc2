"""The settings: one table, read from the environment and ``.env``, checked before use."""

from coinlog.settings.load import Settings, load_settings
from coinlog.settings.secret import Secret
from coinlog.settings.setting import Setting
from coinlog.settings.table import PRO_URL, SETTINGS

__all__ = ["PRO_URL", "SETTINGS", "Secret", "Setting", "Settings", "load_settings"]
