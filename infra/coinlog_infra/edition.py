"""The edition, the cheap shape: the page as files in a bucket, served by CloudFront.

Nothing runs between the slots. When the loader has marked a slot as loaded, a task starts that
publishes what has changed, and ends.
"""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from coinlog.aws.buckets import LOADED
from coinlog.aws.prepare import PAGE
from coinlog.errors import UsageError
from coinlog_infra import edge
from coinlog_infra.accepted import accept, accept_wildcard
from coinlog_infra.archive import ArchiveBucket, private_bucket
from coinlog_infra.containers import Containers, Run, Task
from coinlog_infra.database import Database
from coinlog_infra.deadletters import DeadLetters
from coinlog_infra.domain import Domain
from coinlog_infra.functions import database_environment
from coinlog_infra.options import Options

CERTIFICATES = "us-east-1"
"""The one region whose certificates CloudFront takes."""

NOT_FOUND = "/404.html"
RETRIES = 3


class Edition(Construct):
    """The bucket, the distribution, and the task that renews the files."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        containers: Containers,
        database: Database,
        archive: ArchiveBucket,
        dead_letters: DeadLetters,
        options: Options,
        domain: Domain | None = None,
    ) -> None:
        """Make them.

        Raises:
            UsageError: a domain was given in a region whose certificates CloudFront does not take.
        """
        super().__init__(scope, construct_id)
        if domain and options.region != CERTIFICATES:
            raise UsageError(
                f"an edition with a domain runs in {CERTIFICATES}, where CloudFront's certificates "
                f"are, and REGION is {options.region}: expected REGION={CERTIFICATES}, or no DOMAIN"
            )
        self.containers, self.options, self.domain = containers, options, domain
        self.bucket = self._bucket()
        self.distribution = self._distribution()
        name = domain.name if domain else self.distribution.distribution_domain_name
        self.url = f"https://{name}/"
        self.security_group = containers.security_group(self, "The publishing", database)
        self.task = self._task(database)
        self.rule = self._start_when_loaded(archive, dead_letters)

    def _bucket(self) -> s3.Bucket:
        rule = s3.LifecycleRule(
            id="unfinished", abort_incomplete_multipart_upload_after=Duration.days(1)
        )
        # Everything in it is made from the database; but CloudFormation removes no full bucket.
        bucket = private_bucket(self, [rule], versioned=False, removal_policy=RemovalPolicy.DESTROY)
        unlogged = "only CloudFront and the publishing task reach it"
        accept(bucket, "AwsSolutions-S1", unlogged)
        accept(bucket, "CKV_AWS_18", unlogged)
        accept(bucket, "CKV_AWS_21", "every file is made anew from the database")
        return bucket

    def _distribution(self) -> cloudfront.Distribution:
        # With the right to list, what is not there is answered 404 and not 403.
        levels = [cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST]
        origin = origins.S3BucketOrigin.with_origin_access_control(
            self.bucket, origin_access_levels=levels
        )
        fresh = edge.cache_policy(self, "fresh", edge.FRESH)
        kept = edge.cache_policy(self, "kept", edge.YEAR)
        script = self._script()
        pages = self._behavior(origin, script, fresh, ("pages", edge.PAGES, False))
        data = self._behavior(origin, script, fresh, ("data", edge.DATA, False))
        static = self._behavior(origin, script, kept, ("static", edge.STATIC, True))
        distribution = cloudfront.Distribution(
            self,
            "distribution",
            comment=f"{self.options.name}: the edition",
            default_root_object="index.html",
            default_behavior=pages,
            additional_behaviors={
                **dict.fromkeys(edge.DATA_FILES, data),
                **dict.fromkeys(edge.STATIC_FILES, static),
            },
            error_responses=[
                cloudfront.ErrorResponse(
                    http_status=404,
                    response_http_status=404,
                    response_page_path=NOT_FOUND,
                    ttl=edge.FRESH,
                )
            ],
            enable_ipv6=edge.needs_ipv6(self.options),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            domain_names=[self.domain.name] if self.domain else None,
            certificate=self.domain.certificate if self.domain else None,
        )
        if self.domain:
            self.domain.lead_to(self, route53_targets.CloudFrontTarget(distribution))
        self._accept_findings(distribution)
        return distribution

    def _script(self) -> cloudfront.Function:
        return cloudfront.Function(
            self,
            "function",
            comment="Who may look, and which file is meant",
            code=cloudfront.FunctionCode.from_inline(edge.function_code(self.options)),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )

    def _behavior(
        self,
        origin: cloudfront.IOrigin,
        script: cloudfront.Function,
        cache: cloudfront.CachePolicy,
        headers: tuple[str, tuple[bytes, bytes], bool],
    ) -> cloudfront.BehaviorOptions:
        name, caching, override = headers
        return cloudfront.BehaviorOptions(
            origin=origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            compress=True,
            cache_policy=cache,
            response_headers_policy=edge.headers_policy(self, name, caching, override=override),
            function_associations=[
                cloudfront.FunctionAssociation(
                    function=script, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                )
            ],
        )

    def _task(self, database: Database) -> Task:
        command = ["coinlog", "publish", f"s3://{self.bucket.bucket_name}"]
        run = Run(
            command=[*command, "--yes", "--url", self.url.rstrip("/")],
            environment=database_environment(database, PAGE),
        )
        task = Task(self, "publish", self.containers, run)
        task.allow("rds-db:connect", on=database.user_arn(PAGE))
        task.allow("s3:ListBucket", on=self.bucket.bucket_arn)
        files = self.bucket.arn_for_objects("*")
        task.allow("s3:GetObject", "s3:PutObject", "s3:DeleteObject", on=files)
        accept_wildcard(task.role, files, "the edition is all that is in this bucket")
        return task

    def _start_when_loaded(self, archive: ArchiveBucket, dead_letters: DeadLetters) -> events.Rule:
        """Publish when the loader has marked a slot; whatever cannot start is a dead letter."""
        target = targets.EcsTask(
            cluster=self.containers.cluster,
            task_definition=self.task.definition,
            subnet_selection=self.containers.subnets,
            security_groups=[self.security_group],
            assign_public_ip=True,
            role=self._starter(),
            dead_letter_queue=dead_letters.queue,
            retry_attempts=RETRIES,
            max_event_age=Duration.hours(1),
        )
        pattern = events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={
                "bucket": {"name": [archive.bucket.bucket_name]},
                "object": {"key": [{"prefix": LOADED}]},
            },
        )
        return events.Rule(
            self,
            "loaded",
            description="Publishes the edition when a slot was loaded",
            event_pattern=pattern,
            targets=[target],
        )

    def _starter(self) -> iam.Role:
        """Make the role that starts exactly this task; CDK adds its rights to it."""
        principal = iam.ServicePrincipal("events.amazonaws.com")
        role = iam.Role(self, "starter", assumed_by=principal)
        stack, cluster = Stack.of(self), self.containers.cluster.cluster_name
        tasks = f"arn:{stack.partition}:ecs:{stack.region}:*:task/{cluster}/*"
        accept_wildcard(role, tasks, "tasks get their names when they start, and then their tags")
        return role

    def _accept_findings(self, distribution: cloudfront.Distribution) -> None:
        accept(distribution, "AwsSolutions-CFR1", "readers are admitted by address, not by country")
        wall = "files that only can be read need no firewall, which costs more than all the rest"
        accept(distribution, "AwsSolutions-CFR2", wall)
        accept(distribution, "CKV_AWS_68", wall)
        unlogged = "who reads which page is nobody's business; CloudFront's measures count them"
        accept(distribution, "AwsSolutions-CFR3", unlogged)
        accept(distribution, "CKV_AWS_86", unlogged)
        if not self.domain:
            own = "without a domain the certificate is CloudFront's own, and so are its versions"
            accept(distribution, "AwsSolutions-CFR4", own)
            accept(distribution, "CKV_AWS_174", own)
