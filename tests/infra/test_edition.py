"""The edition on AWS: files behind CloudFront, its function really run, and what renews them."""

from __future__ import annotations

import json
import random
import re
import subprocess
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from aws_templates import (
    ADMITTED,
    Template,
    container_of,
    environment_of,
    rights_of,
    task_called,
    template_of,
    text_of,
)
from coinlog.web.security import SECURITY_HEADERS, STRICT
from coinlog_infra.template import Map, target, targets
from editions import files_of, publish_at
from sites import site_on, slots_before

NODE = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "node"
INSIDE, OUTSIDE = "192.0.2.7", "192.0.2.8"

LINK = re.compile(r'(?:href|src)="(/[^"]*)"')

RUNNER = """
const events = JSON.parse(require("fs").readFileSync(0, "utf8"));
const handler = new Function(events.code + "; return handler;")();
console.log(JSON.stringify(events.events.map((event) => handler(event))));
"""


@pytest.fixture(scope="module")
def edition(shapes: Path) -> Template:
    return template_of(shapes, "edition")


@pytest.fixture(scope="module")
def public(shapes: Path) -> Template:
    return template_of(shapes, "edition-domain")


def code_of(found: Map) -> str:
    [(_, function)] = found.of_type("AWS::CloudFront::Function")
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    return str(function["FunctionCode"])


def ask(found: Map, *asked: tuple[str, str]) -> list[dict[str, Any]]:
    """Return what the deployed function makes of requests: pairs of an address and a path."""
    return run_function(code_of(found), *asked)


