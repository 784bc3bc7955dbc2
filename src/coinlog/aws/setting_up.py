"""From the environment of a function to its settings and its log."""

from __future__ import annotations

import logging

from coinlog.settings import Settings, load_settings


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
