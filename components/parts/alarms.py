"""What wakes somebody up, when, and what they do then: every alarm of the stack as plain data.

A review is an execution that fails by design, so the failures that Step Functions counts are no alarm: the faults
among them are, and the share of reviews. The observe function tells them apart, and is watched itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

from contract.names import ENDPOINT_LOG_GROUP
from handlers.observe import metrics

HOUR, FIVE_MINUTES, MINUTE = 3600, 300, 60
FEWEST_EXECUTIONS = 20
"""Executions of an hour below which the review rate means nothing."""
SLOWEST_ANSWER_SECONDS = 2
"""That 90 % of the model's answers must beat."""
LONGEST_WAIT_MINUTES = 60
"""That a photo may lie in the review queue: a driver waits for it."""
DRIFT = "drift"
RUNBOOKS = "docs/operations.md#alarm-"
"""Where the runbook of an alarm is, before its name; a heading `Alarm NAME` has that anchor."""


@dataclass(frozen=True, slots=True)
class Alarmed:
    """Names of what is watched."""

    namespace: pulumi.Input[str]
    stack: pulumi.Input[str]
    endpoint: pulumi.Input[str]
    variant: pulumi.Input[str]
    review_queue: pulumi.Input[str]
    dead_letter_queue: pulumi.Input[str]
    observe_function: pulumi.Input[str]


@dataclass(frozen=True, slots=True)
class AlarmSpec:
    """An alarm on one metric."""

    key: str
    """What the resource is named after."""
    what: str
    """What has happened."""
    runbook: str
    """What to do."""
    namespace: pulumi.Input[str]
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str
    """As CloudWatch names it: Sum, Average, Maximum, p90."""
    threshold: float
    """It goes off above this value."""
    period: int
    """Seconds."""
    periods: int = 1
    """How many of the latest periods are looked at."""
    datapoints_to_alarm: int = 1
    """How many of these must be above."""
    missing: Literal["notBreaching", "ignore"] = "notBreaching"
    """notBreaching: no data is no trouble. ignore: no data is no news, the state stays as it is."""
    notify_on_recovery: bool = True
    """Whether its end is published as well."""
    least_samples: int = 0
    """Values of a period below which it is no trouble, whatever they are."""
    chapter: str = ""
    """What its runbook is called, where `key` alone would not say whose alarm it is."""

    @property
    def description(self) -> str:
        """For whoever reads the alert; CloudWatch takes 1024 characters."""
        return f"{self.what} Runbook: {self.runbook} {RUNBOOKS}{self.chapter or self.key}"


def alarm_specs(watched: Alarmed, review_rate_percent: float, *, neither: bool = False) -> list[AlarmSpec]:
    """Every alarm.

    Args:
        watched: names of what is watched.
        review_rate_percent: the share of photos for a person, and of strangers, above which it is too many.
        neither: whether the model has a label for pictures of none of the classes.
    """
    endpoint = {"EndpointName": watched.endpoint, "VariantName": watched.variant}
    return [
        AlarmSpec(
            key="faults",
            what="An execution ended in a fault (a review, which fails by design, is not counted).",
            runbook=(
                "open the failed executions of the state machine; error and cause name the fault; the photo and"
                " its version are in the review queue; upload it again once the cause is gone."
            ),
            namespace=watched.namespace,
            metric=metrics.EXECUTIONS,
            dimensions={metrics.STACK: watched.stack, metrics.OUTCOME: "fault"},
            statistic="Sum",
            threshold=0,
            period=FIVE_MINUTES,
            notify_on_recovery=False,  # the next five minutes without a fault repair nothing
        ),
        AlarmSpec(
            key="review-rate",
            what=f"Too many of the hour's photos went to a person (judged from {FEWEST_EXECUTIONS} photos on).",
            runbook=(
                "python -m operations report shows since when and which class; look at the least sure photos: a"
                " dirty or moved camera, or vehicles that the model has not seen, is more likely than the model."
            ),
            namespace=watched.namespace,
            metric=metrics.EXECUTIONS,
            dimensions={metrics.STACK: watched.stack, metrics.OUTCOME: "review"},
            statistic="Average",
            threshold=review_rate_percent / 100,
            period=HOUR,
            least_samples=FEWEST_EXECUTIONS,
        ),
        *([_stranger_rate(watched, review_rate_percent)] if neither else []),
        AlarmSpec(
            key="endpoint-errors",
            what="The endpoint answered with server errors in two of the last three five minutes.",
            runbook=(
                f"read the endpoint's log group {ENDPOINT_LOG_GROUP}/<endpoint>; if a roll-out is new, deploy the"
                " previous settings (docs/rollout.md); photos meanwhile are in the review queue."
            ),
            namespace="AWS/SageMaker",
            metric="Invocation5XXErrors",
            dimensions=endpoint,
            statistic="Sum",
            threshold=0,
            period=FIVE_MINUTES,
            periods=3,  # a single error is retried by the state machine and hurts nobody
            datapoints_to_alarm=2,
        ),
        AlarmSpec(
            key="endpoint-latency",
            what=f"The model takes more than {SLOWEST_ANSWER_SECONDS} s for a tenth of the photos.",
            runbook=(
                "look at the endpoint's load on the dashboard; raise endpointMaxInstances or take a larger"
                " endpointInstanceType."
            ),
            namespace="AWS/SageMaker",
            metric="ModelLatency",
            dimensions=endpoint,
            statistic="p90",
            threshold=SLOWEST_ANSWER_SECONDS * 1_000_000,  # microseconds
            period=FIVE_MINUTES,
            periods=3,
            datapoints_to_alarm=3,
        ),
        AlarmSpec(
            key="queue-age",
            what=f"A photo has waited for a person for more than {LONGEST_WAIT_MINUTES} minutes.",
            runbook="take the messages from the review queue: each names the photo, why it is there, its scores.",
            namespace="AWS/SQS",
            metric="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": watched.review_queue},
            statistic="Maximum",
            threshold=LONGEST_WAIT_MINUTES * 60,
            period=FIVE_MINUTES,
        ),
        AlarmSpec(
            key="undelivered",
            what="An upload started no execution: the event is in the rule's dead-letter queue.",
            runbook=(
                "read ERROR_MESSAGE of the message; usually the rule's role or a quota of Step Functions; start the"
                " execution by hand with the object of the event."
            ),
            namespace="AWS/SQS",
            metric="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": watched.dead_letter_queue},
            statistic="Maximum",
            threshold=0,
            period=FIVE_MINUTES,
        ),
        AlarmSpec(
            key=DRIFT,
            what="The confidences of the latest photos differ from the evaluation's, beyond chance and by much.",
            runbook=(
                "python -m operations report says what changed and since when; if the photos are right and the"
                " world has changed, collect and label new ones, train, evaluate; nothing is deployed by itself."
            ),
            namespace=watched.namespace,
            metric=metrics.DRIFT_SCORE,
            dimensions={metrics.STACK: watched.stack, metrics.ENDPOINT: watched.endpoint},
            statistic="Average",
            threshold=1,
            period=HOUR,
            missing="ignore",  # a night without photos ends no drift, and the morning is no new one
        ),
        AlarmSpec(
            key="blind",
            what="The observe function fails: metrics, and the alarms on them, can't be trusted.",
            runbook="read the function's log group; the metrics of what it missed come with no later file.",
            namespace="AWS/Lambda",
            metric="Errors",
            dimensions={"FunctionName": watched.observe_function},
            statistic="Sum",
            threshold=0,
            period=FIVE_MINUTES,
        ),
    ]


