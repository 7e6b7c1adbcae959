"""A drift, announced as the observing function does, and what becomes of it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from contract.drift import DRIFT_DETECTED, DRIFT_EVENT_SOURCE
from contract.errors import UserError
from localcloud.cloud import Cloud
from localcloud.deployment import Deployment

PATIENCE_SECONDS = 600
"""For packages, a training, and two models asked about the held-out photos."""


@dataclass(frozen=True, slots=True)
class AnnouncedDrift:
    """Of a stack that retrains on drift."""

    cloud: Cloud
    deployment: Deployment

    def announce(self) -> str:
        """Put the event on the stack's bus, and wait for the build that it starts; its status."""
        builds = self.cloud.client("codebuild")
        before = set(builds.list_builds()["ids"])
        detail = {
            "id": uuid.uuid4().hex,
            "reason": "the day has one",
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        self.cloud.client("events").put_events(
            Entries=[
                {
                    "EventBusName": str(self.deployment.outputs["eventBusName"]),
                    "Source": DRIFT_EVENT_SOURCE,
                    "DetailType": DRIFT_DETECTED,
                    "Detail": json.dumps(detail),
                }
            ]
        )
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if new := set(builds.list_builds()["ids"]) - before:
                (build,) = builds.batch_get_builds(ids=[*new])["builds"]
                if build["buildStatus"] != "IN_PROGRESS":
                    return str(build["buildStatus"])
            time.sleep(0.5)
        raise UserError(f"no build came to its end within {PATIENCE_SECONDS} s")

    def served(self) -> tuple[str, datetime]:
        """What the endpoint serves, and since when."""
        name = str(self.deployment.outputs["endpointName"])
        found = self.cloud.client("sagemaker").describe_endpoint(EndpointName=name)
        return found["EndpointConfigName"], found["LastModifiedTime"]

    @contextmanager
    def alerts(self) -> Generator[Callable[[], list[tuple[str, str]]]]:
        """Somebody who hears the alert topic: subject and text of what it was told of retrainings."""
        sqs, sns = self.cloud.client("sqs"), self.cloud.client("sns")
        queue = sqs.create_queue(QueueName="day-alerts")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = str(self.deployment.outputs["alertTopicArn"])
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                    "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
                }
            ],
        }  # fmt: skip
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]

        def heard() -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = []
            while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                for message in messages:
                    told = json.loads(message.get("Body", "{}"))
                    if "retrain" in str(told.get("Subject")):
                        found.append((str(told["Subject"]), str(told["Message"])))
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message.get("ReceiptHandle", ""))
            return found

        try:
            yield heard
        finally:
            sns.unsubscribe(SubscriptionArn=subscription)
            sqs.delete_queue(QueueUrl=queue)
