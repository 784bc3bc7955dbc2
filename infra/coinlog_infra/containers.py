"""What all tasks share: a cluster, the image, and how a task of it is kept small.

Tasks run in the public subnets with a public address of their own, which costs less than a NAT
gateway; nothing reaches them there but what a security group names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from coinlog_infra import sizes
from coinlog_infra.accepted import accept, accept_wildcard
from coinlog_infra.database import Database
from coinlog_infra.image import Image
from coinlog_infra.log import passing_log
from coinlog_infra.network import Network
from coinlog_infra.options import Options
from coinlog_infra.outputs import CONTAINER

ARCHITECTURES = {"arm64": ecs.CpuArchitecture.ARM64, "x86_64": ecs.CpuArchitecture.X86_64}

USER = "10001:10001"
"""The image's own user, said again here: a task is not root whatever its image says."""

WHOLE_COMMAND = ["env"]
"""The entry point of tasks whose command begins with the name of a program."""

STOP_SECONDS = 30
"""How long a task may take to end before it is killed; the page needs five."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a task runs: the whole command or, without one, the image's own, which serves."""

    command: Sequence[str] = ()
    environment: Mapping[str, str]
    secrets: Mapping[str, ecs.Secret] | None = None
    writable: bool = False
    """Whether it may write anywhere, as root: ECS Exec cannot do without."""


class Containers(Construct):
    """The cluster, and the image that runs in it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        network: Network,
        options: Options,
        source: Path,
    ) -> None:
        """Make the cluster, and the image from the checkout ``source``."""
        super().__init__(scope, construct_id)
        self.network, self.options = network, options
        self.image = Image(self, "image", source, options).image
        self.cluster = ecs.Cluster(
            self,
            "cluster",
            cluster_name=options.name,
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.DISABLED,
        )
        few = "one small service whose own measures and log suffice; insights cost by measure"
        accept(self.cluster, "AwsSolutions-ECS4", few)
        accept(self.cluster, "CKV_AWS_65", few)

    @property
    def subnets(self) -> ec2.SubnetSelection:
        """Where tasks run."""
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)

    def security_group(self, scope: Construct, whose: str, database: Database) -> ec2.SecurityGroup:
        """Make a group that nothing reaches, and that reaches AWS by HTTPS and the database."""
        group = ec2.SecurityGroup(
            scope,
            "security-group",
            vpc=self.network.vpc,
            description=f"{whose}: reaches AWS and the database",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "image, logs, AWS")
        database.admit(group)
        return group


class Task(Construct):
    """A task definition: a log that ends, and a role that may do nothing yet."""

    def __init__(self, scope: Construct, name: str, containers: Containers, run: Run) -> None:
        """Make the definition ``<stack>-<name>`` of what is to be run."""
        super().__init__(scope, name)
        self.name = f"{containers.options.name}-{name}"
        self.log_name = f"/ecs/{self.name}"
        self.definition = ecs.FargateTaskDefinition(
            self,
            "definition",
            family=self.name,
            cpu=sizes.TASK_CPU,
            memory_limit_mib=sizes.TASK_MEMORY_MB,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ARCHITECTURES[containers.options.architecture],
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            execution_role=self._role("execution-role"),
            task_role=self._role("role"),
        )
        self.log = passing_log(self, self.log_name)
        self.container = self._container(containers, run)
        told = "what the environment holds is no secret; secrets come from Secrets Manager"
        accept(self.definition, "AwsSolutions-ECS2", told)

    def allow(self, *actions: str, on: str) -> None:
        """Let what runs do something to a resource."""
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[on]))

    def _role(self, name: str) -> iam.Role:
        role = iam.Role(self, name, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        if name == "role":
            self.role = role
        else:
            accept_wildcard(role, "*", "ecr:GetAuthorizationToken takes no resource")
        return role

    def _container(self, containers: Containers, run: Run) -> ecs.ContainerDefinition:
        container = self.definition.add_container(
            CONTAINER,
            container_name=CONTAINER,
            image=containers.image,
            entry_point=WHOLE_COMMAND if run.command else None,
            command=list(run.command) or None,
            environment=self._told(run),
            secrets=run.secrets,
            user="root" if run.writable else USER,
            readonly_root_filesystem=not run.writable,
            stop_timeout=Duration.seconds(STOP_SECONDS),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=self.name, log_group=self.log),
            linux_parameters=self._linux(run),
        )
        if not run.writable:
            self._give_scratch(container)
        return container

    def _told(self, run: Run) -> dict[str, str]:
        """Return the environment; who signs in to a database or asks S3 needs the region too."""
        region = {"AWS_REGION": Stack.of(self).region} if run.environment else {}
        return {**region, **run.environment}

    def _linux(self, run: Run) -> ecs.LinuxParameters:
        # The agent of ECS Exec leaves processes behind, which an init must bury.
        linux = ecs.LinuxParameters(self, "linux", init_process_enabled=run.writable)
        if not run.writable:
            linux.drop_capabilities(ecs.Capability.ALL)
        return linux

    def _give_scratch(self, container: ecs.ContainerDefinition) -> None:
        """Give the one place that may be written; it goes with the task.

        Its owner is what the image's ``VOLUME /tmp`` says: Fargate has no tmpfs.
        """
        self.definition.add_volume(name="tmp")
        container.add_mount_points(
            ecs.MountPoint(container_path="/tmp", source_volume="tmp", read_only=False)  # noqa: S108  of its own
        )
