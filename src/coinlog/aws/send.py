"""The function ``send``: deliver the alerts that ``load`` leaves in the bucket.

It needs the bucket, the topic and the internet, and no database. An event only means "look": all
that was not sent is sent, to the topic and to each address of Apprise in the parameter. A schedule
calls it too, so what a receiver did not take is tried again for as long as it is news.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from coinlog.alerts.delivering import SEND_SECONDS, Deliverer, Receives, kept_seconds
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

_log = logging.getLogger(__name__)


def handler(event: object, context: Context) -> dict[str, object]:
    """Deliver what was not, and say how much it was.

    Raises:
        EventError: the event cannot be used.
        ArchiveError: the bucket cannot be used.
        AlertError: a receiver did not take it, or an address cannot be used, and no schedule
            called: Lambda tries again soon, and an alarm tells of it.
    """
    lent, settings = Lent(context), ready_settings()
    by_schedule = not object_keys(event) and scheduled_time(event) is not None
    if not settings.alert_topic:
        raise SettingError(
            "COINLOG_ALERT_TOPIC is not set: expected the ARN of the topic to publish alerts to"
        )
    sent, troubles = _deliver(settings, settings.alert_topic, lent)
    if troubles and not by_schedule:
        raise AlertError(f"{'; '.join(troubles)}; what is not sent is sent by a later call")
    return report("send", sent=sent, failed=troubles, unfinished=lent.over)


def _deliver(settings: Settings, topic: str, lent: Lent) -> tuple[list[str], list[str]]:
    """Deliver what waits; return what was sent, and what is wrong."""
    archive = bucket_of(settings)
    kept = kept_seconds(settings.interval_seconds)
    # Lambda itself waits before it tries again.
    make = partial(Deliverer, archive, kept=kept, first_pause=0)
    if not make([]).waits():
        return [], []
    addresses, odd = _addresses(settings)
    for text in odd:
        _log.warning("%s; the other receivers get what there is", text)
    # What is begun must be marked before Lambda ends the process.
    done = make([Topic(topic), *addresses]).deliver(lambda: lent.left() < SEND_SECONDS)
    return list(done.sent), [*odd, *done.failed]


def _addresses(settings: Settings) -> tuple[list[Receives], list[str]]:
    """Return the addresses that the parameter names, and what is wrong with others."""
    try:
        urls = [url.reveal() for url in alert_urls(settings)]
    except SettingError as error:
        return [], [str(error)]
    if not urls:
        return [], []
    # Apprise takes a second to load, and comes in a layer of its own.
    from coinlog.alerts.targets import usable_targets  # noqa: PLC0415  and this is at the start

    opened = usable_targets(urls, "COINLOG_ALERT_URLS_PARAMETER")
    return list(opened.targets), list(opened.problems)


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
