"""``make destroy``: take coinlog out of the account again. The data stay unless asked otherwise.

What stays is a snapshot of the database and the bucket with the raw answers, from either of which
everything can be had again. ``DATA=delete`` removes both.
"""

from __future__ import annotations

from coinlog.errors import UsageError
from coinlog_infra import clearing, given, removal
from coinlog_infra.aws import Account, refusals_explained
from coinlog_infra.estimate import GIGABYTE, read_prices
from coinlog_infra.options import Options
from coinlog_infra.parts import Parts, read_parts
from coinlog_infra.say import ask, note, run, say, step

COUNTED_PAGES = 100


def main() -> int:
    """Destroy by the options; ``DATA=delete`` says what shall become of the data."""
    options = given.load_options()
    account = Account(options.region)
    delete = _parse_data(given.said("DATA"))
    with refusals_explained("looking at what is there"):
        parts = read_parts(account, options.name)
    _tell_what_goes(account, options, parts, delete=delete)
    if not given.agreed_to(options.name):
        ask(f"Type {options.name} to go on:", options.name, f"YES={options.name}")
    if not parts.whole:
        return _clear(account, options, parts)
    return destroy(account, options, parts, delete=delete)


def _parse_data(text: str) -> bool:
    if text.lower() in {"", "keep"}:
        return False
    if text.lower() == "delete":
        return True
    raise UsageError(f"DATA is {text[:20]!r}: expected keep or delete")


def _clear(account: Account, options: Options, parts: Parts) -> int:
    with step("What was half made is taken away"):
        left = clearing.clear(account, options, parts)
    clearing.tell(left)
    return 0


def destroy(account: Account, options: Options, parts: Parts, *, delete: bool) -> int:
    """Take the stack away, and the data too only where that was asked; return the exit code."""
    before = removal.snapshots(account, parts)
    if removal.has_instance(account, parts):
        if not delete:
            with step("The database is saved in a snapshot"):
                removal.save_database(account, options, parts)
        with step("The database may go"):
            removal.unprotect(account, parts)
    else:
        note("the database is gone already: there is nothing of it to save")
    with step("The stack is taken away"):
        removal.take_stack_away(account, options, parts)
    with step("Nothing of it still runs"):
        removal.delete_instance(account, parts)
    with step("The API key is removed"):
        removal.forget_key(account, options)
    if delete:
        with step("The data are deleted"):
            removal.delete_snapshots(account, removal.snapshots(account, parts) - before)
            if parts.bucket:
                removal.empty_bucket(account, parts.bucket)
                account.client("s3").delete_bucket(Bucket=parts.bucket)
        say(
            "\n  Nothing is left but what AWS itself keeps: automatic backups for at most a week, "
            "and CDK's own stack CDKToolkit, which other programs may use."
        )
        return 0
    _tell_what_stays(account, parts, removal.snapshots(account, parts) - before)
    return 0


def _tell_what_goes(account: Account, options: Options, parts: Parts, *, delete: bool) -> None:
    say(f"Taking [bold]{options.name}[/] out of {account.region}:\n")
    if not parts.whole:
        say("  goes    what a deployment has made that failed: nothing is in it yet\n")
        return
    say("  goes    the page, the functions, the schedule, the alarms, the network")
    if delete:
        say(f"  [red]goes    the database {parts.database}, without a snapshot[/]")
        say(f"  [red]goes    s3://{parts.bucket} with every raw answer[/]")
        say("  [red]        Nobody can bring these back.[/]\n")
    else:
        say("  goes    the database, once it is saved in a snapshot")
        say(f"  stays   the snapshot, and s3://{parts.bucket} with every raw answer\n")


def _tell_what_stays(account: Account, parts: Parts, found: set[str]) -> None:
    prices = read_prices()
    say("\n  What stays, and what it costs a month at most:")
    for snapshot in sorted(found):
        described = account.client("rds").describe_db_snapshots(DBSnapshotIdentifier=snapshot)
        size = described["DBSnapshots"][0]["AllocatedStorage"]
        dollars = size * prices["database"]["snapshot_gb_month"]
        say(f"    snapshot  {snapshot}  [dim]up to ${dollars:.2f}, by what is in it[/]")
    if parts.bucket:
        dollars = _gigabytes(account, parts.bucket) * prices["bucket"]["gb_month"]
        say(f"    archive   s3://{parts.bucket}  [dim]${dollars:.2f}[/]")
    say("  docs/operations.md: how to begin anew from them; docs/deploy.md: how to delete them.\n")


def _gigabytes(account: Account, bucket: str) -> float:
    """Return what a bucket holds, counted in its first hundred thousand objects."""
    pages = account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    sizes = (
        one["Size"]
        for _, page in zip(range(COUNTED_PAGES), pages, strict=False)
        for one in page.get("Contents", [])
    )
    return float(sum(sizes) / GIGABYTE)


if __name__ == "__main__":
    run(main)
