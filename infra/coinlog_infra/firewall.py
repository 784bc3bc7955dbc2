"""A limit for each address before a public page: its tasks cannot count together, AWS WAF can."""

from __future__ import annotations

import msgspec
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from coinlog.web.admission import RATE, asked_too_often
from coinlog.web.answers import error_answer
from coinlog_infra.accepted import accept

WINDOW_SECONDS = 60
_STATUS = 429
_BODY = "too-many"

_HEADERS = (
    ("Retry-After", str(WINDOW_SECONDS)),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
"""AWS WAF takes every name but Content-Type, which is that of the body."""


class Firewall(Construct):
    """A web ACL with one rule: an address that asks too often gets the page's own answer, 429."""

    def __init__(
        self, scope: Construct, construct_id: str, balancer: elb.ApplicationLoadBalancer
    ) -> None:
        """Make the web ACL and put it before the balancer."""
        super().__init__(scope, construct_id)
        acl = waf.CfnWebACL(
            self,
            "web-acl",
            description="Who may look asks a page so often and no more",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            custom_response_bodies={_BODY: _answer()},
            rules=[_rule()],
            visibility_config=_measured("page"),
        )
        waf.CfnWebACLAssociation(
            self,
            "association",
            resource_arn=balancer.load_balancer_arn,
            web_acl_arn=acl.attr_arn,
        )
        accept(acl, "CKV_AWS_192", "there is no Java here for a message to be looked up by")
        accept(acl, "CKV2_AWS_31", "who reads which page is nobody's business; measures count them")


def _answer() -> waf.CfnWebACL.CustomResponseBodyProperty:
    told = error_answer(_STATUS, asked_too_often(RATE, WINDOW_SECONDS))
    return waf.CfnWebACL.CustomResponseBodyProperty(
        content_type="APPLICATION_JSON", content=msgspec.json.encode(told).decode()
    )


def _rule() -> waf.CfnWebACL.RuleProperty:
    headers = [
        waf.CfnWebACL.CustomHTTPHeaderProperty(name=name, value=value) for name, value in _HEADERS
    ]
    response = waf.CfnWebACL.CustomResponseProperty(
        response_code=_STATUS, custom_response_body_key=_BODY, response_headers=headers
    )
    limit = waf.CfnWebACL.RateBasedStatementProperty(
        limit=RATE, evaluation_window_sec=WINDOW_SECONDS, aggregate_key_type="IP"
    )
    return waf.CfnWebACL.RuleProperty(
        name="so-often",
        priority=0,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=limit),
        action=waf.CfnWebACL.RuleActionProperty(
            block=waf.CfnWebACL.BlockActionProperty(custom_response=response)
        ),
        visibility_config=_measured("so-often"),
    )


def _measured(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
