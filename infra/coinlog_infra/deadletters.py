"""Where events go that nobody could handle: kept for two weeks, with an alarm on any."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from coinlog_infra.accepted import accept
from coinlog_infra.options import Options


class DeadLetters(Construct):
    """One queue for the schedules, the rules and the functions alike."""

    def __init__(self, scope: Construct, construct_id: str, options: Options) -> None:
        """Make the queue."""
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "queue",
            queue_name=f"{options.name}-dead-letters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(self.queue, "CKV_AWS_27", "it is, by SQS's own key, which checkov does not know")
        accept(self.queue, "AwsSolutions-SQS3", "it is a dead-letter queue itself")
