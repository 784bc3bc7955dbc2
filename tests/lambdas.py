"""A function's surroundings, as Lambda makes them: its context, and services of AWS beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has no types
import msgspec


@dataclass
class Context:
    """What Lambda hands over beside the event; the clock runs."""

    seconds: float = 120.0
    log_stream_name: str = "2026/01/26/[1]one"
    begun_at: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.seconds - (time.monotonic() - self.begun_at)))

    @property
    def share_left(self) -> float:
        return self.get_remaining_time_in_millis() / 1000 / self.seconds


class Topic:
    """A topic whose messages are kept in a queue, by moto's server; made in the caller's region."""

    def __init__(self, name: str) -> None:
        self._sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        self.arn = str(self._sns.create_topic(Name=name)["TopicArn"])
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )["Attributes"]
        self._sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def subjects(self) -> list[str]:
        """Return the subjects of all messages that have come since the last look."""
        subjects = []
        while found := self._receive():
            subjects += [str(msgspec.json.decode(one["Body"])["Subject"]) for one in found]
        return sorted(subjects)

    def delete(self) -> None:
        self._sns.delete_topic(TopicArn=self.arn)

    def _receive(self) -> list[dict[str, Any]]:
        """Take messages out of the queue."""
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        messages: list[dict[str, Any]] = found.get("Messages", [])
        for one in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        return messages


def s3(*keys: str) -> dict[str, Any]:
    """Return the event of a bucket in which objects are new."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventTime": "2026-01-26T18:00:20.000Z",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "coinlog"}, "object": {"key": key, "size": 1}},
            }
            for key in keys
        ]
    }
