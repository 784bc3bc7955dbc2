"""Resources that moto's CloudFormation does not know, or knows by half, made by their own API.

A maker takes the resource's properties, resolved, and returns what a reference to it stands for
(``Ref``) and its attributes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import aws_page_makers as page
from aws_page_makers import NAME, HasClients, Properties

Maker = Callable[[HasClients, Properties], dict[str, str]]


def database(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a database instance: as CloudFormation's, but for the names of two properties."""
    given = {**properties, "VpcSecurityGroupIds": properties["VPCSecurityGroups"]}
    # The second is asked for when an instance is deleted.
    del given["VPCSecurityGroups"], given["DeleteAutomatedBackups"]
    for name in ("AllocatedStorage", "Port"):
        given[name] = int(given[name])
    made = account.client("rds").create_db_instance(**given)["DBInstance"]
    return {
        "Ref": made["DBInstanceIdentifier"],
        "Endpoint.Address": made["Endpoint"]["Address"],
        "Endpoint.Port": str(made["Endpoint"]["Port"]),
        "DbiResourceId": made["DbiResourceId"],
        "MasterUserSecret.SecretArn": made["MasterUserSecret"]["SecretArn"],
    }


def parameters(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a group of a database's parameters; CloudFormation's has no name to refer to."""
    rds, name = account.client("rds"), NAME
    rds.create_db_parameter_group(
        DBParameterGroupName=name,
        DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
    )
    changes = [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for key, value in properties["Parameters"].items()
    ]
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=changes)
    return {"Ref": name}


def subnet_group(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a group of a database's subnets; CloudFormation's has no name to refer to."""
    name = NAME
    account.client("rds").create_db_subnet_group(DBSubnetGroupName=name, **properties)
    return {"Ref": name}


def bucket(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a bucket; CloudFormation's of the stand-in would leave out all but its encryption."""
    s3, name = account.client("s3"), properties.get("BucketName", NAME)
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    s3.put_bucket_versioning(
        Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"]
    )
    block = properties["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    rules = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    sides = [
        {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
        for rule in rules
    ]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": sides})
    controls = {"Rules": properties["OwnershipControls"]["Rules"]}
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [*map(_rule, properties["LifecycleConfiguration"]["Rules"])]
        },
    )
    if properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration"):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return {"Ref": name, "Arn": f"arn:aws:s3:::{name}"}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of a bucket's life cycle as the API names its parts."""
    made: dict[str, Any] = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = rule[name]
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = rule["ExpirationInDays"]
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
    return {**made, "Expiration": expiration} if expiration else made


def bucket_policy(account: HasClients, properties: Properties) -> dict[str, str]:
    """Give a bucket its policy."""
    policy = json.dumps(properties["PolicyDocument"])
    account.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
    return {}


def queue_policy(account: HasClients, properties: Properties) -> dict[str, str]:
    """Give queues their policy."""
    policy = {"Policy": json.dumps(properties["PolicyDocument"])}
    for url in properties["Queues"]:
        account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
    return {}


def topic_policy(account: HasClients, properties: Properties) -> dict[str, str]:
    """Give topics their policy."""
    policy = json.dumps(properties["PolicyDocument"])
    for topic in properties["Topics"]:
        account.client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=policy
        )
    return {}


def subscription(account: HasClients, properties: Properties) -> dict[str, str]:
    """Subscribe an address to a topic."""
    made = account.client("sns").subscribe(**properties)
    return {"Ref": made["SubscriptionArn"]}


def association(account: HasClients, properties: Properties) -> dict[str, str]:
    """Give a subnet its route table; CloudFormation's of the stand-in forgets the subnet."""
    made = account.client("ec2").associate_route_table(**properties)
    return {"Ref": made["AssociationId"]}


def security_group(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a security group; CloudFormation's of the stand-in lets everything out of it."""
    ec2 = account.client("ec2")
    description = properties["GroupDescription"]
    number = ec2.create_security_group(
        GroupName=f"group-{len(ec2.describe_security_groups()['SecurityGroups'])}",
        Description=description,
        VpcId=properties["VpcId"],
    )["GroupId"]
    anything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=number, IpPermissions=[anything])
    for side, authorize in (
        ("Ingress", ec2.authorize_security_group_ingress),
        ("Egress", ec2.authorize_security_group_egress),
    ):
        for rule in properties.get(f"SecurityGroup{side}", []):
            authorize(GroupId=number, IpPermissions=[_open_permission(rule)])
    return {"Ref": number, "GroupId": number, "VpcId": properties["VpcId"]}


