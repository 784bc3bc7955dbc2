"""The stack: every part of coinlog on AWS, put together."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Environment, Stack, Tags
from constructs import Construct

from coinlog_infra.network import Network
from coinlog_infra.options import Options

BUILT = Path(__file__).resolve().parents[2] / "dist"
"""Where ``make lambda`` leaves the functions' code and layers."""


class CoinlogStack(Stack):
    """coinlog in one account and region, by the given options."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        options: Options,
        *,
        built: Path = BUILT,
        env: Environment | None = None,
    ) -> None:
        """Put the parts together; ``built`` is the folder of the functions' code."""
        super().__init__(
            scope,
            construct_id,
            description="coinlog: a logbook of the crypto market",
            env=env,
        )
        self.options = options
        self.built = built
        self.network = Network(self, "network", options)
        Tags.of(self).add("application", options.name)
