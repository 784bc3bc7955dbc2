"""The database: RDS in the isolated subnets, encrypted, over TLS alone, never on the internet."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from constructs import Construct

from coinlog_infra.accepted import accept
from coinlog_infra.log import passing_log
from coinlog_infra.network import Network
from coinlog_infra.options import Options

PORT = 3306
NAME = "coinlog"
MASTER = "coinlog_admin"
BACKUP_DAYS = 7
MOST_STORAGE = 10
"""How many times its first size the storage may grow to by itself."""

MOST_STORAGE_GB = 65_536
"""What RDS offers at most."""

LOGS = ("error", "slowquery")


def engine_of(options: Options) -> rds.IInstanceEngine:
    """Return the engine; RDS chooses the newest patch of the long-term version and keeps it so."""
    if options.engine == "mariadb":
        version = rds.MariaDbEngineVersion.of("11.4", "11.4")
        return rds.DatabaseInstanceEngine.maria_db(version=version)
    return rds.DatabaseInstanceEngine.mysql(version=rds.MysqlEngineVersion.of("8.4", "8.4"))


class Database(Construct):
    """The database instance, who may reach it, and what it is called."""

    def __init__(
        self, scope: Construct, construct_id: str, network: Network, options: Options
    ) -> None:
        """Make the instance with its parameters, its logs and its security group."""
        super().__init__(scope, construct_id)
        self.name, self.port = NAME, PORT
        self.security_group = ec2.SecurityGroup(
            self,
            "security-group",
            vpc=network.vpc,
            description="The database: reached only by what is admitted, reaches nothing itself",
            allow_all_outbound=False,
        )
        self.instance = self._instance(network, options)
        self._keep_logs_for_a_while(options)
        self._accept_findings()

    @property
    def endpoint(self) -> str:
        """The host name, which resolves inside the VPC alone."""
        return self.instance.db_instance_endpoint_address

    @property
    def secret_arn(self) -> str:
        """The secret with the master password, made, kept and rotated by RDS itself."""
        instance = self.instance.node.default_child
        assert isinstance(instance, rds.CfnDBInstance)  # noqa: S101  for the type checker
        return instance.attr_master_user_secret_secret_arn

    def admit(self, security_group: ec2.ISecurityGroup) -> None:
        """Let whatever is in a security group reach the database, in both of their rules."""
        port = ec2.Port.tcp(PORT)
        self.security_group.add_ingress_rule(security_group, port, "to the database")
        security_group.add_egress_rule(self.security_group, port, "to the database")

    def user_arn(self, user: str) -> str:
        """Return what a role must be allowed ``rds-db:connect`` to, to sign in as a user."""
        return Stack.of(self).format_arn(
            service="rds-db",
            resource="dbuser",
            resource_name=f"{self.instance.instance_resource_id}/{user}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _instance(self, network: Network, options: Options) -> rds.DatabaseInstance:
        engine = engine_of(options)
        return rds.DatabaseInstance(
            self,
            "instance",
            # A name of its own: CloudFormation then refuses whatever would replace the database.
            instance_identifier=options.name,
            engine=engine,
            instance_type=ec2.InstanceType(options.database_class.removeprefix("db.")),
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=network.isolated_subnets),
            security_groups=[self.security_group],
            publicly_accessible=False,
            port=PORT,
            database_name=NAME,
            credentials=rds.Credentials.from_username(MASTER),
            manage_master_user_password=True,
            iam_authentication=True,
            parameter_group=self._parameters(engine),
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            allocated_storage=options.database_storage_gb,
            max_allocated_storage=min(MOST_STORAGE_GB, MOST_STORAGE * options.database_storage_gb),
            backup_retention=Duration.days(BACKUP_DAYS),
            # Backups and upgrades keep away from the slots at 0, 6, 12 and 18 o'clock.
            preferred_backup_window="09:00-09:30",
            preferred_maintenance_window="tue:10:00-tue:10:30",
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            auto_minor_version_upgrade=True,
            cloudwatch_logs_exports=list(LOGS),
            deletion_protection=True,
            removal_policy=RemovalPolicy.SNAPSHOT,
        )

    def _parameters(self, engine: rds.IInstanceEngine) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            self,
            "parameters",
            engine=engine,
            description="coinlog: TLS only, slow statements logged, memory left for the sign-in",
            parameters={
                "require_secure_transport": "1",
                "slow_query_log": "1",
                "long_query_time": "2",
                "log_output": "FILE",
                # Signing in by IAM can take hundreds of MiB beside the engine. RDS would give three
                # quarters of the memory to this one cache; whole years of a logbook are read
                # through a quarter of it as well.
                "innodb_buffer_pool_size": "{DBInstanceClassMemory/4}",
                # Nobody reads its measures here, and they take over 100 MiB.
                "performance_schema": "0",
            },
        )

    def _keep_logs_for_a_while(self, options: Options) -> None:
        """Make the log groups before RDS does, which would keep them for ever."""
        for kind in LOGS:
            group = passing_log(self, f"/aws/rds/instance/{options.name}/{kind}", kind)
            self.instance.node.add_dependency(group)

    def _accept_findings(self) -> None:
        major = "RDS takes a major version, and keeps its newest patch by itself"
        accept(self.instance, "CloudFormation-Validate::E9006", major)
        accept(self.instance, "E3691", major)
        zone = "a second instance doubles the price; attempts in the bucket outlast an outage"
        accept(self.instance, "AwsSolutions-RDS3", zone)
        accept(self.instance, "CKV_AWS_157", zone)
        accept(self.instance, "AwsSolutions-RDS11", "only security groups that are admitted reach")
        monitoring = "CloudWatch's own measures suffice; finer ones cost"
        accept(self.instance, "CKV_AWS_118", monitoring)
        accept(self.instance, "CKV_AWS_353", "not offered for an instance as small as the default")
