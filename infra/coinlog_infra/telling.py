"""What the stack says of itself when it is deployed, by the names that the commands read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Fn

if TYPE_CHECKING:
    from coinlog_infra.stack import CoinlogStack


def tell(stack: CoinlogStack) -> None:
    """Give the stack its outputs; ``outputs.Deployed`` says what each is."""
    maintenance, database = stack.maintenance, stack.database
    shape = stack.page or stack.edition
    told = {
        "Url": shape.url if shape else "",
        "Bucket": stack.archive.bucket.bucket_name,
        "Cluster": stack.containers.cluster.cluster_name,
        "TaskSubnets": Fn.join(",", [one.subnet_id for one in stack.network.public_subnets]),
        "TaskSecurityGroups": maintenance.security_group.security_group_id,
        "OpsTask": maintenance.ops.definition.task_definition_arn,
        "PrepareTask": maintenance.prepare.definition.task_definition_arn,
        "TunnelTask": maintenance.tunnel.definition.task_definition_arn,
        "CaptureFunction": stack.functions.capture.function.function_name,
        "DatabaseHost": database.endpoint,
        "DatabasePort": str(database.port),
        "DatabaseName": database.name,
        "DatabaseInstance": database.instance.instance_identifier,
    }
    if stack.edition:
        told["EditionBucket"] = stack.edition.bucket.bucket_name
        told["PublishTask"] = stack.edition.task.definition.task_definition_arn
    if stack.page:
        told["Targets"] = stack.page.targets.target_group_arn
    for name, value in told.items():
        CfnOutput(stack, name, value=value)
