"""What must be there before anything is made: looked for in one go, all that is missing told."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from coinlog_infra import cdk, given
from coinlog_infra.aws import Account, code_of
from coinlog_infra.options import Options

OWN_ADDRESS_URL = "https://checkip.amazonaws.com"
"""AWS's own service that tells an asker's address, and nothing else."""

ADDRESS_SECONDS = 10
DOCKER_SECONDS = 30


@dataclass(frozen=True)
class Missing:
    """Something that is not there, and what to do about it."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Ready:
    """All is there: the options made whole, and what was found in the account.

    ``zone_id`` is what the account calls the domain's zone; ``bootstrapped`` says that the account
    was prepared for CDK before.
    """

    options: Options
    number: str
    bootstrapped: bool
    zone_id: str | None


def look(
    options: Options,
    account: Account,
    address_url: str = OWN_ADDRESS_URL,
    *,
    attended: bool = True,
) -> Ready | list[Missing]:
    """Return that all is there, or everything that is missing; ``attended``: somebody sits here.

    Raises:
        ClientError, BotoCoreError: the account cannot be looked at although we are signed in.
    """
    number = _account_number(account)
    admitted = _admitted(options, address_url, attended=attended)
    found = (_region(account), number, _docker(), _cdk(), admitted)
    missing = [one for one in found if isinstance(one, Missing)]
    if missing or not isinstance(number, str) or not isinstance(admitted, tuple):
        return missing
    zone = _zone(options, account)
    if isinstance(zone, Missing):
        return [zone]
    whole = replace(options, region=account.region, admitted=admitted, hosted_zone=zone.name)
    return Ready(whole, number, cdk.is_bootstrapped(account), zone.id)


def _region(account: Account) -> Missing | None:
    if account.region:
        return None
    return Missing(
        "no region is set", "make deploy REGION=us-east-1, or set one for good: aws configure"
    )


def _account_number(account: Account) -> str | Missing:
    if not account.has_credentials:
        return Missing(
            "there are no AWS credentials",
            "aws configure (or aws sso login, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "
            "the environment); docs/deploy.md shows where to get them",
        )
    if not account.region:
        return ""
    try:
        return account.number()
    except ClientError as error:
        return Missing(
            f"AWS refuses the credentials ({code_of(error)})", "aws configure, or aws sso login"
        )
    except BotoCoreError as error:
        return Missing(f"AWS cannot be asked ({error})", "check the region and your connection")


def _docker() -> Missing | None:
    docker = given.docker()
    if shutil.which(docker) is None:
        podman = shutil.which("podman") and ", or: CDK_DOCKER=podman make deploy (never tried here)"
        return Missing(
            f"{docker.capitalize()} is not installed",
            f"https://docs.docker.com/get-docker/, then start it{podman or ''}",
        )
    try:
        done = subprocess.run(  # noqa: S603  the user's own Docker
            (docker, "info"), capture_output=True, timeout=DOCKER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is not None and done.returncode == 0:
        return None
    return Missing(
        f"{docker.capitalize()} is installed and does not answer",
        "start Docker Desktop, or: sudo systemctl start docker; and see that you may use it: "
        f"{docker} info",
    )


def _cdk() -> Missing | None:
    if (given.ROOT / "infra" / "node_modules" / "aws-cdk").is_dir():
        return None
    return Missing("the CDK command is not installed", "make synth installs it")


def _admitted(options: Options, url: str, *, attended: bool) -> tuple[str, ...] | Missing:
    """Return who may look: whom the options name, else this machine's address as others see it."""
    if options.admitted or options.public:
        return options.admitted
    if not attended:
        # A runner's address would let in the runner, and lock out whoever may look today.
        return Missing(
            "nobody is here, and nothing says who may look",
            "ADMIT=1.2.3.4/32 with the address you will look from, or PUBLIC=yes; in a pipeline "
            'admit = "1.2.3.4/32" in its deploy.toml (docs/deploying-regularly.md)',
        )
    try:
        address = own_address(url)
    except (OSError, ValueError):
        return Missing(
            f"nobody could be asked for your own address: {url} did not tell it",
            f"make deploy ADMIT=<your address>; a browser shows it at {OWN_ADDRESS_URL}",
        )
    return (f"{address}/32",)


def own_address(url: str = OWN_ADDRESS_URL) -> IPv4Address:
    """Return this machine's address as the internet sees it.

    Raises:
        OSError: nobody told.
        ValueError: what was told is no public IPv4 address.
    """
    with urllib.request.urlopen(url, timeout=ADDRESS_SECONDS) as answer:  # noqa: S310  ours
        text = answer.read(100).decode("ascii", "replace").strip()
    address = ip_address(text)
    if not isinstance(address, IPv4Address) or not address.is_global:
        raise ValueError(f"it told {text}, which is no public IPv4 address")
    return address


class Zone(NamedTuple):
    """A hosted zone of Route 53; both are ``None`` where there is no domain."""

    name: str | None = None
    id: str | None = None


def _zone(options: Options, account: Account) -> Zone | Missing:
    """Return the hosted zone of the domain: the longest in the account that it ends with."""
    if not options.domain:
        return Zone()
    wanted = options.hosted_zone
    found = [
        (len(name), name, number)
        for name, number in _zones(account)
        if (name == wanted if wanted else f".{options.domain}".endswith(f".{name}"))
    ]
    if found:
        return Zone(*max(found)[1:])
    return Missing(
        f"no public hosted zone in Route 53 holds {options.domain}",
        "register or move the domain there (Route 53, Hosted zones), or deploy without DOMAIN",
    )


def _zones(account: Account) -> Iterator[tuple[str, str]]:
    pages = account.client("route53").get_paginator("list_hosted_zones").paginate()
    for page in pages:
        for zone in page["HostedZones"]:
            if not zone["Config"].get("PrivateZone"):
                yield zone["Name"].rstrip("."), zone["Id"].rpartition("/")[2]
