"""The stack: every part of coinlog on AWS, put together."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Environment, Stack, Tags
from constructs import Construct

from coinlog_infra.alerts import Alerts
from coinlog_infra.archive import ArchiveBucket
from coinlog_infra.database import Database
from coinlog_infra.deadletters import DeadLetters
from coinlog_infra.functions import Functions
from coinlog_infra.network import Network
from coinlog_infra.options import Options
from coinlog_infra.schedule import Schedule

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
        self.network = Network(self, "network", options)
        self.database = Database(self, "database", self.network, options)
        self.archive = ArchiveBucket(self, "archive", self.network)
        self.alerts = Alerts(self, "alerts", options)
        self.dead_letters = DeadLetters(self, "dead-letters", options)
        self.functions = Functions(
            self,
            "functions",
            network=self.network,
            database=self.database,
            archive=self.archive,
            topic=self.alerts.topic,
            dead_letters=self.dead_letters,
            options=options,
            built=built,
        )
        self.schedule = Schedule(
            self, "schedule", self.functions, self.archive, self.dead_letters, options
        )
        Tags.of(self).add("application", options.name)
