"""The settings: one table, read from the environment and ``.env``, checked before use."""

from coinlog.settings.load import Settings, load_settings
from coinlog.settings.secret import Secret
from coinlog.settings.table import SETTINGS, Setting

__all__ = ["SETTINGS", "Secret", "Setting", "Settings", "load_settings"]
