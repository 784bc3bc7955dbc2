"""What a first deployment leaves that failed, taken away so that the next one finds its place.

Such a stack holds no data that could not be had again: its database was never prepared. It cannot
go by itself, because the database is protected against deletion from its first moment on.
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from coinlog_infra import removal
from coinlog_infra.aws import Account, code_of, find_stack
from coinlog_infra.errors import DeployError
from coinlog_infra.options import Options
from coinlog_infra.parts import Parts, read_parts, was_whole
from coinlog_infra.say import note
from coinlog_infra.tasks import Clock
from coinlog_infra.waiting import until

ROLLBACK_SECONDS = 3600


def clear_failed(account: Account, options: Options, clock: Clock) -> bool:
    """Take a stack away whose creation failed; return whether there was one.

    Raises:
        DeployError: it cannot be taken away.
    """

    def is_at_rest() -> bool:
        stack = find_stack(account, options.name)
        return stack is None or stack["StackStatus"] != "ROLLBACK_IN_PROGRESS"

    if not until(is_at_rest, clock, ROLLBACK_SECONDS):
        raise DeployError(
            f"CloudFormation has been taking back {options.name} for an hour: look at its events "
            "in the console, then make deploy again"
        )
    stack = find_stack(account, options.name)
    if stack is None or was_whole(stack):
        return False
    tell(clear(account, options, read_parts(account, options.name)))
    return True


def clear(account: Account, options: Options, parts: Parts) -> str:
    """Take the parts away; return the bucket that stays because something is in it, or nothing."""
    if removal.has_instance(account, parts):
        removal.unprotect(account, parts)
    removal.take_stack_away(account, options, parts)
    removal.delete_instance(account, parts)
    removal.delete_snapshots(account, removal.snapshots(account, parts, parts.since))
    return parts.bucket if parts.bucket and not _remove_empty(account, parts.bucket) else ""


def _remove_empty(account: Account, bucket: str) -> bool:
    try:
        account.client("s3").delete_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) == "BucketNotEmpty":
            return False
        if code_of(error) != "NoSuchBucket":
            raise
    return True


def tell(bucket: str) -> None:
    """Say what stays: a slot may have been captured while the rest was still being made."""
    if bucket:
        note(f"s3://{bucket} stays: something was captured into it already")
