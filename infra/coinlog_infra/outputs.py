"""What the stack says of itself, by the names under which the commands look for it."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields

from coinlog_infra.aws import Account, outputs_of
from coinlog_infra.errors import DeployError

CONTAINER = "coinlog"
"""What the one container of every task is called."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed stack. A field ``ops_task`` is the stack's output ``OpsTask``, and so on.

    Lists are joined by commas. Tasks are ARNs of task definitions, whose one container is
    ``CONTAINER`` and logs to CloudWatch.
    """

    url: str
    bucket: str
    cluster: str
    task_subnets: str
    task_security_groups: str
    ops_task: str
    prepare_task: str
    tunnel_task: str
    capture_function: str
    database_host: str
    database_port: str
    database_name: str
    database_instance: str
    edition_bucket: str = ""
    """Of the cheap shape, as is the task that publishes; a page has neither."""

    publish_task: str = ""
    targets: str = ""
    """The balancer's target group of a page; an edition has none."""


def output_name(field: str) -> str:
    """Return the name of the output that a field is read from: ``OpsTask`` for ``ops_task``."""
    return "".join(word.capitalize() for word in field.split("_"))


OUTPUTS = tuple(output_name(one.name) for one in fields(Deployed) if one.default is MISSING)
"""What every stack says."""


def read_deployed(account: Account, name: str) -> Deployed:
    """Return a stack as it was deployed.

    Raises:
        NotDeployedError: there is none.
        DeployError: it was made by another version, or not to its end.
    """
    found = outputs_of(account, name)
    missing = [output for output in OUTPUTS if output not in found]
    if missing:
        raise DeployError(
            f"the stack {name} does not say its {', '.join(missing)}: it was made by another "
            "version of coinlog or not to its end; run make deploy"
        )
    known = {one.name: output_name(one.name) for one in fields(Deployed)}
    return Deployed(**{name: found[said] for name, said in known.items() if said in found})
