"""Write ``docs/settings.md`` from the table: ``python -m coinlog.settings.docs``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from coinlog.settings.setting import Setting
from coinlog.settings.table import SETTINGS

INTRODUCTION = """\
# Settings

This page is written from the table in `src/coinlog/settings/table.py`: change it there, then run
`.venv/bin/python -m coinlog.settings.docs`.

coinlog needs no settings. What you want otherwise, put into the environment or into a file `.env`
in the folder you start it from. The environment wins over `.env`; of several names for one thing
the first in the table wins; an empty value counts as not set. A value that cannot be used is
refused at the start, with what was found, what is expected and an example.
"""

SECRETS = """\
## Secrets

A setting marked *secret* is never shown: not in messages, logs, pages or the archive. Each can
also be given as the path of a file that holds the secret and nothing else, the way Docker and
systemd hand out secrets: {names}.
"""

DOTENV = """\
## The file `.env`

```sh
# A line is NAME=value, without spaces around the = and without a comma behind it.
COINLOG_INTERVAL=1h
COINLOG_ASSETS=top:500+id:4687  # a comment stands behind a space
DB_HOST=127.0.0.1
DB_PASSWORD='what stands in quotes is taken as it is: # $ and all'
```

Any other line is refused with its number and, where possible, the line as it should be. `export `
before a name is allowed. In double quotes a backslash stands before `"` and before itself. `$` is
never expanded. A `COINLOG_` name that does not exist is refused in `.env` and reported in the
environment.
"""


def page() -> str:
    """Return the text of ``docs/settings.md``."""
    secrets = (setting for setting in SETTINGS if setting.secret)
    names = [f"`{name}_FILE`" for setting in secrets for name in setting.names]
    parts = (
        INTRODUCTION,
        _table(setting for setting in SETTINGS if not setting.special),
        "## For special cases\n",
        _table(setting for setting in SETTINGS if setting.special),
        SECRETS.format(names=", ".join(names)),
        DOTENV,
    )
    return "\n".join(parts)


def _table(settings: Iterable[Setting]) -> str:
    rows = ["| name | default | meaning |", "|---|---|---|", *map(_row, settings)]
    return "\n".join(rows) + "\n"


def _row(setting: Setting) -> str:
    also = ", ".join(f"`{alias}`" for alias in setting.aliases)
    names = f"`{setting.name}`" + (f" (also {also})" if also else "")
    default = f"`{setting.default}`" if setting.default else setting.default_words
    secret = " *Secret.*" if setting.secret else ""
    meaning = (
        f"{setting.help}{secret} Expected: {setting.expected}. "
        f"Example: `{setting.name}={setting.example}`"
    )
    return f"| {names} | {default} | {meaning} |"


def main() -> None:
    """Write the page into the checkout that this program runs from."""
    root = Path(__file__).resolve().parents[3]
    (root / "docs" / "settings.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
