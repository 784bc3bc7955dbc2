"""A synthesized template, read as a map of what may talk to what.

Only what a template itself says is known here: references between its resources are followed,
values that AWS fills in later are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Resource = Mapping[str, Any]


def target(value: object) -> str:
    """Return the logical id that a ``Ref`` or ``Fn::GetAtt`` points to; other values as text."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(kind, what)] = value.items()
        if kind == "Ref":
            return str(what)
        if kind == "Fn::GetAtt":
            return str(what[0] if isinstance(what, list) else what).split(".")[0]
    return str(value)


def targets(values: object) -> tuple[str, ...]:
    """Return the logical ids that a list of references points to."""
    return tuple(map(target, values)) if isinstance(values, list) else ()


@dataclass(frozen=True)
class Place:
    """Something that runs: where, with which security groups, and told what by its environment."""

    logical_id: str
    called: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    environment: frozenset[str]
    handler: str = ""
    public_address: bool = False

    @property
    def outside(self) -> bool:
        """Whether it runs outside any VPC, where the internet is and nothing private."""
        return not self.subnets


class Map:
    """What a template says of networks."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        """Read a template, as CloudFormation would."""
        self.resources: Mapping[str, Resource] = template.get("Resources", {})

    def of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the logical id and the properties of every resource of a type."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == kind:
                yield logical_id, resource.get("Properties", {})

    def places(self) -> Iterator[Place]:
        """Yield all that runs: functions, services, and tasks that rules start."""
        yield from self._functions()
        for logical_id, service in self.of_type("AWS::ECS::Service"):
            network = service.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
            yield self._task(logical_id, network, service.get("TaskDefinition"))
        for logical_id, rule in self.of_type("AWS::Events::Rule"):
            for started in rule.get("Targets", []):
                if ecs := started.get("EcsParameters"):
                    network = ecs.get("NetworkConfiguration", {}).get("AwsVpcConfiguration", {})
                    yield self._task(logical_id, network, ecs.get("TaskDefinitionArn"))

    def way_out(self, place: Place) -> bool:
        """Return whether a place reaches the internet, from whichever of its subnets."""
        return place.outside or all(
            self._leads_out(subnet, public_address=place.public_address) for subnet in place.subnets
        )

    def way_to_bucket(self, place: Place) -> bool:
        """Return whether a place reaches S3, through the internet or a gateway endpoint."""
        tables = self._tables_with_s3
        return self.way_out(place) or all(
            self._table_of.get(subnet) in tables for subnet in place.subnets
        )

    def way_to_database(self, place: Place) -> bool:
        """Return whether the rules of both security groups let a place reach a database."""
        return not place.outside and any(
            self._admits(database, port, group) and self._lets_out(group, database, port)
            for databases, port in self._databases()
            for database in databases
            for group in place.security_groups
        )

    def _functions(self) -> Iterator[Place]:
        for logical_id, function in self.of_type("AWS::Lambda::Function"):
            network = function.get("VpcConfig", {})
            yield Place(
                logical_id,
                str(function.get("FunctionName", logical_id)),
                targets(network.get("SubnetIds")),
                targets(network.get("SecurityGroupIds")),
                frozenset(function.get("Environment", {}).get("Variables", {})),
                str(function.get("Handler", "")),
            )

    def _task(self, logical_id: str, network: Mapping[str, Any], definition: object) -> Place:
        task = self.resources.get(target(definition), {}).get("Properties", {})
        told = [
            variable["Name"]
            for container in task.get("ContainerDefinitions", [])
            for variable in [*container.get("Environment", []), *container.get("Secrets", [])]
        ]
        return Place(
            logical_id,
            str(task.get("Family", logical_id)),
            targets(network.get("Subnets")),
            targets(network.get("SecurityGroups")),
            frozenset(told),
            public_address=network.get("AssignPublicIp") == "ENABLED",
        )

    @cached_property
    def _table_of(self) -> dict[str, str]:
        """The route table of each subnet."""
        return {
            target(pair["SubnetId"]): target(pair["RouteTableId"])
            for _, pair in self.of_type("AWS::EC2::SubnetRouteTableAssociation")
        }

    @cached_property
    def _tables_with_s3(self) -> set[str]:
        """The route tables that a gateway endpoint to S3 is in."""
        return {
            table
            for _, endpoint in self.of_type("AWS::EC2::VPCEndpoint")
            if endpoint.get("VpcEndpointType") == "Gateway"
            and ".s3" in str(endpoint["ServiceName"])
            for table in targets(endpoint.get("RouteTableIds"))
        }

    def _leads_out(self, subnet: str, *, public_address: bool) -> bool:
        """Return whether a subnet's default route ends at the internet for what is in it.

        An internet gateway serves only who has a public address; functions never get one.
        """
        table = self._table_of.get(subnet)
        for _, route in self.of_type("AWS::EC2::Route"):
            if target(route["RouteTableId"]) == table and "0.0.0.0/0" in route.values():
                if "NatGatewayId" in route:
                    return True
                return public_address and "GatewayId" in route
        return False

    def _databases(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for _, database in self.of_type("AWS::RDS::DBInstance"):
            yield targets(database.get("VPCSecurityGroups")), str(database.get("Port"))

    def _admits(self, database: str, port: str, group: str) -> bool:
        rules = self._rules("Ingress", database)
        return any(
            target(rule.get("SourceSecurityGroupId")) == group and _covers(rule, port)
            for rule in rules
        )

    def _lets_out(self, group: str, database: str, port: str) -> bool:
        return any(
            (rule.get("CidrIp") == "0.0.0.0/0")
            or (target(rule.get("DestinationSecurityGroupId")) == database)
            for rule in self._rules("Egress", group)
            if _covers(rule, port)
        )

    def _rules(self, direction: str, group: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rules of a security group, written in it or beside it."""
        properties = self.resources.get(group, {}).get("Properties", {})
        yield from properties.get(f"SecurityGroup{direction}", [])
        for _, rule in self.of_type(f"AWS::EC2::SecurityGroup{direction}"):
            if target(rule["GroupId"]) == group:
                yield rule


def _covers(rule: Mapping[str, Any], port: str) -> bool:
    """Return whether a rule of a security group is about a TCP port."""
    if str(rule.get("IpProtocol")) == "-1":
        return True
    if rule.get("IpProtocol") != "tcp" or not port.isdecimal():
        return False
    return int(rule.get("FromPort", 0)) <= int(port) <= int(rule.get("ToPort", 65535))
