"""``make deploy``: coinlog in your own AWS account, from nothing to an address in one command.

What is missing is told in one go, and what it costs before anything is made. Every step can be
done again, so the same command also brings a deployment up to date.
"""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, ip_network

from coinlog.settings import Secret
from coinlog_infra import cdk, given, steps
from coinlog_infra.aws import Account, find_stack, refusals_explained
from coinlog_infra.options import Options
from coinlog_infra.outputs import Deployed, read_deployed
from coinlog_infra.prerequisites import Missing, Ready, look, own_address
from coinlog_infra.printing import print_estimate
from coinlog_infra.remembered import remember
from coinlog_infra.say import ask, note, plain, run, say, step
from coinlog_infra.tasks import Clock

TERMS = (
    "CoinMarketCap's API terms allow its data for your own internal purposes and forbid to "
    "redistribute or display it to others without its written consent "
    "(https://coinmarketcap.com/api/terms/): PUBLIC=yes shows it to everybody."
)
KEYLESS = (
    "no API key is given: keyless requests are counted by address, and Lambda shares its outgoing "
    "addresses with strangers, so slots can fail through no fault of yours; a free key ends that: "
    "COINLOG_API_KEY in the environment or .env, then make deploy again"
)

ODD_KEY = (
    "the API key does not look like CoinMarketCap's, which are 36 characters (digits, the letters "
    "a to f, dashes): slots fail while it is wrong; COINLOG_API_KEY in the environment or .env"
)


def main() -> int:
    """Deploy by the options."""
    options, key = given.load_options(), given.api_key()
    account = Account(options.region)
    with refusals_explained("looking at what is there"):
        found = look(options, account, attended=sys.stdin.isatty())
        if isinstance(found, list):
            return _tell_missing(found)
        is_new = find_stack(account, options.name) is None
        keyless = key is None and not steps.has_key(account, options)
    _introduce(found, is_new=is_new, keyless=keyless)
    if key is not None and not given.looks_like_a_key(key):
        note(ODD_KEY)
    _agree(found.options, is_new=is_new)
    file = given.file_of(found.options.name)
    for change in remember(found.options, file):
        note(f"{file.name}: {change}")
    return deploy(account, found, key, Clock())


def _tell_missing(missing: list[Missing]) -> int:
    say("[red]✗[/] Before coinlog can be deployed:\n")
    for one in missing:
        plain(f"  - {one.what}\n    → {one.remedy}")
    return 1


def _introduce(ready: Ready, *, is_new: bool, keyless: bool) -> None:
    options = ready.options
    what = "Deploying" if is_new else "Bringing up to date"
    say(f"{what} [bold]{options.name}[/] in account {ready.number}, {options.region}\n")
    print_estimate(options)
    say()
    if keyless:
        note(KEYLESS)
    if options.public:
        note(TERMS)
    elif sys.stdin.isatty():
        _look_whether_admitted(options)


def _lets_in(options: Options, address: IPv4Address) -> bool:
    return any(address in ip_network(one) for one in options.admitted)


def _look_whether_admitted(options: Options) -> None:
    """Say so where whoever deploys would not be let in: addresses at home change."""
    try:
        here = own_address()
    except (OSError, ValueError):
        return
    if not _lets_in(options, here):
        admitted = ", ".join(options.admitted)
        note(f"only {admitted} may look, and you are at {here}: make deploy ADMIT={here}")


def _agree(options: Options, *, is_new: bool) -> None:
    if given.agreed():
        return
    if options.public:
        ask("Show it to everybody? yes or no:", "yes", "YES=1")
    elif is_new:
        ask("Deploy this? yes or no:", "yes", "YES=1")


def deploy(account: Account, ready: Ready, key: Secret | None, clock: Clock) -> int:
    """Carry out the steps and print where everything is; return the exit code."""
    options = ready.options
    if not ready.bootstrapped:
        with step("The account is prepared for CDK"):
            cdk.bootstrap(account, ready.number)
    if key is not None:
        with step(f"The API key is in {options.api_key_parameter}"):
            steps.write_key(account, options, key)
    with step("The functions are packed"):
        steps.pack_functions()
    with step("The stack is deployed (15 min the first time)"):
        steps.deploy_stack(account, options, ready.zone_id, clock)
    deployed = read_deployed(account, options.name)
    with step("The database has its schema and its users"):
        steps.prepare_database(account, deployed, clock)
    return _see_it_work(account, options, deployed, clock)


def _see_it_work(account: Account, options: Options, deployed: Deployed, clock: Clock) -> int:
    """Record a first slot and look at the page; return 1 where what was deployed does not work.

    A source that fails and a page that does not let us in are told, and no fault of a release.
    """
    first, loaded = _first_slot(account, deployed, clock)
    shown = _shown(account, options, deployed, clock)
    _tell(deployed)
    if not loaded:
        note(f'slot {first.slot} is in the bucket and not yet loaded: make ops CMD="status"')
    if not shown:
        note(f"{deployed.url} is not to be seen: docs/operations.md, “The page is away”")
    return 0 if loaded and shown else 1


def _first_slot(account: Account, deployed: Deployed, clock: Clock) -> tuple[steps.FirstSlot, bool]:
    """Capture a slot; return it and whether it was loaded, or there was nothing to load."""
    with step("A first slot is captured") as capturing:
        first = steps.capture(account, deployed)
        capturing.done = first.recorded or first.passed
    if first.passed:
        note(f"slot {first.slot}: a later one is recorded already; the next one comes as planned")
    elif not first.recorded:
        note(f"slot {first.slot} was not recorded: {first.detail}; the next one is tried anew")
    if not first.recorded:
        return first, True
    with step("It is in the database") as loading:
        loading.done = steps.wait_until_loaded(account, deployed, first, clock)
    return first, loading.done


def _shown(account: Account, options: Options, deployed: Deployed, clock: Clock) -> bool:
    """Return whether the page works: by the balancer's word, and seen from here if we may look."""
    if deployed.publish_task:
        with step("The edition is published") as publishing:
            publishing.done = steps.publish(account, deployed, clock)
        if not publishing.done:
            note("nothing is recorded yet; the first slot publishes the edition")
            return True
    else:
        with step("The page lives") as living:
            living.done = steps.wait_until_healthy(account, deployed, clock)
        if not living.done:
            return False
    if not _may_look(options):
        note(f"{deployed.url} lets in others and not this machine, so it was not looked at")
        return True
    with step("The page answers") as answering:
        answering.done = steps.wait_until_it_answers(options, deployed, clock)
    return answering.done


def _may_look(options: Options) -> bool:
    """Return whether the page lets this machine in; one that cannot know its address may not."""
    try:
        return options.public or _lets_in(options, own_address())
    except (OSError, ValueError):
        return False


def _tell(deployed: Deployed) -> None:
    say(f"""
  The page      [bold cyan]{deployed.url}[/]
  The archive   s3://{deployed.bucket}
  The database  {deployed.database_host}
                private: [bold]make tunnel[/] opens it for MySQL Workbench
  Commands      make ops CMD="status"
  Away again    make destroy [dim](keeps the data)[/]
""")


if __name__ == "__main__":
    run(main)
