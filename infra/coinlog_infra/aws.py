"""AWS as the commands see it: one account and region, and its refusals as sentences.

Everything that is asked of AWS goes through ``Account.client``, by boto3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    WaiterError,
)

from coinlog_infra.errors import DeployError, NotDeployedError

CONFIG = Config(
    connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 5}
)


class Account:
    """An AWS account in a region, by the credentials that boto3 finds."""

    def __init__(self, region: str | None = None) -> None:
        self.session = boto3.Session(region_name=region)
        self.client = cache(self._client)

    @property
    def region(self) -> str | None:
        """The region that was given, or that AWS's own settings name."""
        region: str | None = self.session.region_name
        return region

    @property
    def has_credentials(self) -> bool:
        """Whether boto3 finds any; whether they are good only AWS can say."""
        return self.session.get_credentials() is not None

    def number(self) -> str:
        """Return the account's number, asked of AWS."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def _client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes its clients at run time
        return self.session.client(service, config=CONFIG)


@contextmanager
def refusals_explained(doing: str = "") -> Iterator[None]:
    """Turn what boto3 raises into one sentence, which begins with what was being done.

    Raises:
        DeployError: AWS refused, could not be reached, or its answer did not come.
    """
    doing = f"{doing}: " if doing else ""
    try:
        yield
    except NoRegionError as error:
        raise DeployError(
            f"{doing}no region is set: say REGION=us-east-1 in the command, or set one for good: "
            "aws configure"
        ) from error
    except ProfileNotFound as error:
        raise DeployError(
            f"{doing}{error}: expected one of those that `aws configure list-profiles` shows; "
            "correct or unset AWS_PROFILE"
        ) from error
    except ClientError as error:
        told = error.response.get("Error", {})
        raise DeployError(
            f"{doing}AWS refused {error.operation_name}: {told.get('Code', 'unknown')}: "
            f"{told.get('Message') or 'it says no more'}{_hint(str(told.get('Code', '')))}"
        ) from error
    except NoCredentialsError as error:
        raise DeployError(f"{doing}there are no credentials; run: aws configure") from error
    except EndpointConnectionError as error:
        raise DeployError(f"{doing}{error}; check the region and your connection") from error
    except (BotoCoreError, WaiterError) as error:
        raise DeployError(f"{doing}{error}") from error


def _hint(code: str) -> str:
    if "AccessDenied" in code or code == "UnauthorizedOperation":
        return "; sign in as somebody who may do this (docs/deploy.md lists what is needed)"
    if code in {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}:
        return "; sign in anew: aws configure, or aws sso login"
    return ""


def code_of(error: ClientError) -> str:
    """Return AWS's own code for a refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))


def find_stack(account: Account, name: str) -> dict[str, Any] | None:
    """Return a stack as CloudFormation describes it, ``None`` where there is none."""
    try:
        stacks = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    alive = (stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE")
    return next(alive, None)


def outputs_of(account: Account, name: str) -> dict[str, str]:
    """Return what a stack says of itself.

    Raises:
        NotDeployedError: there is no such stack.
    """
    stack = find_stack(account, name)
    if stack is None:
        raise NotDeployedError(
            f"there is no stack {name} in {account.region}: expected one that make deploy has "
            "made; say NAME= or REGION= where it is another"
        )
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
