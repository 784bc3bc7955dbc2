"""The stack: every part of coinlog on AWS, put together."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Environment, Stack, Tags
from constructs import Construct

from coinlog_infra.alerts import Alerts
from coinlog_infra.archive import ArchiveBucket
from coinlog_infra.containers import Containers
from coinlog_infra.database import Database
from coinlog_infra.deadletters import DeadLetters
from coinlog_infra.domain import domain_in
from coinlog_infra.edition import Edition
from coinlog_infra.functions import Functions
from coinlog_infra.maintenance import Maintenance
from coinlog_infra.network import Network
from coinlog_infra.options import Options
from coinlog_infra.page import Page
from coinlog_infra.schedule import Schedule
from coinlog_infra.telling import tell
from coinlog_infra.watching import Watched, Watching

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "dist"
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
        source: Path = ROOT,
        env: Environment | None = None,
    ) -> None:
        """Put the parts together; ``built`` holds the functions' code, ``source`` the image's."""
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
        self.containers = Containers(self, "containers", self.network, options, source)
        self.maintenance = Maintenance(
            self,
            "maintenance",
            containers=self.containers,
            database=self.database,
            archive=self.archive,
            options=options,
        )
        self.page, self.edition = self._shape(options)
        self.watching = Watching(
            self,
            "watching",
            watched=Watched(
                self.functions, self.database, self.dead_letters, self.page, self.edition
            ),
            topic=self.alerts.topic,
            options=options,
        )
        tell(self)
        Tags.of(self).add("application", options.name)

    def _shape(self, options: Options) -> tuple[Page | None, Edition | None]:
        """Make what readers see: a page that runs, or files."""
        domain = domain_in(self, options)
        if options.shape == "page":
            page = Page(
                self,
                "page",
                containers=self.containers,
                database=self.database,
                options=options,
                domain=domain,
            )
            return page, None
        edition = Edition(
            self,
            "edition",
            containers=self.containers,
            database=self.database,
            archive=self.archive,
            dead_letters=self.dead_letters,
            options=options,
            domain=domain,
        )
        return None, edition
