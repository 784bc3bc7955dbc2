"""Findings of the checks that we accept, each with its reason beside the part it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import Acknowledgment, CfnElement, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

_CHECKOV = re.compile(r"CKV2?_AWS_[0-9]+")
_CFN_LINT = re.compile(r"[EWI][0-9]{4}")


def accept(part: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding of cdk-nag, checkov or cfn-lint about a part of the stack."""
    if _CHECKOV.fullmatch(finding):
        # These two read what is accepted from the template itself.
        resource = resource_of(part)
        known = cast("dict[str, Any]", resource.get_metadata("checkov") or {"skip": []})
        skipped = [*known["skip"], {"id": finding, "comment": reason}]
        resource.add_metadata("checkov", {"skip": skipped})
    elif _CFN_LINT.fullmatch(finding):
        resource_of(part).add_metadata("cfn-lint", {"config": {"ignore_checks": [finding]}})
    else:
        Validations.of(part).acknowledge(Acknowledgment(id=finding, reason=reason))


def accept_wildcard(role: iam.Role, resource: str, reason: str) -> None:
    """Accept that a role's rights are on a group of resources, named as cdk-nag finds them."""
    found = _as_found(Stack.of(role).resolve(resource))
    accept(role, f"AwsSolutions-IAM5[Resource::{found}]", reason)


def _as_found(value: object) -> str:
    """Return a resolved value as cdk-nag writes it: references in angle brackets."""
    if not isinstance(value, Mapping):
        return str(value)
    [(kind, what)] = value.items()
    if kind == "Fn::Join":
        return "".join(map(_as_found, what[1]))
    return f"<{what if kind == 'Ref' else '.'.join(what)}>"


def resource_of(part: IConstruct) -> CfnResource:
    """Return the CloudFormation resource that a part stands for."""
    if isinstance(part, CfnElement):
        return cast("CfnResource", part)
    return cast("CfnResource", part.node.default_child)
