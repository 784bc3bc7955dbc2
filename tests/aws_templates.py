"""Questions that several tests ask of a synthesized template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coinlog_infra.template import Map, target

ADMITTED = ("192.0.2.7/32", "198.51.100.64/26", "2001:db8:7::/48")
"""Who may look in the shapes that are not public."""


class Template(Map):
    """A template, with its outputs."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        super().__init__(template)
        self.outputs: Mapping[str, Any] = template.get("Outputs", {})


def template_of(shapes: Path, shape: str) -> Template:
    """Return the template of a shape."""
    return Template(json.loads((shapes / shape / "coinlog.template.json").read_text()))


def task_called(found: Map, name: str) -> dict[str, Any]:
    """Return the task definition of a family."""
    [task] = [
        task
        for _, task in found.of_type("AWS::ECS::TaskDefinition")
        if task["Family"] == f"coinlog-{name}"
    ]
    return dict(task)


def container_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one container of a task."""
    [container] = task["ContainerDefinitions"]
    assert container["Name"] == "coinlog"
    return dict(container)


def environment_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a task is told."""
    return {one["Name"]: one["Value"] for one in container_of(task).get("Environment", [])}


def statements(found: Map) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each role may do; actions and resources are lists."""
    for _, policy in found.of_type("AWS::IAM::Policy"):
        for role in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield target(role), _listed(statement)
    for role, properties in found.of_type("AWS::IAM::Role"):
        assert not properties.get("ManagedPolicyArns")
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role, _listed(statement)


def _listed(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **statement,
        "Action": _list(statement["Action"]),
        "Resource": [
            one if isinstance(one, str) else text_of(one) for one in _list(statement["Resource"])
        ],
    }


def _list(value: Any) -> list[Any]:  # noqa: ANN401  whatever a policy holds
    return value if isinstance(value, list) else [value]


def rights_of(found: Map, role: object) -> list[tuple[str, str]]:
    """Return what a role may do, on what: pairs of an action and a resource."""
    return [
        (action, resource)
        for whose, statement in statements(found)
        if whose == target(role)
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


def text_of(value: object) -> str:
    """Return a value of CloudFormation as text, with its references in ``${}``."""
    if isinstance(value, Mapping):
        [(kind, what)] = value.items()
        if kind == "Fn::Join":
            return str(what[0]).join(map(text_of, what[1]))
        parts = [what] if isinstance(what, str) else what
        return "${" + ".".join(map(text_of, parts)) + "}"
    if isinstance(value, list):
        return ",".join(map(text_of, value))
    return str(value)
