"""The bucket with the archive: raw answers, and what the loader leaves for others."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from coinlog.alerts.left import FOLDER as ALERTS
from coinlog.aws.buckets import LOADED
from coinlog_infra.accepted import accept
from coinlog_infra.network import Network

CAPTURES, BACKFILL = "captures/", "backfill/"
"""The folders of raw answers, and of history that was fetched later."""

CHECK = "check"
"""The one object that is written to be removed again: by it doctor sees that it can."""

OLD_VERSION_DAYS = 90
PASSING_DAYS = 90


def private_bucket(
    scope: Construct,
    lifecycle: Sequence[s3.LifecycleRule],
    *,
    versioned: bool,
    removal_policy: RemovalPolicy,
) -> s3.Bucket:
    """Make a bucket that is encrypted, reached by TLS alone, and never public."""
    return s3.Bucket(
        scope,
        "bucket",
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=versioned,
        lifecycle_rules=lifecycle,
        removal_policy=removal_policy,
    )


class ArchiveBucket(Construct):
    """A private, versioned, encrypted bucket that tells EventBridge of every new object."""

    def __init__(self, scope: Construct, construct_id: str, network: Network) -> None:
        """Make the bucket, and let the isolated subnets' endpoint lead to it alone."""
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(
            self, _lifecycle(), versioned=True, removal_policy=RemovalPolicy.RETAIN
        )
        self._tell_eventbridge()
        # Whatever runs in the isolated subnets can carry data to no other bucket.
        network.s3.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
                resources=[self.bucket.bucket_arn, self.bucket.arn_for_objects("*")],
            )
        )
        self._accept_findings()

    def _tell_eventbridge(self) -> None:
        """Switch the events on in the bucket itself: CDK's way needs a function of its own."""
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)  # noqa: S101  for the type checker
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )

    def _accept_findings(self) -> None:
        unlogged = "its few users are roles of this stack; CloudTrail can log them when wanted"
        accept(self.bucket, "AwsSolutions-S1", unlogged)
        accept(self.bucket, "CKV_AWS_18", unlogged)


def _lifecycle() -> list[s3.LifecycleRule]:
    """Keep what is current for ever; old versions and passing notes go."""
    return [
        s3.LifecycleRule(
            id="old-versions",
            noncurrent_version_expiration=Duration.days(OLD_VERSION_DAYS),
            abort_incomplete_multipart_upload_after=Duration.days(7),
            expired_object_delete_marker=True,
        ),
        *(
            s3.LifecycleRule(
                id=folder.strip("/"), prefix=folder, expiration=Duration.days(PASSING_DAYS)
            )
            for folder in (LOADED, ALERTS)
        ),
    ]