def _stranger_rate(watched: Alarmed, percent: float) -> AlarmSpec:
    return AlarmSpec(
        key="stranger-rate",
        what=f"Too many of the hour's photos show none of the classes (judged from {FEWEST_EXECUTIONS} photos on).",
        runbook=(
            "look at the photos in the review queue: a camera that points elsewhere or sees nothing needs a hand;"
            " vehicles of a new kind need a class, and a model that is trained with it."
        ),
        namespace=watched.namespace,
        metric=metrics.EXECUTIONS,
        dimensions={metrics.STACK: watched.stack, metrics.OUTCOME: "neither"},
        statistic="Average",
        threshold=percent / 100,
        period=HOUR,
        least_samples=FEWEST_EXECUTIONS,
    )


def rollback_specs(endpoint: pulumi.Input[str], variant: str, configuration: pulumi.Input[str]) -> list[AlarmSpec]:
    """The alarms that take a new configuration back while it is rolled out: they hear its own instances alone.

    So an endpoint in trouble does not keep the model that repairs it from being rolled out. They tell nobody: `pulumi
    up` fails.

    Args:
        endpoint: the endpoint's name.
        variant: its production variant.
        configuration: the configuration that is rolled out.
    """
    new_instances = {"EndpointName": endpoint, "VariantName": variant, "EndpointConfigName": configuration}
    return [
        AlarmSpec(
            key="rollback-errors",
            what="The new model answered with a server error while it was rolled out, and is taken back.",
            runbook=(
                f"read the endpoint's log group {ENDPOINT_LOG_GROUP}/<endpoint>; the previous model serves; deploy"
                " another one, or the previous settings (docs/rollout.md)."
            ),
            namespace="AWS/SageMaker",
            metric="Invocation5XXErrors",
            dimensions=new_instances,
            statistic="Sum",
            threshold=0,
            period=MINUTE,  # few photos reach a canary: one error is enough to look at the model again
        ),
        AlarmSpec(
            key="rollback-latency",
            what=f"The new model took more than {SLOWEST_ANSWER_SECONDS} s for its photos, and is taken back.",
            runbook=(
                "the previous model serves; take a larger endpointInstanceType or a smaller network, and deploy again"
                " (docs/rollout.md)."
            ),
            namespace="AWS/SageMaker",
            metric="ModelLatency",
            dimensions=new_instances,
            statistic="Average",
            threshold=SLOWEST_ANSWER_SECONDS * 1_000_000,  # microseconds
            period=MINUTE,
            periods=3,  # the first photo of a new instance may wait for the network to be loaded
            datapoints_to_alarm=2,
        ),
    ]
