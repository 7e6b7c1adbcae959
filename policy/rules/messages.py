"""What is on its way: queues, topics, rules and their targets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pulumi_policy import ResourceValidationArgs

from policy.rule import ADVISORY, Complaints, Registered, on, on_stack
from policy.values import at, number, statements, strings

QUEUE = "aws:sqs/queue:Queue"
GUARDED_BY = {QUEUE: "aws:sqs/queuePolicy:QueuePolicy", "aws:sns/topic:Topic": "aws:sns/topicPolicy:TopicPolicy"}
A_WEEK = 7 * 24 * 60 * 60
"""Seconds: over a long weekend nobody empties a queue."""


@on(QUEUE)
def queue_encrypted(args: ResourceValidationArgs) -> Complaints:
    """Messages name photos and people's decisions."""
    if at(args.props, "sqsManagedSseEnabled") is not True and not at(args.props, "kmsMasterKeyId"):
        yield "sqsManagedSseEnabled must be true, or kmsMasterKeyId given"


@on(QUEUE)
def queue_keeps_its_messages(args: ResourceValidationArgs) -> Complaints:
    """A photo that waits for a person must not vanish over a long weekend."""
    seconds = number(at(args.props, "messageRetentionSeconds"))
    if seconds is None or seconds < A_WEEK:
        yield f"messageRetentionSeconds must be {A_WEEK} or more, got {seconds}"


@on(QUEUE)
def queue_redrives_to_another(args: ResourceValidationArgs) -> Complaints:
    """A message that no consumer can digest goes to a dead-letter queue, after a few attempts and not after none."""
    policy = at(args.props, "redrivePolicy")
    if policy is None:
        return
    parsed: object = json.loads(policy) if isinstance(policy, str) else policy
    attempts = number(at(parsed, "maxReceiveCount"))
    if not at(parsed, "deadLetterTargetArn") or attempts is None or attempts < 2:
        yield f"redrivePolicy must name deadLetterTargetArn and a maxReceiveCount of 2 or more, got {policy}"


@on_stack()
def queue_with_a_consumer_redrives(resources: Sequence[Registered]) -> Iterable[tuple[Registered, str]]:
    """A queue that a function empties has a dead-letter queue; one that people empty has their eyes."""
    mappings = [each for each in resources if each.resource_type.endswith(":EventSourceMapping")]
    for queue in (each for mapping in mappings for each in mapping.dependencies if each.resource_type == QUEUE):
        if not any(each.resource_type == QUEUE for each in queue.dependencies):
            yield queue, f"{queue.name} is emptied by a function and has no dead-letter queue"


@on_stack()
def queue_watched(resources: Sequence[Registered]) -> Iterable[tuple[Registered, str]]:
    """Somebody is told when messages lie in a queue for too long."""
    alarms = [each for each in resources if each.resource_type.endswith(":MetricAlarm")]
    for queue in (each for each in resources if each.resource_type == QUEUE):
        if not any(queue in alarm.dependencies for alarm in alarms):
            yield queue, f"no alarm watches {queue.name}"


@on("aws:sns/topic:Topic", level=ADVISORY)
def topic_encrypted(args: ResourceValidationArgs) -> Complaints:
    """Messages at rest in a topic are encrypted."""
    if not at(args.props, "kmsMasterKeyId"):
        yield "kmsMasterKeyId is not given"


@on_stack()
def queue_and_topic_guarded(resources: Sequence[Registered]) -> Iterable[tuple[Registered, str]]:
    """What travels to a queue or a topic travels encrypted, which a policy of its own demands."""
    for kind, policy in GUARDED_BY.items():
        for each in (each for each in resources if each.resource_type == kind):
            if not any(other.resource_type == policy and each in other.dependencies for other in resources):
                yield each, f"{each.name} has no policy of its own"


@on(*GUARDED_BY.values())
def message_refuses_plain_http(args: ResourceValidationArgs) -> Complaints:
    """Messages name photos and people's decisions: a request that is not encrypted on the way is denied."""
    for each in statements(at(args.props, "policy")):
        insecure = str(at(each, "Condition", "Bool", "aws:SecureTransport")).lower() == "false"
        if at(each, "Effect") == "Deny" and insecure and {*strings(at(each, "Action"))} & {"sqs:*", "sns:Publish"}:
            return
    yield "no statement denies sqs:* or sns:Publish where aws:SecureTransport is false"


@on("aws:cloudwatch/eventRule:EventRule")
def event_rule_asks_for_something(args: ResourceValidationArgs) -> Complaints:
    """A rule that names no source is set off by everything that happens in the account."""
    pattern, schedule = at(args.props, "eventPattern"), at(args.props, "scheduleExpression")
    parsed: object = json.loads(pattern) if isinstance(pattern, str) else pattern
    if not schedule and not at(parsed, "source"):
        yield "eventPattern must name a source"


@on("aws:cloudwatch/eventTarget:EventTarget")
def event_target_keeps_what_it_could_not_deliver(args: ResourceValidationArgs) -> Complaints:
    """An event that could not be delivered is in a dead-letter queue, not gone."""
    if not at(args.props, "deadLetterConfig", "arn"):
        yield "deadLetterConfig.arn must name a queue"
