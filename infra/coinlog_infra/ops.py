"""``make ops CMD="verify"``: run a command of coinlog in the account, in a task of its own."""

from __future__ import annotations

import shlex

from rich.markup import escape

from coinlog.errors import UsageError
from coinlog_infra import given
from coinlog_infra.aws import Account
from coinlog_infra.outputs import Deployed, read_deployed
from coinlog_infra.say import note, plain, run, say
from coinlog_infra.tasks import Clock, running, wait_until_ended

LIMIT_SECONDS = 6 * 3600
EXAMPLE = 'make ops CMD="verify --sample 5%"'


def parse_command(text: str) -> list[str]:
    """Return the words of a command, with or without ``coinlog`` before it.

    Raises:
        UsageError: there is none, or its quotes do not close.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"CMD cannot be read ({error}): expected {EXAMPLE}") from None
    words = words[1:] if words[:1] == ["coinlog"] else words
    if not words:
        raise UsageError(f"CMD is empty: expected {EXAMPLE}")
    return ["coinlog", *words]


def ops(account: Account, deployed: Deployed, command: list[str], clock: Clock) -> int:
    """Run a command in the account, print what it prints and return its exit code.

    Ctrl-C stops the task too: what it has not finished, the same command goes on with.
    """
    with running(account, deployed, deployed.ops_task, note, command) as task:
        say("  [green]✓[/] A task is started; what it prints follows")
        code = wait_until_ended(account, task, plain, clock, LIMIT_SECONDS)
    if code:
        say(f"[red]✗[/] {escape(shlex.join(command))} ended with exit code {code}")
    return code


def main() -> int:
    """Run what ``CMD`` says."""
    command = parse_command(given.said("CMD"))
    options = given.load_options()
    account = Account(options.region)
    return ops(account, read_deployed(account, options.name), command, Clock())


if __name__ == "__main__":
    run(main)
