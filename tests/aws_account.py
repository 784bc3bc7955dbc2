"""An AWS account on this machine: moto's server, in which a synthesized template is created.

Its CloudFormation creates what it knows, and passes over what it does not: those resources are
created here through their services' own API, with the same properties. So are a few that its
CloudFormation would create with half of their properties.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session

from aws_makers import MAKERS
from servers import free_port, wait_for_port

START_SECONDS = 60
NUMBER, REGION = "123456789012", "eu-west-1"
PSEUDO = {
    "AWS::AccountId": NUMBER,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_DEFAULT_REGION": REGION,
}

Template = Mapping[str, Any]


class Account:
    """An empty account, and what came to be in it."""

    def __init__(self) -> None:
        self.port = free_port()
        command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **CREDENTIALS},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process, START_SECONDS)
        self.session = botocore.session.Session()
        self.session.set_credentials("made-up", "made-up")
        self._clients: dict[str, Any] = {}
        self.ids: dict[str, str] = dict(PSEUDO)
        self.attributes: dict[tuple[str, str], str] = {}
        self.types: dict[str, str] = {}
        self.unknown: dict[str, str] = {}
        """The resources that the stand-in has no way to create, and their types."""

    def client(self, service: str) -> Any:  # noqa: ANN401  botocore has no types
        """Return a client of a service, which asks this server."""
        if service not in self._clients:
            self._clients[service] = self._new_client(service)
        return self._clients[service]

    def _new_client(self, service: str) -> Any:  # noqa: ANN401  botocore has no types
        return self.session.create_client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            verify=False,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def upload(self, assembly: Path) -> None:
        """Do what the CDK command does before a deployment: the code goes into its bucket."""
        place = {"LocationConstraint": REGION}
        bucket = f"cdk-hnb659fds-assets-{NUMBER}-{REGION}"
        self.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        files = json.loads(next(assembly.glob("*.assets.json")).read_text())["files"]
        for file in files.values():
            source = assembly / file["source"]["path"]
            if file["source"]["packaging"] == "zip":
                packed = shutil.make_archive(str(assembly / "packed"), "zip", source)
                source = Path(packed)
            [destination] = file["destinations"].values()
            self.client("s3").put_object(
                Bucket=bucket, Key=destination["objectKey"], Body=source.read_bytes()
            )

    def create(self, template: Template) -> None:
        """Create a template, in as many steps as those need that CloudFormation does not know."""
        self.client("ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
        )
        waiting = dict(template["Resources"])
        self.types = {key: resource["Type"] for key, resource in waiting.items()}
        while waiting:
            ours = [key for key, value in waiting.items() if self._is_ours(value, waiting)]
            for key in ours:
                self._make(key, waiting.pop(key))
            theirs = {key: waiting[key] for key in waiting if not _needs_us(key, waiting)}
            assert ours or theirs, f"in a circle: {sorted(waiting)}"
            self._create_stack(theirs, template)
            for key in theirs:
                del waiting[key]

    def ids_of(self, kind: str) -> list[str]:
        """Return the physical ids of everything of a type."""
        return [self.ids[key] for key, found in self.types.items() if found == kind]

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(START_SECONDS)

    def resolved(self, value: Any, later: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401  any JSON
        """Return a value with its references replaced by what they became.

        Those to resources in ``later`` stay, for CloudFormation to replace.
        """
        if isinstance(value, list):
            return [self.resolved(part, later) for part in value]
        if not isinstance(value, Mapping):
            return value
        if "Fn::GetAtt" in value:
            key, attribute = value["Fn::GetAtt"]
            return value if key in later else self.attributes.get((key, attribute), value)
        if "Ref" in value:
            return value if value["Ref"] in later else self.ids.get(value["Ref"], value)
        return self._joined({key: self.resolved(part, later) for key, part in value.items()})

    def _joined(self, value: dict[str, Any]) -> Any:  # noqa: ANN401  any JSON
        """Return what a function of CloudFormation makes, where all it needs is known."""
        if len(value) != 1:
            return value
        [(name, given)] = value.items()
        if name == "Fn::Sub" and isinstance(given, str):
            return re.sub(r"\$\{([^}]+)\}", lambda key: self.ids[key[1]], given)
        if name == "Fn::Join" and all(isinstance(part, str) for part in given[1]):
            return str(given[0]).join(given[1])
        if name == "Fn::Split" and isinstance(given[1], str):
            return given[1].split(given[0])
        if name == "Fn::Select" and isinstance(given[1], list):
            return given[1][int(given[0])]
        return value

    def _is_ours(self, resource: Template, waiting: Template) -> bool:
        return resource["Type"] in MAKERS and not needed_by(resource) & waiting.keys()

    def _make(self, key: str, resource: Template) -> None:
        properties = self.resolved(resource.get("Properties", {}))
        made = MAKERS[resource["Type"]](self, properties)
        self.ids[key] = made.pop("Ref", key)
        self.attributes.update({(key, name): value for name, value in made.items()})

    def _create_stack(self, resources: Template, template: Template) -> None:
        if not resources:
            return
        inside = frozenset(resources)
        wanted = sorted(attributes_of(template, inside))
        outputs = {
            f"Output{number}": {"Value": {"Fn::GetAtt": list(pair)}}
            for number, pair in enumerate(wanted)
        }
        body = {
            "Resources": self.resolved(resources, inside),
            "Mappings": template.get("Mappings", {}),
            "Conditions": template.get("Conditions", {}),
            "Outputs": outputs,
        }
        cloudformation = self.client("cloudformation")
        name = f"part-{len(self.ids)}"
        cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"]
        )
        for made in cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
            # What it does not know it lists without having made it.
            if "PhysicalResourceId" in made:
                self.ids[made["LogicalResourceId"]] = made["PhysicalResourceId"]
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        for output in stack.get("Outputs", []):
            pair = wanted[int(output["OutputKey"].removeprefix("Output"))]
            self.attributes[pair] = output["OutputValue"]
        self.unknown |= {key: resources[key]["Type"] for key in inside - self.ids.keys()}


def references(value: object) -> Iterator[tuple[str, str]]:
    """Yield every logical id that a value refers to, with the attribute or an empty name."""
    if isinstance(value, list):
        for part in value:
            yield from references(part)
    elif isinstance(value, Mapping):
        if "Ref" in value:
            yield value["Ref"], ""
        elif "Fn::GetAtt" in value:
            yield tuple(value["Fn::GetAtt"])
        else:
            yield from references(list(value.values()))


def needed_by(resource: Template) -> set[str]:
    """Return the logical ids that must be there before a resource."""
    after = resource.get("DependsOn", [])
    named = {key for key, _ in references(resource.get("Properties", {}))}
    return named | set([after] if isinstance(after, str) else after)


def attributes_of(template: Template, inside: frozenset[str]) -> set[tuple[str, str]]:
    """Return the attributes of some resources that others of a template ask for."""
    return {
        (key, attribute)
        for key, attribute in references(list(template["Resources"].values()))
        if key in inside and attribute
    }


def _needs_us(key: str, waiting: Template) -> bool:
    """Return whether a resource, or what it needs, is one that is still to be made here."""
    if key not in waiting:
        return False
    if waiting[key]["Type"] in MAKERS:
        return True
    return any(_needs_us(other, waiting) for other in needed_by(waiting[key]))
