"""The function ``send``: publish the alerts that ``load`` leaves in the bucket.

It needs the bucket and the topic, and no database. An event only means "look": all that was not
sent is sent. An alert is claimed before it is published and marked after it, so that it is sent
once, and twice only where a process dies between the two.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from coinlog.archive import Archive
from coinlog.aws.alerts import FOLDER, SENT, alert_paths, read_alert
from coinlog.aws.buckets import bucket_of
from coinlog.aws.events import object_keys, scheduled_time
from coinlog.aws.lending import Context, Lent, report
from coinlog.aws.setting_up import ready_settings
from coinlog.errors import AlertError, DamagedError, SettingError
from coinlog.extras import aws_client, load_aws

CLAIM_SECONDS = 45.0
"""After which a claim without a mark is one of a process that died: Lambda tries after 60 s."""

SUBJECT_LETTERS = 100


class Sent(msgspec.Struct, frozen=True):
    """The mark of an alert: claimed, and then sent; times in seconds UTC."""

    claimed_at: float
    sent_at: float | None = None
    message_id: str | None = None


def handler(event: object, context: Context) -> dict[str, object]:
    """Publish what was not, and say how much it was.

    Raises:
        EventError: the event cannot be used.
        ArchiveError: the bucket cannot be used.
        AlertError: the topic cannot be used; what was not sent is sent by a later call.
    """
    lent, settings = Lent(context), ready_settings()
    # Only to refuse what is no event of ours.
    object_keys(event), scheduled_time(event)
    if not settings.alert_topic:
        raise SettingError(
            "COINLOG_ALERT_TOPIC is not set: expected the ARN of the topic to publish alerts to"
        )
    sent = send_alerts(bucket_of(settings), settings.alert_topic, lent)
    return report("send", sent=sent, unfinished=lent.over)


def send_alerts(archive: Archive, topic: str, lent: Lent) -> list[str]:
    """Publish each alert that has not been, as far as the time goes; return their paths."""
    marks = set(archive.objects.paths(SENT))
    waiting = [path for path in alert_paths(archive) if not _is_sent(archive, path, marks)]
    client = aws_client("sns") if waiting else None
    return [path for path in waiting if not lent.over and _send(archive, client, topic, path)]


def _is_sent(archive: Archive, path: str, marks: set[str]) -> bool:
    return _mark(path) in marks and _read_mark(archive, path).sent_at is not None


def _send(archive: Archive, client: Any, topic: str, path: str) -> bool:  # noqa: ANN401  boto3 has no types
    """Claim an alert and publish it; ``False`` where another is at it."""
    now = time.time()
    claim = Sent(now)
    if not archive.objects.create(_mark(path), msgspec.json.encode(claim)):
        held = _read_mark(archive, path)
        if held.sent_at is not None or now - held.claimed_at < CLAIM_SECONDS:
            return False
        archive.objects.put(_mark(path), msgspec.json.encode(claim))
    alert = read_alert(archive, path)
    try:
        message_id = _publish(client, topic, alert.subject, alert.text)
    except AlertError:
        archive.objects.put(_mark(path), msgspec.json.encode(Sent(0.0)))
        raise
    archive.objects.put(_mark(path), msgspec.json.encode(Sent(now, time.time(), message_id)))
    return True


def _publish(client: Any, topic: str, subject: str, text: str) -> str:  # noqa: ANN401  boto3 has no types
    errors = load_aws("botocore", "exceptions").exceptions
    # SNS takes one line of ASCII for a subject.
    line = " ".join(subject.split()).encode("ascii", "replace").decode()[:SUBJECT_LETTERS]
    try:
        answer = client.publish(TopicArn=topic, Subject=line, Message=text)
    except (errors.BotoCoreError, errors.ClientError) as error:
        raise AlertError(
            f"an alert could not be published to {topic} ({error}): check that the topic is there "
            "and that the function's role may publish to it; it is sent by a later call"
        ) from error
    return str(answer["MessageId"])


def _read_mark(archive: Archive, path: str) -> Sent:
    try:
        return msgspec.json.decode(archive.objects.read(_mark(path)), type=Sent)
    except (DamagedError, msgspec.DecodeError):
        # What cannot be read is no proof of having been sent.
        return Sent(0.0)


def _mark(path: str) -> str:
    return SENT + path.removeprefix(FOLDER).removesuffix(".json")
