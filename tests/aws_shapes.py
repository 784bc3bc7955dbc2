"""Synthesizes every shape of the stack that the tests look at, in one process: CDK starts slowly.

``python tests/aws_shapes.py FOLDER`` leaves a folder for each shape, and in ``refused.json`` what
the broken ones were refused with. The code of the functions is a stand-in: what is in it is for
other tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aws_cdk import App, CfnResource

from aws_templates import ADMITTED
from coinlog.errors import UsageError
from coinlog_infra.options import Options
from coinlog_infra.rules import watch
from coinlog_infra.stack import CoinlogStack

PLAIN = Options(architecture="arm64", email="someone@example.org", admitted=ADMITTED)
OPEN = replace(
    PLAIN, public=True, domain="coins.example.org", hosted_zone="example.org", region="us-east-1"
)
SHAPES = {
    "page": PLAIN,
    "mariadb": replace(
        PLAIN,
        engine="mariadb",
        interval_seconds=300,
        database_storage_gb=7000,
        architecture="x86_64",
    ),
    "domain": OPEN,
    "edition": replace(PLAIN, shape="edition"),
    "edition-domain": replace(OPEN, shape="edition", interval_seconds=86_400),
}
UNUSABLE = {
    "page_ipv6": replace(PLAIN, admitted=("2001:db8::/48",)),
    "edition_crowd": replace(
        PLAIN, shape="edition", admitted=tuple(f"2001:db8:{n}::/128" for n in range(100))
    ),
    "edition_elsewhere": replace(OPEN, shape="edition", region="eu-west-1"),
}
"""Options that the command takes and a part must refuse."""


def stand_in(folder: Path) -> Path:
    """Write what ``make lambda`` would have built, in small."""
    for name in ("function/coinlog", "layer-arm64/python", "senders-arm64/python"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "stand_in.py").write_text(f'"""Stands in for {name}."""\n')
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


def synthesize(
    folder: Path,
    built: Path,
    options: Options,
    change: Callable[[CoinlogStack], None] | None = None,
    source: Path | None = None,
) -> None:
    """Synthesize one shape into a folder, changed by hand where a rule is to be broken."""
    app = watch(App(outdir=str(folder), analytics_reporting=False))
    stack = CoinlogStack(app, options.name, options, built=built, source=source or built)
    if change:
        change(stack)
    app.synth()


def refusal(folder: Path, built: Path, change: Callable[[CoinlogStack], None]) -> list[str]:
    """Return the sentences with which a changed stack is refused; none if it is not."""
    try:
        synthesize(folder, built, PLAIN, change)
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
    report = json.loads((folder / "validation-report.json").read_text())
    return [
        violation["description"]
        for plugin in report["pluginReports"]
        if plugin["conclusion"] == "failure"
        for violation in plugin["violations"]
    ]


def isolated_capture(stack: CoinlogStack) -> None:
    """Put the function that asks the source where there is no internet."""
    network = {
        "SubnetIds": [subnet.subnet_id for subnet in stack.network.isolated_subnets],
        "SecurityGroupIds": [stack.database.security_group.security_group_id],
    }
    capture = stack.functions.capture.function.node.default_child
    assert isinstance(capture, CfnResource)
    capture.add_property_override("VpcConfig", network)


def unusable(folder: Path, built: Path, options: Options, source: Path | None = None) -> list[str]:
    """Return the sentence with which options are refused; none if they are not."""
    try:
        synthesize(folder, built, options, source=source)
    except UsageError as error:
        return [str(error)]
    return []


def main(folder: Path) -> None:
    """Synthesize everything."""
    built, nothing = stand_in(folder / "built"), folder / "nothing"
    for name, options in SHAPES.items():
        synthesize(folder / name, built, options)
    refused = {
        "isolated_capture": refusal(folder / "broken", built, isolated_capture),
        "not_built": unusable(folder / "not_built", nothing, PLAIN),
        "no_image": unusable(folder / "no_image", built, PLAIN, nothing),
        **{name: unusable(folder / name, built, one) for name, one in UNUSABLE.items()},
    }
    (folder / "refused.json").write_text(json.dumps(refused, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
