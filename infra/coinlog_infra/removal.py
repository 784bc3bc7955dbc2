"""Taking the parts of a stack away, one by one: what is gone already keeps nothing from going."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from coinlog_infra.aws import Account, code_of
from coinlog_infra.errors import DeployError
from coinlog_infra.options import Options
from coinlog_infra.parts import Parts

PARAMETER_GONE = "ParameterNotFound"
INSTANCE_GONE = "DBInstanceNotFound"
BATCH = 1000
"""Objects that S3 deletes in one request."""

WAITING = {"Delay": 15, "MaxAttempts": 240}
"""An hour: a database takes its time to be saved and to go."""


def has_instance(account: Account, parts: Parts) -> bool:
    """Return whether the database is there; who needs this command may have lost it."""
    pages = account.client("rds").get_paginator("describe_db_instances").paginate()
    names = {one["DBInstanceIdentifier"] for page in pages for one in page["DBInstances"]}
    return parts.database in names


def snapshots(account: Account, parts: Parts, since: float = 0.0) -> set[str]:
    """Return the database's snapshots that somebody, or the stack, has asked for since a moment."""
    if not parts.database:
        return set()
    pages = account.client("rds").get_paginator("describe_db_snapshots")
    found = pages.paginate(DBInstanceIdentifier=parts.database, SnapshotType="manual")
    every = [one for page in found for one in page["DBSnapshots"]]
    return {
        one["DBSnapshotIdentifier"]
        for one in every
        if one["SnapshotCreateTime"].timestamp() >= since
    }


def save_database(account: Account, options: Options, parts: Parts) -> None:
    """Make a snapshot of the database and wait until it is whole.

    Raises:
        WaiterError: it did not become whole.
    """
    snapshot = f"{options.name}-final-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    rds = account.client("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=parts.database)
    rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier=snapshot, WaiterConfig=WAITING
    )


def unprotect(account: Account, parts: Parts) -> None:
    """Take the database's protection against deletion away."""
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier=parts.database,
        DeletionProtection=False,
        ApplyImmediately=True,
    )


def take_stack_away(account: Account, options: Options, parts: Parts) -> None:
    """Delete the stack, with the edition's files in it.

    What still publishes would write them again, and CloudFormation removes no full bucket.

    Raises:
        DeployError: CloudFormation could not delete all of it.
    """
    if parts.edition_bucket:
        _stop_publishing(account, options, parts)
        empty_bucket(account, parts.edition_bucket)
    _delete_stack(account, parts)


def _delete_stack(account: Account, parts: Parts) -> None:
    """Delete the stack and wait until it is gone.

    Raises:
        DeployError: CloudFormation could not delete all of it.
    """
    formation = account.client("cloudformation")
    formation.delete_stack(StackName=parts.stack)
    try:
        # By its id, because a deleted stack no longer has a name.
        formation.get_waiter("stack_delete_complete").wait(
            StackName=parts.stack, WaiterConfig=WAITING
        )
    except WaiterError as error:
        told = "\n".join(_failures(account, parts.stack)) or str(error)
        raise DeployError(
            f"the stack could not be deleted whole; CloudFormation says:\n{told}\n"
            "mend that and run make destroy again"
        ) from error


def _failures(account: Account, stack: str) -> Iterator[str]:
    events = account.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    for event in events:
        if event.get("ResourceStatus") == "DELETE_FAILED":
            yield f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"


def delete_instance(account: Account, parts: Parts) -> None:
    """Delete the database where the stack has left it: saved or not wanted, it only costs."""
    if not parts.database:
        return
    rds = account.client("rds")
    try:
        rds.delete_db_instance(DBInstanceIdentifier=parts.database, SkipFinalSnapshot=True)
    except ClientError as error:
        if code_of(error).startswith(INSTANCE_GONE):
            return
        raise
    rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier=parts.database, WaiterConfig=WAITING
    )


def _stop_publishing(account: Account, options: Options, parts: Parts) -> None:
    """Let no rule start anything more, and end the publishing that runs."""
    for rule in parts.rules:
        account.client("events").disable_rule(Name=rule)
    if not parts.cluster:
        return
    ecs = account.client("ecs")
    family = f"{options.name}-publish"
    tasks = ecs.list_tasks(cluster=parts.cluster, family=family)["taskArns"]
    for task in tasks:
        ecs.stop_task(cluster=parts.cluster, task=task, reason="make destroy")
    if tasks:
        ecs.get_waiter("tasks_stopped").wait(cluster=parts.cluster, tasks=tasks)


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
