"""``make destroy``: take coinlog out of the account again. The data stay unless asked otherwise.

What stays is a snapshot of the database and the bucket with the raw answers, from either of which
everything can be had again. ``DATA=delete`` removes both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from coinlog.errors import UsageError
from coinlog_infra import given
from coinlog_infra.aws import Account, code_of, find_stack, refusals_explained
from coinlog_infra.errors import DeployError, NotDeployedError
from coinlog_infra.estimate import GIGABYTE, read_prices
from coinlog_infra.options import Options
from coinlog_infra.outputs import Deployed, read_deployed
from coinlog_infra.say import ask, note, run, say, step

PARAMETER_GONE = "ParameterNotFound"
INSTANCE_GONE = "DBInstanceNotFound"
BATCH = 1000
"""Objects that S3 deletes in one request."""

COUNTED_PAGES = 100
WAITING = {"Delay": 15, "MaxAttempts": 240}
"""An hour: a database takes its time to be saved and to go."""


def main() -> int:
    """Destroy by the options; ``DATA=delete`` says what shall become of the data."""
    options = given.load_options()
    account = Account(options.region)
    delete = _parse_data(given.said("DATA"))
    with refusals_explained("looking at what is there"):
        if find_stack(account, options.name) is None:
            raise NotDeployedError(
                f"there is no stack {options.name} in {account.region}: nothing was destroyed"
            )
        deployed = read_deployed(account, options.name)
    _tell_what_goes(account, options, deployed, delete=delete)
    if not given.agreed_to(options.name):
        ask(f"Type {options.name} to go on:", options.name, f"YES={options.name}")
    return destroy(account, options, deployed, delete=delete)


def _parse_data(text: str) -> bool:
    if text.lower() in {"", "keep"}:
        return False
    if text.lower() == "delete":
        return True
    raise UsageError(f"DATA is {text[:20]!r}: expected keep or delete")


def destroy(account: Account, options: Options, deployed: Deployed, *, delete: bool) -> int:
    """Take the stack away, and the data too only where that was asked; return the exit code."""
    before = snapshots(account, deployed)
    if has_instance(account, deployed):
        if not delete:
            with step("The database is saved in a snapshot"):
                save_database(account, options, deployed)
        with step("The database may go"):
            unprotect(account, deployed)
    else:
        note("the database is gone already: there is nothing of it to save")
    with step("The stack is taken away"):
        if deployed.edition_bucket:
            # CloudFormation removes no bucket with something in it.
            empty_bucket(account, deployed.edition_bucket)
        delete_stack(account, options)
    with step("Nothing of it still runs"):
        delete_instance(account, deployed)
    with step("The API key is removed"):
        forget_key(account, options)
    if delete:
        with step("The data are deleted"):
            delete_snapshots(account, snapshots(account, deployed) - before)
            empty_bucket(account, deployed.bucket)
            account.client("s3").delete_bucket(Bucket=deployed.bucket)
        say(
            "\n  Nothing is left but what AWS itself keeps: automatic backups for at most a week, "
            "and CDK's own stack CDKToolkit, which other programs may use."
        )
        return 0
    _tell_what_stays(account, deployed, snapshots(account, deployed) - before)
    return 0


def has_instance(account: Account, deployed: Deployed) -> bool:
    """Return whether the database is there; who needs this command may have lost it."""
    pages = account.client("rds").get_paginator("describe_db_instances").paginate()
    names = {one["DBInstanceIdentifier"] for page in pages for one in page["DBInstances"]}
    return deployed.database_instance in names


def snapshots(account: Account, deployed: Deployed) -> set[str]:
    """Return the snapshots of the database that somebody, or the stack, has asked for."""
    pages = account.client("rds").get_paginator("describe_db_snapshots")
    found = pages.paginate(DBInstanceIdentifier=deployed.database_instance, SnapshotType="manual")
    return {one["DBSnapshotIdentifier"] for page in found for one in page["DBSnapshots"]}


def save_database(account: Account, options: Options, deployed: Deployed) -> None:
    """Make a snapshot of the database and wait until it is whole.

    Raises:
        WaiterError: it did not become whole.
    """
    snapshot = f"{options.name}-final-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    rds = account.client("rds")
    rds.create_db_snapshot(
        DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=deployed.database_instance
    )
    rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier=snapshot, WaiterConfig=WAITING
    )


def unprotect(account: Account, deployed: Deployed) -> None:
    """Take the database's protection against deletion away."""
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier=deployed.database_instance,
        DeletionProtection=False,
        ApplyImmediately=True,
    )


