"""The alerts: can the file of rules be used, and would anybody be told."""

from __future__ import annotations

from collections.abc import Iterator

from coinlog.cli.bells import alerting, usable_targets_of
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.errors import SettingError
from coinlog.parts import Parts
from coinlog.sources.texts import counted

WHAT = "alerts"
CHECK = "coinlog alerts check"


def examine_alerts(parts: Parts) -> Iterator[Finding]:
    """Yield what is to be said of alerts; that nobody wants any is in order."""
    settings = parts.settings
    try:
        found = alerting(settings)
    except SettingError as error:
        yield wrong(WHAT, "alerts_unusable", f"nobody is told anything: {error}", CHECK)
        return
    if found is None:
        yield fine(WHAT, f"none: there is no {settings.alerts}")
        return
    opened = usable_targets_of(settings, found)
    rules = counted(len(found.rules), "rule")
    for problem in opened.problems:
        yield wrong(WHAT, "alerts_address", problem, CHECK)
    if opened.targets:
        yield fine(WHAT, f"{rules}, told to {counted(len(opened.targets), 'place')}")
    elif not opened.problems and not settings.alert_urls_parameter:
        text = (
            f"{rules}, and nobody to tell: put addresses into COINLOG_ALERT_URLS or into the file "
            "that urls_file names"
        )
        yield look(WHAT, "alerts_nowhere", text, "coinlog alerts try")
