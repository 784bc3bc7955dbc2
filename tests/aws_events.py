"""Events in the shapes in which AWS's services hand them over."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

REGION = "us-east-1"
ACCOUNT = "123456789012"
CONSOLE = {"key1": "value1", "key2": "value2", "key3": "value3"}
"""What the console offers as a test event."""


def scheduled(time: str) -> dict[str, Any]:
    """Return what EventBridge Scheduler hands over: our input, its time filled in."""
    return {"scheduled_time": time}


def ruled(time: str) -> dict[str, Any]:
    """Return the event of a rule of EventBridge with a schedule, such as ``rate(6 hours)``."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": time,
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/coinlog"],
        "detail": {},
    }


def notified(bucket: str, key: str, time: str) -> dict[str, Any]:
    """Return the notification that a bucket sends to a function itself: keys as in a form."""
    told = {"key": quote_plus(key), "size": 1024, "eTag": "d41d8cd9", "sequencer": "0A1B2C3D4E"}
    owner = {"principalId": "A3NL1KOZZKExample"}
    place = {"name": bucket, "ownerIdentity": owner, "arn": f"arn:aws:s3:::{bucket}"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": time,
        "eventName": "ObjectCreated:Put",
        "userIdentity": owner,
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "manifests",
            "bucket": place,
            "object": told,
        },
    }
    return {"Records": [record]}


def created(bucket: str, key: str, time: str) -> dict[str, Any]:
    """Return what a bucket puts on the bus of EventBridge: keys as they are."""
    told = {"key": key, "size": 1024, "etag": "d41d8cd9", "sequencer": "0A1B2C3D4E"}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": time,
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": told,
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
            "reason": "PutObject",
        },
    }
