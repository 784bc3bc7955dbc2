"""What every synthesis is looked at for: our own rule of paths, and AWS's own by cdk-nag."""

from __future__ import annotations

import json
from pathlib import Path

import jsii
from aws_cdk import (
    App,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
    Validations,
)
from cdk_nag import AwsSolutionsChecks

from coinlog_infra.paths import findings


@jsii.implements(IPolicyValidationPlugin)
class Paths:
    """Looks at the templates of a synthesis, and fails it with a sentence for each lack."""

    @property
    def name(self) -> str:
        """What a report calls these rules."""
        return "coinlog"

    @property
    def version(self) -> str:
        """Their version, for the report."""
        return "1.0.0"

    @property
    def rule_ids(self) -> list[str]:
        """The one rule there is."""
        return ["paths"]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Report what cannot work in any of the templates."""
        violations = [
            PolicyViolation(
                rule_name="paths",
                description=finding.sentence,
                severity="error",
                violating_resources=[
                    PolicyViolatingResource(
                        resource_logical_id=finding.logical_id,
                        template_path=path,
                        locations=[f"Resources/{finding.logical_id}"],
                    )
                ],
            )
            for path in context.template_paths
            for finding in findings(json.loads(Path(path).read_text(encoding="utf-8")))
        ]
        return PolicyValidationPluginReport(success=not violations, violations=violations)


def watch(app: App) -> App:
    """Let an app's synthesis fail where our rules or those of cdk-nag are not kept."""
    Validations.of(app).add_plugins(Paths(), AwsSolutionsChecks())
    return app
