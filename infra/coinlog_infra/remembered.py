"""Write ``deploy.toml``: at the first deploy with comments, later only the lines that change."""

from __future__ import annotations

import re
from pathlib import Path

from coinlog.errors import UsageError
from coinlog_infra.given import from_file
from coinlog_infra.option import Option
from coinlog_infra.options import OPTIONS, Options, build_options

INTRODUCTION = """\
# What `make deploy` deploys. Change a line and deploy again, or say it once: what
# `make deploy INTERVAL=1h` is told, it writes in here. No secrets. docs/deploy.md explains.
"""


def remember(options: Options, file: Path) -> list[str]:
    """Write the options into the file and return what changed, as ``interval: 6h → 1h``.

    Comments and the order of lines stay as they are.

    Raises:
        UsageError: the file is written in a way that cannot be changed line by line.
    """
    if not file.exists():
        file.write_text(_first(options), encoding="utf-8")
        return []
    held = build_options(from_file(file))
    kept = [one for one in OPTIONS if one.remembered]
    changed = [one for one in kept if _value(one, options) != _value(one, held)]
    text = file.read_text(encoding="utf-8")
    for option in changed:
        text = _with(option, options, text)
    _replace(file, text, options)
    return [f"{one.key}: {_value(one, held)} → {_value(one, options)}" for one in changed]


def _value(option: Option, options: Options) -> str:
    value = getattr(options, option.field)
    return "none" if value in (None, ()) or not option.remembered else option.write(value)


def _line(option: Option, options: Options) -> str:
    value = _value(option, options)
    return (
        f'{option.key} = "{value}"' if value != "none" else f'# {option.key} = "{option.example}"'
    )


def _first(options: Options) -> str:
    blocks = (
        f"# {option.help} ({option.expected})\n{_line(option, options)}\n" for option in OPTIONS
    )
    return "\n".join([INTRODUCTION, *blocks])


def _with(option: Option, options: Options, text: str) -> str:
    """Return the text with an option's line, or the comment that holds its place, anew."""
    line = _line(option, options)
    for pattern in (rf"^{option.key}[ \t]*=.*$", rf"^#[ \t]*{option.key}[ \t]*=.*$"):
        found, count = re.subn(pattern, lambda _: line, text, count=1, flags=re.MULTILINE)
        if count:
            return found
    return f"{text.rstrip()}\n\n# {option.help}\n{line}\n"


def _replace(file: Path, text: str, options: Options) -> None:
    """Put the new text in the file's place, but only if it says what it should."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    try:
        written = build_options(from_file(fresh))
    except UsageError:
        written = None
    same = (_value(one, written) == _value(one, options) for one in OPTIONS) if written else ()
    if written is None or not all(same):
        fresh.unlink()
        raise UsageError(
            f"{file.name} is written in a way that cannot be changed line by line (a value over "
            "several lines, perhaps): write what you want into it and leave it out of the command"
        )
    fresh.replace(file)