def run_function(code: str, *asked: tuple[str, str]) -> list[dict[str, Any]]:
    events = [
        {
            "version": "1.0",
            "context": {"eventType": "viewer-request"},
            "viewer": {"ip": address},
            "request": {
                "method": "GET",
                "uri": uri,
                "querystring": {},
                "headers": {"host": {"value": "d111111abcdef8.cloudfront.net"}},
                "cookies": {},
            },
        }
        for address, uri in asked
    ]
    done = subprocess.run(
        [str(NODE), "--eval", RUNNER],
        input=json.dumps({"code": code, "events": events}),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def distribution_of(found: Map) -> dict[str, Any]:
    [(_, distribution)] = found.of_type("AWS::CloudFront::Distribution")
    return dict(distribution["DistributionConfig"])


def behaviors(found: Map) -> dict[str, dict[str, Any]]:
    """Return the behaviors by their path; the usual one under ``*``."""
    config = distribution_of(found)
    return {
        "*": config["DefaultCacheBehavior"],
        **{one["PathPattern"]: one for one in config["CacheBehaviors"]},
    }


def test_an_address_means_the_file_that_was_published_for_it(edition: Template) -> None:
    files = {
        "/": "/index.html",
        "/es/": "/es/index.html",
        "/es": "/es/index.html",
        "/assets/1": "/assets/1/index.html",
        "/assets/1/": "/assets/1/index.html",
        "/log/20260126T000000Z": "/log/20260126T000000Z/index.html",
        "/overview/figures-7d.html": "/overview/figures-7d.html",
        "/data/assets/1/2026-01.days.json": "/data/assets/1/2026-01.days.json",
        "/static/main-ABC123.js": "/static/main-ABC123.js",
        "/404.html": "/404.html",
        "/robots.txt": "/robots.txt",
    }

    answers = ask(edition, *((INSIDE, uri) for uri in files))

    assert dict(zip(files, (one["uri"] for one in answers), strict=True)) == files
    # All else about a request stays as it came.
    assert {(one["method"], len(one["headers"])) for one in answers} == {("GET", 1)}


def test_every_address_in_a_published_page_leads_to_a_published_file(
    edition: Template, tmp_path: Path
) -> None:
    folder = tmp_path / "edition"
    with site_on(sa.URL.create("sqlite", database=str(tmp_path / "coinlog.db"))) as site:
        site.store(*slots_before(4), ids=(1, 1027))
        publish_at(site.engine.url, folder, site.now)
    pages = b"".join(body for name, body in files_of(folder).items() if name.endswith(".html"))
    addresses = sorted({urlsplit(one).path for one in LINK.findall(pages.decode())})

    answers = ask(edition, *((INSIDE, one) for one in addresses))

    assert len(addresses) > 20
    assert [one["uri"] for one in answers if not (folder / one["uri"][1:]).is_file()] == []


def test_what_the_publishing_notes_for_itself_is_not_there(edition: Template) -> None:
    hidden = (
        "/.coinlog/edition.json",
        "/.coinlog/",
        "/.well-known/x",
        "/_headers",
        "/%2ecoinlog/x",
    )

    answers = ask(edition, *((INSIDE, uri) for uri in hidden))

    assert {one["uri"] for one in answers} == {"/.nowhere"}


@pytest.mark.parametrize("uri", ["/", "/data/latest.json", "/static/main.js", "/nowhere"])
def test_who_was_not_admitted_gets_one_sentence_whatever_is_asked(
    edition: Template, uri: str
) -> None:
    refused, looked = ask(edition, (OUTSIDE, uri), (INSIDE, uri))

    assert refused["statusCode"] == 403
    assert refused["body"]["data"] == "This coinlog is not public.\n"
    assert refused["headers"]["cache-control"] == {"value": "no-store"}
    assert refused["headers"]["content-type"] == {"value": "text/plain; charset=utf-8"}
    assert "statusCode" not in looked


def test_while_nobody_is_named_nobody_may_look(edition: Template) -> None:
    closed = re.sub(r"var admitted = .*;", "var admitted = [];", code_of(edition))

    assert [one["statusCode"] for one in run_function(closed, (INSIDE, "/"), ("::1", "/"))] == [
        403,
        403,
    ]


def near(network: str) -> list[IPv4Address | IPv6Address]:
    """Return addresses at the edges of a network, within and without, and some by chance."""
    found = ip_network(network)
    first, last = int(found[0]), int(found[-1])
    kind = type(found[0])
    most = 2**found.max_prefixlen
    chance = random.Random(network)  # noqa: S311  chance, not secrecy
    numbers = [first, last, first - 1, last + 1, *(chance.randrange(most) for _ in range(20))]
    numbers += [chance.randrange(first, last + 1) for _ in range(20)]
    return [kind(number % most) for number in numbers]


def test_networks_are_told_apart_as_python_tells_them(edition: Template) -> None:
    networks = [ip_network(one) for one in ADMITTED]
    addresses = [address for network in ADMITTED for address in near(network)]

    answers = ask(edition, *((str(one), "/") for one in addresses))

    assert ["statusCode" not in one for one in answers] == [
        any(address in network for network in networks) for address in addresses
    ]
    assert 40 < sum("statusCode" in one for one in answers) < len(answers) - 40


@pytest.mark.parametrize(
    ("written", "admitted"),
    [
        ("2001:db8:7::", True),
        ("2001:db8:7::1", True),
        ("2001:0DB8:0007:0:0:0:0:1", True),
        ("2001:db8:7:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db8:7::192.0.2.1", True),
        ("2001:db8:8::", False),
        ("::", False),
        ("::1", False),
        ("::ffff:192.0.2.7", False),
        ("1::", False),
        ("192.0.2.70", False),
        ("192.0.20.7", False),
    ],
)
def test_an_address_is_read_however_it_is_written(
    edition: Template,
    written: str,
    admitted: bool,  # noqa: FBT001  a table's column
) -> None:
    [answer] = ask(edition, (written, "/"))

    assert ip_address(written)
    assert ("statusCode" not in answer) is admitted


def test_everybody_may_look_once_the_deployer_has_said_so(public: Template) -> None:
    answers = ask(public, (OUTSIDE, "/assets/1"), ("2001:db8:8::", "/"))

    assert [one["uri"] for one in answers] == ["/assets/1/index.html", "/index.html"]


def test_the_function_fits_and_speaks_what_cloudfront_speaks(edition: Template) -> None:
    code = code_of(edition)

    assert len(code.encode()) <= 10_240
    # Its JavaScript has no modules, timers, network or file system.
    assert not re.search(r"\b(import|require|fetch|setTimeout|process|eval)\b", code)


def test_only_the_distribution_reads_the_bucket_and_only_over_tls(edition: Template) -> None:
    bucket = target(edition.outputs["EditionBucket"]["Value"])
    properties = edition.resources[bucket]["Properties"]
    [(distribution, _)] = edition.of_type("AWS::CloudFront::Distribution")
    [policy] = [
        one["PolicyDocument"]["Statement"]
        for _, one in edition.of_type("AWS::S3::BucketPolicy")
        if target(one["Bucket"]) == bucket
    ]
    allowed = [one for one in policy if one["Effect"] == "Allow"]
    denied = [one for one in policy if one["Effect"] == "Deny"]

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]
    assert sorted(action for one in allowed for action in as_list(one["Action"])) == [
        "s3:GetObject",
        "s3:ListBucket",
    ]
    for one in allowed:
        assert one["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        [arn] = one["Condition"]["StringEquals"].values()
        assert distribution in text_of(arn)
    assert {json.dumps(one["Condition"], sort_keys=True) for one in denied} == {
        '{"Bool": {"aws:SecureTransport": "false"}}',
        '{"NumericLessThan": {"s3:TlsVersion": 1.2}}',
    }
    [origin] = distribution_of(edition)["Origins"]
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    [(_, control)] = edition.of_type("AWS::CloudFront::OriginAccessControl")
    assert control["OriginAccessControlConfig"]["SigningBehavior"] == "always"


def as_list(value: Any) -> list[Any]:  # noqa: ANN401  whatever a policy holds
    return value if isinstance(value, list) else [value]


def headers_of(found: Map, behavior: dict[str, Any]) -> dict[str, str]:
    """Return the headers that a behavior's answers carry, however CloudFront calls them."""
    policy = found.resources[target(behavior["ResponseHeadersPolicyId"])]["Properties"]
    config = policy["ResponseHeadersPolicyConfig"]
    own = config["SecurityHeadersConfig"]
    assert all(one["Override"] for one in own.values())
    custom = {one["Header"]: one["Value"] for one in config["CustomHeadersConfig"]["Items"]}
    return {
        **custom,
        "content-security-policy": own["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "x-content-type-options": "nosniff" if "ContentTypeOptions" in own else "",
        "referrer-policy": own["ReferrerPolicy"]["ReferrerPolicy"],
        "strict-transport-security": "max-age={AccessControlMaxAgeSec}".format(
            **own["StrictTransportSecurity"]
        ),
    }


def test_answers_carry_the_live_pages_headers_and_how_long_they_are_kept(
    edition: Template,
) -> None:
    security = {name.decode(): value.decode() for name, value in (*SECURITY_HEADERS, STRICT)}
    kept = {
        path: {
            name: value
            for name, value in headers_of(edition, behavior).items()
            if name not in security
        }
        for path, behavior in behaviors(edition).items()
    }

    for behavior in behaviors(edition).values():
        assert headers_of(edition, behavior).items() >= security.items()
    assert kept == {
        "*": {"cache-control": "no-cache"},
        "/data/*": {"cache-control": "max-age=30"},
        "/static/*": {"cache-control": "public, max-age=31536000, immutable"},
    }


def test_the_edge_keeps_scripts_for_a_year_and_all_else_for_half_a_minute(
    edition: Template,
) -> None:
    kept = {}
    for path, behavior in behaviors(edition).items():
        policy = edition.resources[target(behavior["CachePolicyId"])]["Properties"]
        config = policy["CachePolicyConfig"]
        kept[path] = (config["MinTTL"], config["DefaultTTL"])
        given = config["ParametersInCacheKeyAndForwardedToOrigin"]
        assert given["EnableAcceptEncodingGzip"] is given["EnableAcceptEncodingBrotli"] is True
        assert given["CookiesConfig"] == {"CookieBehavior": "none"}
        assert given["QueryStringsConfig"] == {"QueryStringBehavior": "none"}

    assert kept == {"*": (0, 30), "/data/*": (0, 30), "/static/*": (0, 31_536_000)}


def test_every_way_in_is_read_only_packed_by_https_and_through_the_function(
    edition: Template,
) -> None:
    [(function, _)] = edition.of_type("AWS::CloudFront::Function")

    for behavior in behaviors(edition).values():
        assert behavior["AllowedMethods"] == ["GET", "HEAD"]
        assert behavior["Compress"] is True
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
        [association] = behavior["FunctionAssociations"]
        assert association["EventType"] == "viewer-request"
        assert target(association["FunctionARN"]) == function


def test_what_is_not_there_is_404_with_its_page(edition: Template) -> None:
    config = distribution_of(edition)

    assert config["CustomErrorResponses"] == [
        {
            "ErrorCode": 404,
            "ResponseCode": 404,
            "ResponsePagePath": "/404.html",
            "ErrorCachingMinTTL": 30,
        }
    ]
    assert config["DefaultRootObject"] == "index.html"


def test_the_edition_has_no_balancer_no_service_and_nothing_that_always_runs(
    edition: Template,
) -> None:
    kinds = {one["Type"] for one in edition.resources.values()}

    assert (
        not {
            "AWS::ECS::Service",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "AWS::ApplicationAutoScaling::ScalableTarget",
            "AWS::EC2::NatGateway",
            "AWS::EC2::EIP",
        }
        & kinds
    )
    assert text_of(edition.outputs["Url"]["Value"]).startswith("https://${")


def test_a_loaded_slot_starts_exactly_the_publishing_and_nothing_else(edition: Template) -> None:
    [(rule_id, rule)] = [
        (one, properties)
        for one, properties in edition.of_type("AWS::Events::Rule")
        if "EcsParameters" in properties["Targets"][0]
    ]
    [started] = rule["Targets"]
    archive = target(edition.outputs["Bucket"]["Value"])
    publish = task_id(edition, "publish")
    rights = rights_of(edition, started["RoleArn"])

    assert rule["EventPattern"]["detail-type"] == ["Object Created"]
    detail = rule["EventPattern"]["detail"]
    assert [target(one) for one in detail["bucket"]["name"]] == [archive]
    assert detail["object"] == {"key": [{"prefix": "loaded/"}]}
    assert told_of_objects(edition, archive)
    assert target(started["EcsParameters"]["TaskDefinitionArn"]) == publish
    assert started["EcsParameters"]["LaunchType"] == "FARGATE"
    assert {(action, resource) for action, resource in rights if action == "ecs:RunTask"} == {
        ("ecs:RunTask", f"${{{publish}}}")
    }
    passed = {resource for action, resource in rights if action == "iam:PassRole"}
    task = task_called(edition, "publish")
    assert passed == {
        f"${{{target(task[role])}.Arn}}" for role in ("TaskRoleArn", "ExecutionRoleArn")
    }
    assert {action for action, _ in rights} == {"ecs:RunTask", "ecs:TagResource", "iam:PassRole"}
    assert "DeadLetterConfig" in started
    place = next(one for one in edition.places() if one.logical_id == rule_id)
    assert edition.way_out(place)
    assert edition.way_to_database(place)


def task_id(found: Map, name: str) -> str:
    [logical_id] = [
        one
        for one, task in found.of_type("AWS::ECS::TaskDefinition")
        if task["Family"] == f"coinlog-{name}"
    ]
    return logical_id


def told_of_objects(found: Map, bucket: str) -> bool:
    """Return whether a bucket tells EventBridge of its objects."""
    notes = found.resources[bucket]["Properties"]["NotificationConfiguration"]
    return bool(notes["EventBridgeConfiguration"]["EventBridgeEnabled"])


def test_publishing_reads_the_database_and_writes_the_editions_bucket_alone(
    edition: Template,
) -> None:
    task = task_called(edition, "publish")
    container = container_of(task)
    bucket = target(edition.outputs["EditionBucket"]["Value"])
    rights = rights_of(edition, task["TaskRoleArn"])
    [(distribution, _)] = edition.of_type("AWS::CloudFront::Distribution")

    assert [text_of(one) for one in (*container["EntryPoint"], *container["Command"])] == [
        *("env", "coinlog", "publish", f"s3://${{{bucket}}}", "--yes"),
        *("--url", f"https://${{{distribution}.DomainName}}"),
    ]
    assert container["ReadonlyRootFilesystem"] is True
    assert environment_of(task)["DB_USER"] == "coinlog_page"
    assert {(action, resource) for action, resource in rights if action[:2] == "s3"} == {
        ("s3:ListBucket", f"${{{bucket}.Arn}}"),
        *((f"s3:{do}Object", f"${{{bucket}.Arn}}/*") for do in ("Get", "Put", "Delete")),
    }
    [user] = [one for action, one in rights if action == "rds-db:connect"]
    assert user.endswith("/coinlog_page")


def test_readers_come_by_ipv6_where_they_are_admitted_by_it(
    edition: Template, public: Template
) -> None:
    assert distribution_of(edition)["IPV6Enabled"] is True
    assert distribution_of(public)["IPV6Enabled"] is True


def test_a_domain_has_its_certificate_its_record_and_modern_tls(public: Template) -> None:
    config = distribution_of(public)
    [(certificate, _)] = public.of_type("AWS::CertificateManager::Certificate")
    [(_, record)] = public.of_type("AWS::Route53::RecordSet")
    viewer = config["ViewerCertificate"]

    assert config["Aliases"] == ["coins.example.org"]
    assert targets([viewer["AcmCertificateArn"]]) == (certificate,)
    assert viewer["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert viewer["SslSupportMethod"] == "sni-only"
    assert record["Name"] == "coins.example.org."
    assert public.outputs["Url"]["Value"] == "https://coins.example.org/"


def test_what_cannot_work_is_refused_with_a_sentence(refused: dict[str, list[str]]) -> None:
    assert "ADMIT has 100 networks" in refused["edition_crowd"][0]
    assert "REGION is eu-west-1: expected REGION=us-east-1" in refused["edition_elsewhere"][0]
