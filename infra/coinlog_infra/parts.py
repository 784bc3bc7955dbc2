"""What a stack is made of, by CloudFormation's own list: it has one of a half-made stack too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coinlog_infra.aws import Account, find_stack
from coinlog_infra.errors import NotDeployedError

DATABASE, BUCKET = "AWS::RDS::DBInstance", "AWS::S3::Bucket"
CLUSTER, RULE = "AWS::ECS::Cluster", "AWS::Events::Rule"
ARCHIVE, EDITION = "archive", "edition"
"""What the names of the two buckets begin with in the template."""

NEVER_WHOLE = {
    "CREATE_FAILED",
    "DELETE_FAILED",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
}
"""What a stack is called whose creation failed; one that was whole keeps its outputs in each."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts that a removal has to do with; a text is empty where there is no such part.

    ``whole`` says that the stack was deployed to its end at some time, so that there can be data.
    """

    stack: str
    since: float
    whole: bool
    database: str
    bucket: str
    edition_bucket: str
    cluster: str
    rules: tuple[str, ...]


def read_parts(account: Account, name: str) -> Parts:
    """Return the parts of a stack.

    Raises:
        NotDeployedError: there is none.
    """
    stack = find_stack(account, name)
    if stack is None:
        raise NotDeployedError(
            f"there is no stack {name} in {account.region}: nothing was destroyed"
        )
    found = _resources(account, stack["StackId"])
    since = stack["CreationTime"].timestamp()
    return Parts(
        stack=stack["StackId"],
        since=since,
        whole=was_whole(stack),
        database=_own(account, _first(found, DATABASE), since),
        bucket=_first(found, BUCKET, ARCHIVE),
        edition_bucket=_first(found, BUCKET, EDITION),
        cluster=_first(found, CLUSTER),
        rules=tuple(one["PhysicalResourceId"] for one in found if one["ResourceType"] == RULE),
    )


def was_whole(stack: dict[str, Any]) -> bool:
    """Return whether a stack was deployed to its end at some time."""
    return bool(stack.get("Outputs")) or stack["StackStatus"] not in NEVER_WHOLE


def _resources(account: Account, stack: str) -> list[dict[str, Any]]:
    """Return what was made of a stack and is not gone; what it leaves behind is among it."""
    pages = account.client("cloudformation").get_paginator("list_stack_resources")
    return [
        one
        for page in pages.paginate(StackName=stack)
        for one in page["StackResourceSummaries"]
        if one.get("PhysicalResourceId") and one["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _first(found: list[dict[str, Any]], kind: str, beginning: str = "") -> str:
    names = (
        str(one["PhysicalResourceId"])
        for one in found
        if one["ResourceType"] == kind and one["LogicalResourceId"].lower().startswith(beginning)
    )
    return next(names, "")


def _own(account: Account, database: str, since: float) -> str:
    """Return a database unless it is older than the stack.

    A creation fails where another has the name, and the list may tell that one's name all the same.
    """
    pages = account.client("rds").get_paginator("describe_db_instances").paginate()
    for one in (one for page in pages for one in page["DBInstances"]):
        made = one.get("InstanceCreateTime")
        if one["DBInstanceIdentifier"] == database and made and made.timestamp() < since:
            return ""
    return database