def delete_stack(account: Account, options: Options) -> None:
    """Delete the stack and wait until it is gone.

    Raises:
        DeployError: CloudFormation could not delete all of it.
    """
    formation = account.client("cloudformation")
    stack = find_stack(account, options.name)
    formation.delete_stack(StackName=options.name)
    if stack is None:
        return
    try:
        # By its id, because a deleted stack no longer has a name.
        formation.get_waiter("stack_delete_complete").wait(
            StackName=stack["StackId"], WaiterConfig=WAITING
        )
    except WaiterError as error:
        told = "\n".join(_failures(account, stack["StackId"])) or str(error)
        raise DeployError(
            f"the stack could not be deleted whole; CloudFormation says:\n{told}\n"
            "mend that and run make destroy again"
        ) from error


def _failures(account: Account, stack: str) -> Iterator[str]:
    events = account.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    for event in events:
        if event.get("ResourceStatus") == "DELETE_FAILED":
            yield f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"


def delete_instance(account: Account, deployed: Deployed) -> None:
    """Delete the database where the stack has left it: saved or not wanted, it only costs."""
    rds = account.client("rds")
    try:
        rds.delete_db_instance(
            DBInstanceIdentifier=deployed.database_instance, SkipFinalSnapshot=True
        )
    except ClientError as error:
        if code_of(error).startswith(INSTANCE_GONE):
            return
        raise
    rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier=deployed.database_instance, WaiterConfig=WAITING
    )


def delete_snapshots(account: Account, found: set[str]) -> None:
    """Delete what the stack, in going, has saved of a database that nobody wants."""
    for snapshot in found:
        account.client("rds").delete_db_snapshot(DBSnapshotIdentifier=snapshot)


def forget_key(account: Account, options: Options) -> None:
    """Remove the API key's parameter."""
    try:
        account.client("ssm").delete_parameter(Name=options.api_key_parameter)
    except ClientError as error:
        if code_of(error) != PARAMETER_GONE:
            raise


def empty_bucket(account: Account, bucket: str) -> None:
    """Delete every version of every object."""
    s3 = account.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        for start in range(0, len(objects), BATCH):
            batch = {"Objects": objects[start : start + BATCH], "Quiet": True}
            _refuse_errors(s3.delete_objects(Bucket=bucket, Delete=batch))


def _refuse_errors(answer: dict[str, Any]) -> None:
    errors = answer.get("Errors") or []
    if errors:
        first = errors[0]
        raise DeployError(
            f"{len(errors)} objects could not be deleted, the first is {first['Key']}: "
            f"{first.get('Message')}; run make destroy DATA=delete again"
        )


def _tell_what_goes(
    account: Account, options: Options, deployed: Deployed, *, delete: bool
) -> None:
    say(f"Taking [bold]{options.name}[/] out of {account.region}:\n")
    say("  goes    the page, the functions, the schedule, the alarms, the network")
    if delete:
        say(f"  [red]goes    the database {deployed.database_instance}, without a snapshot[/]")
        say(f"  [red]goes    s3://{deployed.bucket} with every raw answer[/]")
        say("  [red]        Nobody can bring these back.[/]\n")
    else:
        say("  goes    the database, once it is saved in a snapshot")
        say(f"  stays   the snapshot, and s3://{deployed.bucket} with every raw answer\n")


def _tell_what_stays(account: Account, deployed: Deployed, found: set[str]) -> None:
    prices = read_prices()
    say("\n  What stays, and what it costs a month at most:")
    for snapshot in sorted(found):
        described = account.client("rds").describe_db_snapshots(DBSnapshotIdentifier=snapshot)
        size = described["DBSnapshots"][0]["AllocatedStorage"]
        dollars = size * prices["database"]["snapshot_gb_month"]
        say(f"    snapshot  {snapshot}  [dim]up to ${dollars:.2f}, by what is in it[/]")
    dollars = _gigabytes(account, deployed.bucket) * prices["bucket"]["gb_month"]
    say(f"    archive   s3://{deployed.bucket}  [dim]${dollars:.2f}[/]")
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
