"""The steps of a deployment, each able to be done again: what is done already changes nothing."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from coinlog.aws.buckets import mark_of
from coinlog.capturing import Standing
from coinlog.market import Outcome
from coinlog.settings import Secret
from coinlog.slots import parse_time
from coinlog_infra import cdk, clearing, given
from coinlog_infra.aws import Account, refusals_explained
from coinlog_infra.errors import DeployError
from coinlog_infra.options import Options
from coinlog_infra.outputs import Deployed
from coinlog_infra.say import plain
from coinlog_infra.tasks import Clock, running, wait_until_ended
from coinlog_infra.waiting import answers, is_healthy, is_there, until

PREPARE_SECONDS = 1800
PUBLISH_SECONDS = 3600
LOADED_SECONDS = 300
HEALTHY_SECONDS = 300
ANSWER_SECONDS = 600

NOTHING_RECORDED = "nothing is recorded yet"
"""What ``coinlog publish`` says of an empty store, which no release is to blame for."""


@dataclass(frozen=True)
class FirstSlot:
    """What became of the slot that a deployment captured, in the function's own words."""

    slot: str
    outcome: str | None
    detail: str

    @property
    def recorded(self) -> bool:
        """Whether its answers are in the bucket."""
        return self.outcome in {Outcome.STORED, Outcome.PARTIAL}

    @property
    def passed(self) -> bool:
        """Whether a later slot is recorded, as where the interval has just become longer."""
        return self.outcome is None and self.detail == Standing.PASSED

    @property
    def marker(self) -> str:
        """The object that ``load`` writes once the slot is in the database."""
        return mark_of(parse_time(self.slot))


def write_key(account: Account, options: Options, key: Secret) -> None:
    """Write the API key into its SSM parameter, encrypted; CloudFormation could not."""
    account.client("ssm").put_parameter(
        Name=options.api_key_parameter,
        Description="coinlog's key for CoinMarketCap, read by the function capture",
        Value=key.reveal(),
        Type="SecureString",
        Overwrite=True,
    )


def has_key(account: Account, options: Options) -> bool:
    """Return whether a deployment before this one has left a key in the account."""
    ssm = account.client("ssm")
    filters = [{"Key": "Name", "Option": "Equals", "Values": [options.api_key_parameter]}]
    return bool(ssm.describe_parameters(ParameterFilters=filters)["Parameters"])


def pack_functions() -> None:
    """Build the folders that the functions are uploaded from.

    Raises:
        DeployError: it did not succeed.
    """
    done = subprocess.run(
        ("make", "lambda"),  # noqa: S607  the make that called us
        cwd=given.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeployError(f"make lambda failed:\n{done.stdout}{done.stderr}")


def deploy_stack(account: Account, options: Options, zone_id: str | None, clock: Clock) -> None:
    """Bring the account to what the code says; a creation that fails leaves nothing in the way.

    Raises:
        DeployError: it did not succeed; what is there already is as it was before.
    """
    clearing.clear_failed(account, options, clock)
    parameters = {"HostedZoneId": zone_id} if zone_id else {}
    try:
        cdk.deploy(account, options.name, parameters)
    except DeployError as error:
        with refusals_explained(f"{error}\nTaking away what was half made did not succeed"):
            cleared = clearing.clear_failed(account, options, clock)
        if cleared:
            raise DeployError(
                f"{error}\nWhat was half made is taken away: mend that, then make deploy again"
            ) from error
        raise


def prepare_database(account: Account, deployed: Deployed, clock: Clock) -> None:
    """Make or renew the schema and the program's two users, in a task that alone has the secret.

    Raises:
        DeployError: it failed; what it printed is shown.
    """
    code, lines = _carry_out(account, deployed, deployed.prepare_task, clock, PREPARE_SECONDS)
    if code:
        raise DeployError(
            f"the database could not be prepared (exit code {code}):\n{_last(lines)}\n"
            "Mend that and run make deploy again. Meanwhile the new code works with the schema "
            "that is there, and what it cannot load waits in the bucket"
        )


def _carry_out(
    account: Account, deployed: Deployed, definition: str, clock: Clock, seconds: float
) -> tuple[int, list[str]]:
    """Run a task to its end; return its exit code and what it printed."""
    lines: list[str] = []
    with running(account, deployed, definition, plain) as task:
        return wait_until_ended(account, task, lines.append, clock, seconds), lines


def _last(lines: list[str]) -> str:
    return "\n".join(lines[-30:])


def publish(account: Account, deployed: Deployed, clock: Clock) -> bool:
    """Bring an edition up to date; return whether there was anything to publish.

    Raises:
        DeployError: it failed; what it printed is shown.
    """
    code, lines = _carry_out(account, deployed, deployed.publish_task, clock, PUBLISH_SECONDS)
    if code and any(NOTHING_RECORDED in line for line in lines):
        return False
    if code:
        raise DeployError(f"publishing failed (exit code {code}):\n{_last(lines)}")
    return True


def capture(account: Account, deployed: Deployed) -> FirstSlot:
    """Capture the current slot, as the console's test button would.

    Raises:
        DeployError: the function broke; a source that fails is an outcome and no error.
    """
    answer = account.client("lambda").invoke(
        FunctionName=deployed.capture_function, Payload=b"{}", InvocationType="RequestResponse"
    )
    told = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(told, dict):
        message = told.get("errorMessage") if isinstance(told, dict) else told
        raise DeployError(f"capture broke: {message}; its log in CloudWatch says more")
    return FirstSlot(told["slot"], told.get("outcome"), str(told.get("detail") or ""))


def wait_until_loaded(account: Account, deployed: Deployed, first: FirstSlot, clock: Clock) -> bool:
    """Return whether a slot was loaded into the database in good time."""
    return until(lambda: is_there(account, deployed.bucket, first.marker), clock, LOADED_SECONDS)


def wait_until_healthy(account: Account, deployed: Deployed, clock: Clock) -> bool:
    """Return whether the balancer finds a page that answers, in good time: it sees it always."""
    return until(lambda: is_healthy(account, deployed.targets), clock, HEALTHY_SECONDS)


def wait_until_it_answers(options: Options, deployed: Deployed, clock: Clock) -> bool:
    """Return whether the page can be seen from here in good time."""
    base = deployed.url.rstrip("/")
    url = f"{base}/live" if options.shape == "page" else f"{base}/"
    return until(lambda: answers(url), clock, ANSWER_SECONDS)
