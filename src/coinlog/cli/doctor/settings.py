"""The settings: what looks like a mistake, and who else can read the secrets."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.errors import SettingError
from coinlog.settings import Settings

WHAT = "settings"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what is to be said of settings that can be used."""
    notes = [look(WHAT, _code(note), note, "docs/settings.md") for note in settings.notes]
    shown = [
        look(
            WHAT,
            "secrets_readable",
            f"{path} holds a secret, and others on this machine may read it",
            f"chmod 600 {path}",
        )
        for path in settings.secret_files
        if _is_open(path)
    ]
    yield from notes
    yield from shown
    if not notes and not shown:
        yield fine(WHAT, f"{settings.assets}, all of them understood")


def unusable(error: SettingError) -> Finding:
    """Return that the settings cannot be used at all."""
    return wrong(WHAT, "setting_unusable", str(error), "docs/settings.md")


def _code(note: str) -> str:
    return "setting_unknown" if "is no setting of coinlog" in note else "settings_contradict"


def _is_open(path: Path) -> bool:
    try:
        return sys.platform != "win32" and bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False
