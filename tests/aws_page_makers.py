"""The page's resources and what watches, made by their own API, as in ``aws_makers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

NAME = "made-of-the-template"


class HasClients(Protocol):
    """An account."""

    def client(self, service: str) -> Any:  # noqa: ANN401  botocore has no types
        """Return a client of a service."""


Properties = dict[str, Any]


def lowered(value: Any) -> Any:  # noqa: ANN401  any JSON
    """Return a value whose keys begin small, as ECS and CloudWatch Logs write them."""
    if isinstance(value, list):
        return [lowered(part) for part in value]
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: lowered(part) for key, part in value.items()}
    return value


def cluster(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a cluster."""
    given = {**lowered(properties), "settings": lowered(properties["ClusterSettings"])}
    del given["clusterSettings"]
    made = account.client("ecs").create_cluster(**given)["cluster"]
    return {"Ref": made["clusterName"], "Arn": made["clusterArn"]}


def task(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a task definition."""
    made = account.client("ecs").register_task_definition(**lowered(properties))
    return {"Ref": made["taskDefinition"]["taskDefinitionArn"]}


def service(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a service."""
    made = account.client("ecs").create_service(serviceName=NAME, **lowered(properties))["service"]
    return {"Ref": made["serviceArn"], "Name": made["serviceName"]}


def balancer(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a load balancer and give it its attributes."""
    elb, given = account.client("elbv2"), dict(properties)
    attributes = given.pop("LoadBalancerAttributes")
    [made] = elb.create_load_balancer(Name=NAME, **given)["LoadBalancers"]
    arn = made["LoadBalancerArn"]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
    return {
        "Ref": arn,
        "DNSName": made["DNSName"],
        "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
        "LoadBalancerFullName": arn.partition(":loadbalancer/")[2],
    }


def target_group(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a target group and give it its attributes."""
    elb, given = account.client("elbv2"), dict(properties)
    attributes = given.pop("TargetGroupAttributes")
    [made] = elb.create_target_group(Name=NAME, **given)["TargetGroups"]
    arn = made["TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
    return {"Ref": arn, "TargetGroupFullName": arn.rpartition(":")[2]}


def listener(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a listener of a load balancer."""
    [made] = account.client("elbv2").create_listener(**properties)["Listeners"]
    return {"Ref": made["ListenerArn"]}


def alarm(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make an alarm."""
    cloudwatch, name = account.client("cloudwatch"), properties["AlarmName"]
    cloudwatch.put_metric_alarm(**properties)
    [made] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return {"Ref": name, "Arn": made["AlarmArn"]}


def dashboard(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a dashboard."""
    account.client("cloudwatch").put_dashboard(**properties)
    return {"Ref": properties["DashboardName"]}


def metric_filter(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a measure of what a log says."""
    account.client("logs").put_metric_filter(**lowered(properties))
    return {"Ref": properties["FilterName"]}


def scalable_target(account: HasClients, properties: Properties) -> dict[str, str]:
    """Let the number of a service's tasks be changed, within limits."""
    given = {**properties, "Tags": {tag["Key"]: tag["Value"] for tag in properties["Tags"]}}
    account.client("application-autoscaling").register_scalable_target(**given)
    parts = ("ResourceId", "ScalableDimension", "ServiceNamespace")
    return {"Ref": "|".join(str(properties[part]) for part in parts)}


def scaling_policy(account: HasClients, properties: Properties) -> dict[str, str]:
    """Say by what the number of tasks is changed."""
    given = dict(properties)
    resource, dimension, namespace = given.pop("ScalingTargetId").split("|")
    made = account.client("application-autoscaling").put_scaling_policy(
        ResourceId=resource, ScalableDimension=dimension, ServiceNamespace=namespace, **given
    )
    return {"Ref": made["PolicyARN"]}
