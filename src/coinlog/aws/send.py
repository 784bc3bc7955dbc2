"""The function ``send``: deliver the alerts that ``load`` leaves in the bucket.

It needs the bucket, the topic and the internet, and no database. An event only means "look": all
that was not sent is sent, to the topic and to each address of Apprise in the parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coinlog.alerts.delivering import Deliverer, Receives
from coinlog.alerts.left import Alert
from coinlog.aws.buckets import bucket_of
from coinlog.aws.events import object_keys, scheduled_time
from coinlog.aws.lending import Context, Lent, report
from coinlog.aws.setting_up import ready_settings
from coinlog.errors import AlertError, SettingError
from coinlog.extras import aws_client, load_aws
from coinlog.settings import Settings
from coinlog.settings.stored_secrets import alert_urls

SUBJECT_LETTERS = 100


def handler(event: object, context: Context) -> dict[str, object]:
    """Deliver what was not, and say how much it was.

    Raises:
        EventError: the event cannot be used.
        ArchiveError: the bucket cannot be used.
        AlertError: a receiver did not take it; what was not sent is sent by a later call.
    """
    lent, settings = Lent(context), ready_settings()
    # Only to refuse what is no event of ours.
    object_keys(event), scheduled_time(event)
    if not settings.alert_topic:
        raise SettingError(
            "COINLOG_ALERT_TOPIC is not set: expected the ARN of the topic to publish alerts to"
        )
    # Lambda itself waits before it tries again.
    deliverer = Deliverer(bucket_of(settings), _receivers(settings), first_pause=0)
    done = deliverer.deliver(lambda: lent.over)
    if done.failed:
        raise AlertError(f"{'; '.join(done.failed)}; it is sent by a later call")
    return report("send", sent=list(done.sent), unfinished=lent.over)


def _receivers(settings: Settings) -> Sequence[Receives]:
    """Return the topic, and whatever the parameter names beside it."""
    assert settings.alert_topic  # noqa: S101  the handler has looked
    found: list[Receives] = [Topic(settings.alert_topic)]
    urls = [url.reveal() for url in alert_urls(settings)]
    if urls:
        # Apprise takes a second to load, and comes in a layer of its own.
        from coinlog.alerts.targets import open_targets  # noqa: PLC0415  and this is at the start

        found += open_targets(urls, "COINLOG_ALERT_URLS_PARAMETER")
    return found


class Topic:
    """A topic of SNS."""

    id = ""

    def __init__(self, arn: str) -> None:
        self.label = self._arn = arn
        self._client: Any = None

    def send(self, alert: Alert) -> str:
        """Publish an alert and return the message's id.

        Raises:
            AlertError: the topic cannot be used.
        """
        errors = load_aws("botocore", "exceptions").exceptions
        self._client = self._client or aws_client("sns")
        # SNS takes one line of ASCII for a subject.
        line = " ".join(alert.subject.split()).encode("ascii", "replace").decode()
        try:
            answer = self._client.publish(
                TopicArn=self._arn, Subject=line[:SUBJECT_LETTERS], Message=alert.text
            )
        except (errors.BotoCoreError, errors.ClientError) as error:
            raise AlertError(
                f"an alert could not be published to {self._arn} ({error}): check that the topic "
                "is there and that the function's role may publish to it"
            ) from error
        return str(answer["MessageId"])
