"""The page: a Fargate service behind a balancer, in as many copies as its readers need."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from coinlog.aws.prepare import PAGE
from coinlog.errors import UsageError
from coinlog_infra.accepted import accept, resource_of
from coinlog_infra.containers import Containers, Run, Task
from coinlog_infra.database import Database
from coinlog_infra.domain import Domain
from coinlog_infra.firewall import Firewall
from coinlog_infra.functions import database_environment
from coinlog_infra.options import Options

PORT = 5000
ALIVE = "/live"
"""What is asked whether a task lives: never the database, whose absence is no reason to kill it."""

IDLE_SECONDS = 12
"""The page closes a connection that is idle for 15 s (``patience.IDLE_SECONDS``). The balancer must
be the first to, or it sends a request into a closing connection and answers 502."""

LEAVING_SECONDS = 15
"""How long a task that is about to end may finish answers; all of them take less."""

BUSY_PERCENT = 60
REQUESTS_PER_MINUTE = 12_000
"""Of one task: 200 a second are far below what it answers from its cache, and enough that a
processor's measure, which comes minutes late, need not be waited for."""


class Page(Construct):
    """The service, its balancer, and who may look."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        containers: Containers,
        database: Database,
        options: Options,
        domain: Domain | None = None,
    ) -> None:
        """Make the service and its balancer.

        Raises:
            UsageError: nobody is admitted that could come.
        """
        super().__init__(scope, construct_id)
        self.containers, self.options, self.domain = containers, options, domain
        self.security_group = containers.security_group(self, "The page", database)
        self.task = self._task(database)
        self.service = self._service()
        self.balancer = self._balancer()
        if options.public:
            Firewall(self, "firewall", self.balancer)
        self.targets = self._target_group()
        self._listen()
        self._scale()
        name = domain.name if domain else self.balancer.load_balancer_dns_name
        self.url = f"{'https' if domain else 'http'}://{name}/"

    def _task(self, database: Database) -> Task:
        environment = {
            **database_environment(database, PAGE),
            "COINLOG_HOST": "0.0.0.0",  # noqa: S104  the security group says who reaches it
            "COINLOG_PORT": str(PORT),
            # The balancer's nodes have addresses of the VPC, and nothing else there reaches us.
            "COINLOG_PROXIES": self.containers.network.vpc.vpc_cidr_block,
        }
        task = Task(self, "page", self.containers, Run(environment=environment))
        task.container.add_port_mappings(ecs.PortMapping(container_port=PORT))
        task.allow("rds-db:connect", on=database.user_arn(PAGE))
        return task

    def _service(self) -> ecs.FargateService:
        service = ecs.FargateService(
            self,
            "service",
            cluster=self.containers.cluster,
            task_definition=self.task.definition,
            assign_public_ip=True,
            vpc_subnets=self.containers.subnets,
            security_groups=[self.security_group],
            # A new version takes over only when it answers; if it never does, the old one stays.
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            min_healthy_percent=100,
            max_healthy_percent=200,
            health_check_grace_period=Duration.seconds(60),
        )
        # How many there are is the scaling's: a deployment must not take tasks away under load.
        resource_of(service).add_property_deletion_override("DesiredCount")
        return service

    def _balancer(self) -> elb.ApplicationLoadBalancer:
        group = ec2.SecurityGroup(
            self,
            "balancer-security-group",
            vpc=self.containers.network.vpc,
            description="The balancer: reached by who may look, reaches the page",
            allow_all_outbound=False,
        )
        self._admit(group)
        balancer = elb.ApplicationLoadBalancer(
            self,
            "balancer",
            vpc=self.containers.network.vpc,
            vpc_subnets=self.containers.subnets,
            internet_facing=True,
            security_group=group,
            idle_timeout=Duration.seconds(IDLE_SECONDS),
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
        )
        unlogged = "who reads which page is nobody's business; its measures count them"
        accept(balancer, "AwsSolutions-ELB2", unlogged)
        accept(balancer, "CKV_AWS_91", unlogged)
        return balancer

    def _admit(self, group: ec2.SecurityGroup) -> None:
        """Let in who may look: until it is public, the networks that were named and no others."""
        for peer in self._readers():
            for port in (80, 443) if self.domain else (80,):
                group.add_ingress_rule(peer, ec2.Port.tcp(port), "who may look")
        if self.options.public:
            everybody = "the deployer has said that everybody may look"
            accept(group, "AwsSolutions-EC23", everybody)
            accept(group, "CKV_AWS_260", everybody)

    def _readers(self) -> list[ec2.IPeer]:
        if self.options.public:
            return [ec2.Peer.any_ipv4()]
        networks = [ip_network(one) for one in self.options.admitted]
        reachable = [str(one) for one in networks if isinstance(one, IPv4Network)]
        if networks and not reachable:
            raise UsageError(
                f"ADMIT is {', '.join(self.options.admitted)}: the balancer has IPv4 addresses "
                "only, so expected an IPv4 network too, for example 203.0.113.7/32"
            )
        return [ec2.Peer.ipv4(one) for one in reachable]

    def _target_group(self) -> elb.ApplicationTargetGroup:
        return elb.ApplicationTargetGroup(
            self,
            "targets",
            vpc=self.containers.network.vpc,
            port=PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            deregistration_delay=Duration.seconds(LEAVING_SECONDS),
            health_check=elb.HealthCheck(
                path=ALIVE,
                healthy_http_codes="200",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )

    def _listen(self) -> None:
        """Open the ports: with a domain 443, to which 80 leads; otherwise 80 alone.

        Port 80 is one listener either way, so that a domain can come and go.
        """
        to_page = elb.ListenerAction.forward([self.targets])
        if self.domain:
            self._listener(443, to_page, self.domain.certificate)
            self.domain.lead_to(self, targets.LoadBalancerTarget(self.balancer))
            to_443 = elb.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True)
            self._listener(80, to_443)
            return
        listener = self._listener(80, to_page)
        plain = "there is no certificate without a domain; with one, 80 only redirects"
        accept(listener, "CKV_AWS_2", plain)
        accept(listener, "CKV_AWS_103", plain)

    def _listener(
        self,
        port: int,
        action: elb.ListenerAction,
        certificate: acm.ICertificate | None = None,
    ) -> elb.ApplicationListener:
        protocol = elb.ApplicationProtocol
        return self.balancer.add_listener(
            f"on-{port}",
            port=port,
            protocol=protocol.HTTPS if certificate else protocol.HTTP,
            certificates=[certificate] if certificate else None,
            ssl_policy=elb.SslPolicy.TLS13_RES if certificate else None,
            default_action=action,
            open=False,
        )

    def _scale(self) -> None:
        scaling = self.service.auto_scale_task_count(
            min_capacity=self.options.min_tasks, max_capacity=self.options.max_tasks
        )
        scaling.scale_on_cpu_utilization("processor", target_utilization_percent=BUSY_PERCENT)
        scaling.scale_on_request_count(
            "requests", requests_per_target=REQUESTS_PER_MINUTE, target_group=self.targets
        )
