"""The CDK command of this checkout, with the credentials that are ours and the right region."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from botocore.exceptions import ClientError

from coinlog_infra import given
from coinlog_infra.aws import Account, code_of
from coinlog_infra.errors import DeployError

COMMAND = str(given.ROOT / "scripts" / "cdk.sh")
BOOTSTRAPPED = "/cdk-bootstrap/hnb659fds/version"
"""The parameter by which CDK itself knows that an account was prepared for it."""

LAST_LINES = 40


def is_bootstrapped(account: Account) -> bool:
    """Return whether the account was prepared for CDK in this region."""
    try:
        account.client("ssm").get_parameter(Name=BOOTSTRAPPED)
    except ClientError as error:
        if code_of(error) == "ParameterNotFound":
            return False
        raise
    return True


def bootstrap(account: Account, number: str) -> None:
    """Prepare the account for CDK: a bucket and a registry for what is deployed, and roles.

    Raises:
        DeployError: it did not succeed.
    """
    _run(account, "bootstrap", f"aws://{number}/{account.region}")


def deploy(account: Account, name: str, parameters: Mapping[str, str]) -> None:
    """Bring the stack to what the code says; what fails is rolled back by CloudFormation.

    Raises:
        DeployError: it did not succeed; the stack is as it was before.
    """
    given_to_it = [f"--parameters={name}:{key}={value}" for key, value in parameters.items()]
    quiet = ("--require-approval", "never", "--progress", "events")
    _run(account, "deploy", name, *quiet, *given_to_it)


def _run(account: Account, *words: str) -> None:
    environment = given.environment(AWS_REGION=str(account.region), NO_COLOR="1")
    done = subprocess.run(  # noqa: S603  our own script with words of ours
        (COMMAND, *words), env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = f"{done.stdout}\n{done.stderr}".strip().splitlines()
        told = "\n".join(lines[-LAST_LINES:])
        raise DeployError(
            f"cdk {words[0]} ended with exit code {done.returncode}; its last words:\n{told}"
        )
