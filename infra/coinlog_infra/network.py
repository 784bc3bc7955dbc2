"""The network: public subnets for the page and its tasks, isolated ones for database and loader.

There is no NAT gateway and no interface endpoint: what needs the internet runs outside the
isolated subnets, and what runs inside them needs only the bucket, which a gateway endpoint
reaches for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from coinlog_infra.accepted import accept
from coinlog_infra.options import Options

ZONES = 2
"""The least that RDS's subnet group and the balancer accept."""


class Network(Construct):
    """A VPC over two zones, with a gateway endpoint to S3 for the isolated subnets."""

    def __init__(self, scope: Construct, construct_id: str, options: Options) -> None:
        """Make the VPC, its subnets and the way to S3."""
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "vpc",
            vpc_name=options.name,
            max_azs=ZONES,
            nat_gateways=0,
            # Emptying it takes a function of CDK's own, which may change any security group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    # A task asks for its public address itself; nothing else gets one by chance.
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="isolated",
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=24,
                ),
            ],
        )
        self.s3 = self.vpc.add_gateway_endpoint(
            "s3",
            service=ec2.GatewayVpcEndpointAwsService.S3,
            subnets=[ec2.SubnetSelection(subnets=self.isolated_subnets)],
        )
        accept(self.vpc, "AwsSolutions-VPC7", _NO_FLOW_LOGS)
        accept(self.vpc, "CKV2_AWS_11", _NO_FLOW_LOGS)
        accept(self.vpc, "CKV2_AWS_12", "nothing is in the VPC's default security group")

    @property
    def public_subnets(self) -> Sequence[ec2.ISubnet]:
        """The subnets with a way to and from the internet."""
        return cast("Sequence[ec2.ISubnet]", self.vpc.public_subnets)

    @property
    def isolated_subnets(self) -> Sequence[ec2.ISubnet]:
        """The subnets that reach nothing but each other and, through the endpoint, S3."""
        return cast("Sequence[ec2.ISubnet]", self.vpc.isolated_subnets)


_NO_FLOW_LOGS = (
    "flow logs cost by volume, and every way in and out is a rule of this stack that a test reads"
)