def _open_permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    if "CidrIpv6" in rule:
        return {**made, "Ipv6Ranges": [{"CidrIpv6": rule["CidrIpv6"]}]}
    return {**made, "IpRanges": [{"CidrIp": rule["CidrIp"]}]}


def ingress(account: HasClients, properties: Properties) -> dict[str, str]:
    """Add a rule to a security group, for what comes in from another."""
    account.client("ec2").authorize_security_group_ingress(
        GroupId=properties["GroupId"], IpPermissions=[_permission(properties, "Source")]
    )
    return {}


def egress(account: HasClients, properties: Properties) -> dict[str, str]:
    """Add a rule to a security group, for what goes out to another."""
    account.client("ec2").authorize_security_group_egress(
        GroupId=properties["GroupId"], IpPermissions=[_permission(properties, "Destination")]
    )
    return {}


def _permission(properties: Properties, side: str) -> dict[str, Any]:
    other = {
        "GroupId": properties[f"{side}SecurityGroupId"],
        "Description": properties["Description"],
    }
    ports = {name: properties[name] for name in ("IpProtocol", "FromPort", "ToPort")}
    return {**ports, "UserIdGroupPairs": [other]}


def permission(account: HasClients, properties: Properties) -> dict[str, str]:
    """Let a service call a function."""
    number = f"statement-{len(properties['SourceArn'])}-{properties['Principal'].partition('.')[0]}"
    account.client("lambda").add_permission(**properties, StatementId=number)
    return {}


def function(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a function; CloudFormation's of the stand-in would leave out where it logs."""
    tags = {tag["Key"]: tag["Value"] for tag in properties.pop("Tags", [])}
    made = account.client("lambda").create_function(**properties, Tags=tags)
    return {"Ref": made["FunctionName"], "Arn": made["FunctionArn"]}


def layer(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a layer; CloudFormation's of the stand-in would leave out its architectures."""
    made = account.client("lambda").publish_layer_version(**properties)
    return {"Ref": made["LayerVersionArn"]}


def invoke_config(account: HasClients, properties: Properties) -> dict[str, str]:
    """Say how often a function is tried again and where failed events go."""
    account.client("lambda").put_function_event_invoke_config(**properties)
    return {}


def schedule(account: HasClients, properties: Properties) -> dict[str, str]:
    """Make a schedule."""
    made = account.client("scheduler").create_schedule(**properties)
    return {"Ref": properties["Name"], "Arn": made["ScheduleArn"]}


MAKERS: dict[str, Maker] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": page.scalable_target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": page.scaling_policy,
    "AWS::CloudWatch::Alarm": page.alarm,
    "AWS::CloudWatch::Dashboard": page.dashboard,
    "AWS::EC2::SecurityGroup": security_group,
    "AWS::EC2::SecurityGroupEgress": egress,
    "AWS::EC2::SecurityGroupIngress": ingress,
    "AWS::EC2::SubnetRouteTableAssociation": association,
    "AWS::ECS::Cluster": page.cluster,
    "AWS::ECS::Service": page.service,
    "AWS::ECS::TaskDefinition": page.task,
    "AWS::ElasticLoadBalancingV2::Listener": page.listener,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": page.balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": page.target_group,
    "AWS::Lambda::EventInvokeConfig": invoke_config,
    "AWS::Lambda::Function": function,
    "AWS::Lambda::LayerVersion": layer,
    "AWS::Lambda::Permission": permission,
    "AWS::Logs::MetricFilter": page.metric_filter,
    "AWS::RDS::DBInstance": database,
    "AWS::RDS::DBParameterGroup": parameters,
    "AWS::RDS::DBSubnetGroup": subnet_group,
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::SNS::Subscription": subscription,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::SQS::QueuePolicy": queue_policy,
    "AWS::Scheduler::Schedule": schedule,
}
