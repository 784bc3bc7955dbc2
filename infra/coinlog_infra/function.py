"""One Lambda function: its code from ``dist/``, a role that may do nothing yet, a log that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from coinlog.errors import UsageError
from coinlog_infra.accepted import accept, accept_wildcard
from coinlog_infra.log import passing_log
from coinlog_infra.options import Options

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
"""A fifth cheaper than the other, and ``make lambda`` builds for it on any machine."""

RETRIES = 2
"""How often Lambda tries an event again: the most it offers."""

NETWORK_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda needs to join a VPC; it asks for them on every resource."""


@dataclass(frozen=True)
class Shared:
    """What all functions of a stack have in common."""

    options: Options
    code: lambda_.Code
    layer: lambda_.LayerVersion
    dead_letters: sqs.IQueue
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much one function gets: memory (and with it, processor) and time."""

    memory_mb: int
    timeout: Duration
    event_age: Duration
    """How old an event may get while Lambda tries again."""


@dataclass(frozen=True)
class Inside:
    """Where in the VPC a function runs."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_group: ec2.ISecurityGroup


def code_in(built: Path) -> lambda_.Code:
    """Return the functions' code, as ``make lambda`` has built it.

    Raises:
        UsageError: it has not been built.
    """
    return lambda_.Code.from_asset(str(_built(built / "function")))


def layer_in(scope: Construct, built: Path, options: Options) -> lambda_.LayerVersion:
    """Return the layer with the packages that the code needs.

    Raises:
        UsageError: it has not been built.
    """
    return lambda_.LayerVersion(
        scope,
        "layer",
        layer_version_name=options.name,
        description="The packages that coinlog needs beyond those of the runtime",
        code=lambda_.Code.from_asset(str(_built(built / "layer-arm64"))),
        compatible_architectures=[ARCHITECTURE],
        compatible_runtimes=[RUNTIME],
    )


def senders_in(scope: Construct, built: Path, options: Options) -> lambda_.LayerVersion:
    """Return the layer with the packages that sending alerts needs beside those.

    Raises:
        UsageError: it has not been built.
    """
    return lambda_.LayerVersion(
        scope,
        "senders",
        layer_version_name=f"{options.name}-senders",
        description="The packages that coinlog needs to send alerts to a hundred services",
        code=lambda_.Code.from_asset(str(_built(built / "senders-arm64"))),
        compatible_architectures=[ARCHITECTURE],
        compatible_runtimes=[RUNTIME],
    )


def _built(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"the functions' code is not in {folder}: run make lambda first")
    return folder


class Function(Construct):
    """A function that logs, retries twice and leaves what failed among the dead letters."""

    def __init__(
        self, scope: Construct, name: str, shared: Shared, size: Size, inside: Inside | None = None
    ) -> None:
        """Make the function ``<stack>-<name>`` of ``coinlog.aws.<name>``."""
        super().__init__(scope, name)
        self.name = f"{shared.options.name}-{name}"
        self.log = passing_log(self, f"/aws/lambda/{self.name}")
        self.role = self._role()
        if inside:
            self._let_join_a_network()
        self.function = lambda_.Function(
            self,
            "function",
            function_name=self.name,
            handler=f"coinlog.aws.{name}.handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=shared.code,
            layers=[shared.layer],
            role=self.role,
            log_group=self.log,
            environment=dict(shared.environment),
            memory_size=size.memory_mb,
            timeout=size.timeout,
            vpc=inside.vpc if inside else None,
            vpc_subnets=inside.subnets if inside else None,
            security_groups=[inside.security_group] if inside else None,
        )
        self._keep_what_fails(shared.dead_letters, size.event_age)
        self._accept_findings(inside)

    def allow(
        self, *actions: str, on: str | list[str], when: Mapping[str, object] | None = None
    ) -> None:
        """Let the function do something to some resources."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=[on] if isinstance(on, str) else on,
                conditions=when,
            )
        )

    def _keep_what_fails(self, queue: sqs.IQueue, event_age: Duration) -> None:
        """Try an event twice again and put it into the queue then; CDK's way may read it too."""
        lambda_.CfnEventInvokeConfig(
            self,
            "retries",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=event_age.to_seconds(),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=queue.queue_arn
                )
            ),
        )
        self.allow("sqs:SendMessage", on=queue.queue_arn)

    def _role(self) -> iam.Role:
        """Make a role that may write to its own log, and nothing else."""
        role = iam.Role(self, "role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        streams = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/lambda/{self.name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[streams]
            )
        )
        accept_wildcard(role, streams, "Lambda names the streams of the function's own log")
        return role

    def _let_join_a_network(self) -> None:
        """Let Lambda, but not the function's own code, make the interfaces in the VPC."""
        self.allow(*NETWORK_INTERFACES, on="*")
        reason = "Lambda asks for it so, and the code itself is denied it"
        accept_wildcard(self.role, "*", reason)
        accept(self.role.node.find_child("DefaultPolicy"), "CKV_AWS_111", reason)
        code = Stack.of(self).format_arn(
            service="lambda",
            resource="function",
            resource_name=self.name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=list(NETWORK_INTERFACES),
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": code}},
            )
        )

    def _accept_findings(self, inside: Inside | None) -> None:
        accept(self.function, "AwsSolutions-L1", "the layer is built for, and tested on, 3.13")
        accept(self.function, "CKV_AWS_115", "a new account has too little concurrency to reserve")
        accept(self.function, "CKV_AWS_116", "what fails goes to the queue of its destination")
        accept(self.function, "CKV_AWS_173", "no value in it is secret; AWS's own key encrypts it")
        if not inside:
            accept(self.function, "CKV_AWS_117", "it needs the internet, which costs in a VPC")
