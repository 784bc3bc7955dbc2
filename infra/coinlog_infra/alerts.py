"""The topic through which people are told, by alarms and by what the loader has to say."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from coinlog_infra.accepted import accept
from coinlog_infra.options import Options


class Alerts(Construct):
    """One topic for everything that a person should hear of."""

    def __init__(self, scope: Construct, construct_id: str, options: Options) -> None:
        """Make the topic, and subscribe the address that was given."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "topic", topic_name=options.name, enforce_ssl=True)
        if options.email:
            self.topic.add_subscription(subscriptions.EmailSubscription(options.email))
        # Alarms cannot publish to a topic that AWS's own key encrypts, and alerts are no secrets.
        reason = "alarms need a key of our own for that, which costs monthly; alerts are no secrets"
        accept(self.topic, "CKV_AWS_26", reason)
