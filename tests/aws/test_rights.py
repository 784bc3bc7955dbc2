"""The rights of each role suffice for its work: what the template does not allow is refused here.

The functions run against a bucket behind a guard that asks the synthesized policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from aws_rights import Role, guarded, role_of
from aws_templates import template_of
from backfills import put_asset_history
from coinlog.archive import Archive, open_archive
from coinlog.attempts import AttemptKey, slot_name
from coinlog.aws import capture, load, send
from coinlog.errors import ArchiveError
from coinlog.slots import iso
from lambdas import Context, Topic, s3
from market import put_attempt
from s3_server import S3Server
from samples import STEP
from stores import look

As = Callable[[str], AbstractContextManager[Role]]


@pytest.fixture
def whole(bucket: str) -> Archive:
    """Return the archive that a deployment has, which is all of a bucket."""
    return open_archive(f"s3://{bucket}")


@pytest.fixture
def as_role(
    shapes: Path,
    function: pytest.MonkeyPatch,
    whole: Archive,
    bucket: str,
    s3_server: S3Server,
) -> As:
    """Return what lets the program be a role of the template for a while."""
    function.setenv("COINLOG_ARCHIVE", whole.location)
    server = s3_server.settings["AWS_ENDPOINT_URL"]
    # The other services of the stand-in have no guard.
    function.setenv("AWS_ENDPOINT_URL_SNS", server)
    function.setenv("AWS_ENDPOINT_URL_SSM", server)
    template = template_of(shapes, "page")

    @contextmanager
    def become(name: str) -> Iterator[Role]:
        role = role_of(template, name, bucket)
        with guarded(role, server) as address:
            function.setenv("AWS_ENDPOINT_URL", address)
            yield role
        function.setenv("AWS_ENDPOINT_URL", server)

    return become


def test_the_functions_do_all_their_work_with_the_rights_of_their_roles(
    function: pytest.MonkeyPatch, database: sa.URL, whole: Archive, as_role: As, now_slot: int
) -> None:
    """A slot, one of which an answer is lost, and history fetched later; then the alert."""
    put_asset_history(whole, 1, {now_slot - 40 * STEP: 7.0}, STEP)
    put_attempt(whole, now_slot - STEP)
    lost = AttemptKey(now_slot - STEP, "1")
    whole.objects.remove(f"{lost.folder}/listings-1.json.gz")
    topic = Topic(f"rights-{now_slot}")
    function.setenv("COINLOG_ALERT_TOPIC", topic.arn)

    with as_role("functionscapturerole") as role:
        assert capture.handler({}, Context())["outcome"] == "stored"
        assert capture.handler({}, Context())["asked"] is False
    assert role.refused == []

    with as_role("functionsloadrole") as role:
        done = load.handler(s3(f"captures/{slot_name(now_slot)}/1/manifest.json"), Context())
        assert load.handler({}, Context())["settled_attempts"] == 0
    assert role.refused == []
    assert (done["settled_attempts"], done["stored_due"]) == (2, iso(now_slot))
    assert done["alerts"] == 2
    assert [*whole.objects.paths("loaded/")] == [f"loaded/{slot_name(now_slot)}"]
    assert outcomes(database) == [
        (now_slot - STEP, "failed", "damaged"),
        (now_slot, "stored", None),
    ]
    assert backfilled(database) == [(now_slot - 40 * STEP, 7.0)]

    # The parameter of addresses is not there, which the stand-in for SSM says.
    function.setenv("COINLOG_ALERT_URLS_PARAMETER", "/coinlog/alert-urls")
    with as_role("functionssendrole") as role:
        sent = send.handler({}, Context())["sent"]
        assert send.handler({}, Context())["sent"] == []
    assert role.refused == []
    assert isinstance(sent, list)
    assert len(sent) == len(topic.subjects()) == 2


def test_the_task_for_commands_may_try_the_bucket_and_remove_nothing_else(
    whole: Archive, as_role: As, now_slot: int
) -> None:
    put_attempt(whole, now_slot)
    with as_role("maintenanceopsrole") as role:
        mine = open_archive(whole.location)
        mine.objects.check_writable()
        put_attempt(mine, now_slot - STEP)
        assert [key.slot for key in mine.attempts()] == [now_slot - STEP, now_slot]
        assert role.refused == []

        with pytest.raises(ArchiveError, match="could not be used"):
            mine.objects.remove(f"captures/{slot_name(now_slot)}/1/manifest.json")
    assert len(whole.attempts()) == 2


def test_the_guard_refuses_what_no_statement_allows(whole: Archive, as_role: As) -> None:
    """A guard that lets everything through would prove nothing."""
    with as_role("functionssendrole") as role:
        mine = open_archive(whole.location)
        tries: tuple[Callable[[], object], ...] = (
            lambda: list(mine.objects.paths("captures/")),
            lambda: mine.objects.put("captures/x", b""),
            lambda: mine.objects.read("alerts/sent/never"),
        )
        for attempt in tries:
            with pytest.raises(ArchiveError, match="could not be used"):
                attempt()
    assert len(role.refused) >= len(tries)


def outcomes(url: sa.URL) -> list[tuple[object, ...]]:
    return look(url, "SELECT slot, outcome, reason FROM slot ORDER BY slot")


def backfilled(url: sa.URL) -> list[tuple[object, ...]]:
    return look(url, "SELECT slot, price FROM quote WHERE origin = 'backfilled'")
