"""A name of one's own: a certificate that Route 53 vouches for, and the record that leads here."""

from __future__ import annotations

from aws_cdk import CfnParameter
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from coinlog_infra.options import Options

PARAMETER = "HostedZoneId"
"""The template's parameter: what the zone is called in the account, which its name does not say."""


class Domain(Construct):
    """The domain of the page, in a zone of Route 53 that is there already."""

    def __init__(self, scope: Construct, construct_id: str, name: str, options: Options) -> None:
        """Find the zone, and have the certificate made."""
        super().__init__(scope, construct_id)
        self.name = name
        zone_id = CfnParameter(
            self,
            "zone-id",
            type="AWS::Route53::HostedZone::Id",
            description=f"The hosted zone that {name} is in",
        )
        zone_id.override_logical_id(PARAMETER)
        self.zone = route53.HostedZone.from_hosted_zone_attributes(
            self,
            "zone",
            hosted_zone_id=zone_id.value_as_string,
            zone_name=options.hosted_zone or name,
        )
        self.certificate = acm.Certificate(
            self,
            "certificate",
            domain_name=name,
            validation=acm.CertificateValidation.from_dns(self.zone),
        )

    def lead_to(self, scope: Construct, target: route53.IAliasRecordTarget) -> None:
        """Let the name lead to a balancer or a distribution."""
        alias = route53.RecordTarget.from_alias(target)
        route53.ARecord(scope, "record", zone=self.zone, record_name=self.name, target=alias)


def domain_in(scope: Construct, options: Options) -> Domain | None:
    """Return the domain that was given, if one was."""
    return Domain(scope, "domain", options.domain, options) if options.domain else None
