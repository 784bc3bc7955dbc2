"""What goes wrong at a deployment, beyond wrong use."""

from __future__ import annotations

from coinlog.errors import CoinlogError


class DeployError(CoinlogError):
    """A step of a deployment did not succeed; the message says what to do."""


class NotDeployedError(DeployError):
    """There is no such stack in this account and region."""
