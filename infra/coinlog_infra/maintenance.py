"""Tasks that people start: prepare the database, run a command, hold a tunnel open.

Each is a definition and costs nothing until it runs. ``prepare`` alone is handed the master
password, by ECS itself; ``ops`` runs commands of coinlog as the loader; ``tunnel`` may do nothing
but let Session Manager lead a port through it to the database.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from coinlog.aws.prepare import LOADER
from coinlog.slots import format_interval
from coinlog_infra.accepted import accept_wildcard
from coinlog_infra.archive import CHECK, ArchiveBucket
from coinlog_infra.containers import Containers, Run, Task
from coinlog_infra.database import MASTER, Database
from coinlog_infra.functions import database_environment, parameter_arn
from coinlog_infra.options import Options

TUNNEL_SECONDS = 8 * 3600
"""A tunnel that nobody closed closes itself after a working day."""

SESSION = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""What ECS Exec needs; AWS knows no resources for them."""


class Maintenance(Construct):
    """The definitions of the tasks that people start, and the security group they run in."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        containers: Containers,
        database: Database,
        archive: ArchiveBucket,
        options: Options,
    ) -> None:
        """Make the three definitions."""
        super().__init__(scope, construct_id)
        self.containers, self.database = containers, database
        self.security_group = containers.security_group(self, "One-off tasks", database)
        self.prepare = self._prepare()
        self.ops = self._ops(archive, options)
        self.tunnel = self._tunnel()

    def _prepare(self) -> Task:
        """Make the task that makes the schema and the program's users, as the master."""
        master = secretsmanager.Secret.from_secret_complete_arn(
            self, "master", self.database.secret_arn
        )
        environment = {
            **database_environment(self.database, MASTER),
            "COINLOG_DATABASE_SIGNIN": "password",
        }
        run = Run(
            command=["python", "-m", "coinlog.aws.prepare"],
            environment=environment,
            secrets={"DB_PASSWORD": ecs.Secret.from_secrets_manager(master, "password")},
        )
        return Task(self, "prepare", self.containers, run)

    def _ops(self, archive: ArchiveBucket, options: Options) -> Task:
        """Make the task that runs any command of coinlog, ``status`` unless told otherwise."""
        environment = {
            **database_environment(self.database, LOADER),
            **archive_environment(archive, options),
            "COINLOG_API_KEY_PARAMETER": options.api_key_parameter,
        }
        run = Run(command=["coinlog", "status"], environment=environment)
        task = Task(self, "ops", self.containers, run)
        task.allow("rds-db:connect", on=self.database.user_arn(LOADER))
        task.allow("ssm:GetParameter", on=parameter_arn(self, options.api_key_parameter))
        task.allow("s3:ListBucket", on=archive.bucket.bucket_arn)
        objects = archive.bucket.arn_for_objects("*")
        task.allow("s3:GetObject", "s3:PutObject", on=objects)
        accept_wildcard(task.role, objects, "commands read and write attempts of any slot")
        # What doctor writes to see whether it can; nothing else is ever removed.
        task.allow("s3:DeleteObject", on=archive.bucket.arn_for_objects(CHECK))
        return task

    def _tunnel(self) -> Task:
        """Make the task that a port is led through; it sleeps until it is stopped."""
        run = Run(command=["sleep", str(TUNNEL_SECONDS)], environment={}, writable=True)
        task = Task(self, "tunnel", self.containers, run)
        task.role.add_to_policy(iam.PolicyStatement(actions=list(SESSION), resources=["*"]))
        accept_wildcard(task.role, "*", "the channels of Session Manager take no resource")
        return task


def archive_environment(archive: ArchiveBucket, options: Options) -> Mapping[str, str]:
    """Return what the program must be told of the archive and of what is recorded into it."""
    return {
        "COINLOG_ARCHIVE": f"s3://{archive.bucket.bucket_name}",
        "COINLOG_INTERVAL": format_interval(options.interval_seconds),
        "COINLOG_ASSETS": options.assets,
    }
