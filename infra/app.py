"""What the CDK command runs: coinlog's stack, by the options of this deployment."""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import App

from coinlog.errors import CoinlogError
from coinlog_infra.given import load_options
from coinlog_infra.rules import watch
from coinlog_infra.stack import BUILT, CoinlogStack


def main() -> None:
    """Synthesize the stack into ``cdk.out``; the context ``built`` says where the code lies."""
    app = watch(App(analytics_reporting=False))
    options = load_options()
    built = Path(app.node.try_get_context("built") or BUILT)
    CoinlogStack(app, options.name, options, built=built)
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except CoinlogError as error:
        sys.exit(str(error))
