"""Waiting for what takes its time: a page that answers, a slot that is loaded."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from botocore.exceptions import ClientError

from coinlog_infra.aws import Account, code_of
from coinlog_infra.tasks import Clock

POLL_SECONDS = 3.0
HTTP_OK = 200


def until(met: Callable[[], bool], clock: Clock, seconds: float) -> bool:
    """Return whether a condition was met within some seconds, asked again and again."""
    give_up = clock.now() + seconds
    while not met():
        if clock.now() > give_up:
            return False
        clock.wait(POLL_SECONDS)
    return True


def answers(url: str) -> bool:
    """Return whether a page answers as it should. A redirect is followed."""
    try:
        return httpx.get(url, timeout=5, follow_redirects=True).status_code == HTTP_OK
    except httpx.HTTPError:
        return False


def is_healthy(account: Account, targets: str) -> bool:
    """Return whether a balancer finds a copy of the page that answers it."""
    found = account.client("elbv2").describe_target_health(TargetGroupArn=targets)
    return any(
        one["TargetHealth"]["State"] == "healthy" for one in found["TargetHealthDescriptions"]
    )


def is_there(account: Account, bucket: str, key: str) -> bool:
    """Return whether a bucket holds an object."""
    try:
        account.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
    return True
