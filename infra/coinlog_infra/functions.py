"""The functions: ``capture`` asks the source, ``load`` writes the database, ``send`` tells people.

``capture`` and ``send`` run outside the VPC, where the internet is, and can reach no database;
``load`` runs in the isolated subnets and reaches the bucket and the database and nothing else.
"""

from __future__ import annotations

from pathlib import Path

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from constructs import Construct

from coinlog.alerts.left import FOLDER as ALERTS
from coinlog.alerts.left import SENT
from coinlog.aws.buckets import LOADED
from coinlog.aws.prepare import LOADER
from coinlog.aws.rules import RULES
from coinlog.slots import MINUTE, format_interval
from coinlog_infra.accepted import accept_wildcard
from coinlog_infra.archive import BACKFILL, CAPTURES, ArchiveBucket
from coinlog_infra.database import Database
from coinlog_infra.deadletters import DeadLetters
from coinlog_infra.function import Function, Inside, Shared, Size, code_in, layer_in, senders_in
from coinlog_infra.network import Network
from coinlog_infra.options import Options


def capture_size(options: Options) -> Size:
    """Return what ``capture`` gets.

    Its deadline for the source is four fifths of its time: enough for slow answers and their
    retries, and over long before the next slot. 5,000 assets, unpacked and packed again, take
    under 200 MB; the rest buys processor. An event older than the interval is of no use.
    """
    return Size(
        memory_mb=512,
        timeout=Duration.seconds(min(120, options.interval_seconds)),
        event_age=Duration.seconds(min(options.interval_seconds, 6 * 60 * MINUTE)),
    )


LOAD_SIZE = Size(
    # SQLAlchemy's import and the decoding of 5,000 assets are processor work, which comes with
    # memory. The time is Lambda's most: after a long outage a sweep has days to catch up, and
    # whatever it does not finish the next one does.
    memory_mb=1024,
    timeout=Duration.minutes(15),
    event_age=Duration.hours(6),
)

SEND_SIZE = Size(
    # Apprise's hundred services take two seconds of a whole processor to load.
    memory_mb=1024,
    timeout=Duration.seconds(60),
    event_age=Duration.hours(6),
)


class Functions(Construct):
    """The three functions, each with the rights that it needs and no others."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: Network,
        database: Database,
        archive: ArchiveBucket,
        topic: sns.ITopic,
        dead_letters: DeadLetters,
        options: Options,
        built: Path,
    ) -> None:
        """Make the functions of what was built into the folder ``built``."""
        super().__init__(scope, construct_id)
        self.options, self.archive = options, archive
        self.shared = Shared(
            options=options,
            code=code_in(built),
            layer=layer_in(self, built, options),
            dead_letters=dead_letters.queue,
            environment={
                "COINLOG_ARCHIVE": f"s3://{archive.bucket.bucket_name}",
                "COINLOG_INTERVAL": format_interval(options.interval_seconds),
                "COINLOG_ASSETS": options.assets,
            },
        )
        self.senders = senders_in(self, built, options)
        self.capture = self._capture()
        self.load = self._load(network, database)
        self.send = self._send(topic)

    def _capture(self) -> Function:
        capture = Function(self, "capture", self.shared, capture_size(self.options))
        name = self.options.api_key_parameter
        capture.function.add_environment("COINLOG_API_KEY_PARAMETER", name)
        capture.allow("ssm:GetParameter", on=parameter_arn(self, name))
        self._let_list(capture)
        self._let(capture, "s3:GetObject", "s3:PutObject", folder=CAPTURES)
        return capture

    def _load(self, network: Network, database: Database) -> Function:
        group = ec2.SecurityGroup(
            self,
            "load-security-group",
            vpc=network.vpc,
            description="The loader: reaches S3 and the database, is reached by nothing",
            allow_all_outbound=False,
        )
        # The subnets lead nowhere but to S3, whose addresses differ by region.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "to S3, by its endpoint")
        database.admit(group)
        subnets = ec2.SubnetSelection(subnets=network.isolated_subnets)
        load = Function(self, "load", self.shared, LOAD_SIZE, Inside(network.vpc, subnets, group))
        for name, value in database_environment(database, LOADER).items():
            load.function.add_environment(name, value)
        load.allow("rds-db:connect", on=database.user_arn(LOADER))
        self._let_list(load)
        self._let(load, "s3:GetObject", folder=CAPTURES)
        self._let(load, "s3:GetObject", folder=BACKFILL)
        self._let(load, "s3:PutObject", folder=LOADED)
        self._let(load, "s3:GetObject", "s3:PutObject", folder=ALERTS)
        load.allow("s3:GetObject", on=self.archive.bucket.arn_for_objects(RULES))
        return load

    def _send(self, topic: sns.ITopic) -> Function:
        send = Function(self, "send", self.shared, SEND_SIZE)
        send.function.add_layers(self.senders)
        name = self.options.alert_urls_parameter
        send.function.add_environment("COINLOG_ALERT_URLS_PARAMETER", name)
        send.allow("ssm:GetParameter", on=parameter_arn(self, name))
        send.function.add_environment("COINLOG_ALERT_TOPIC", topic.topic_arn)
        self._let_list(send, ALERTS)
        self._let(send, "s3:GetObject", folder=ALERTS)
        # Its own marks of what was sent, which no rule answers to.
        self._let(send, "s3:PutObject", folder=SENT)
        send.allow("sns:Publish", on=topic.topic_arn)
        return send

    def _let(self, function: Function, *actions: str, folder: str) -> None:
        """Let a function read or write the objects of one folder of the bucket."""
        objects = self.archive.bucket.arn_for_objects(f"{folder}*")
        function.allow(*actions, on=objects)
        accept_wildcard(function.role, objects, "objects have the names of their slots")

    def _let_list(self, function: Function, *folders: str) -> None:
        """Let a function list folders of the bucket, or all of it where none is named.

        Only to who may list without a condition on the prefix does S3 say that an object is gone:
        to others it refuses the reading, and one lost answer looks like a bucket that is away.
        """
        prefixes = [f"{folder}*" for folder in folders]
        function.allow(
            "s3:ListBucket",
            on=self.archive.bucket.bucket_arn,
            when={"StringLike": {"s3:prefix": prefixes}} if prefixes else None,
        )


def parameter_arn(scope: Construct, name: str) -> str:
    """Return the ARN of a parameter of this account and region."""
    return Stack.of(scope).format_arn(
        service="ssm",
        resource="parameter",
        resource_name=name.removeprefix("/"),
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def database_environment(database: Database, user: str) -> dict[str, str]:
    """Return what the program must be told to sign in to the database as one of its users."""
    return {
        "DB_HOST": database.endpoint,
        "DB_PORT": str(database.port),
        "DB_NAME": database.name,
        "DB_USER": user,
        "COINLOG_DATABASE_SIGNIN": "iam",
        "COINLOG_DATABASE_CA": "rds",
    }
