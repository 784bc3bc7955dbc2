"""What the CDK command runs: coinlog's stack, by the options of this deployment."""

from __future__ import annotations

from aws_cdk import App

from coinlog_infra.given import load_options
from coinlog_infra.rules import watch
from coinlog_infra.stack import CoinlogStack


def main() -> None:
    """Synthesize the stack into ``cdk.out``."""
    app = watch(App(analytics_reporting=False))
    options = load_options()
    CoinlogStack(app, options.name, options)
    app.synth()


main()
