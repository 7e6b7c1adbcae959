"""Who need not keep which rule, and why."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Excused:
    """Resources that a rule does not hold for."""

    rule: str
    resources: tuple[str, ...]
    """Their names; `*` stands for any part of one."""
    reason: str


EXCUSED = (
    Excused(
        "topic-encrypted",
        ("*-alerts",),
        "without a customer's key there is none: alarms can't publish through AWS's own key for topics, and the "
        "messages only name a photo",
    ),
    Excused(
        "event-target-keeps-what-it-could-not-deliver",
        ("*-captures-target",),
        "a lost event is a gap in a metric, nothing that a person waits for; the alarm blind watches the function",
    ),
    Excused(
        "event-target-keeps-what-it-could-not-deliver",
        ("*-executions-target",),
        "as the captures' target: nothing but a metric hangs on it",
    ),
    Excused(
        "event-target-keeps-what-it-could-not-deliver",
        ("*-drift-target",),
        "the alarm has told people of the drift already, and what could not be started by it they start by hand",
    ),
    Excused("model-isolated", ("model-model",), "a serverless endpoint takes no isolated model; any other is isolated"),
    Excused(
        "function-concurrency-reserved",
        ("workflow-*", "observability-*", "ramp-*"),
        "a reserve is taken from the account's pool, for functions that the state machine retries when they are "
        "throttled; the share is the account owner's to cut",
    ),
    Excused(
        "function-concurrency-reserved",
        ("register-empty",),
        "it runs once, when the stack is destroyed",
    ),
    Excused("function-traced", ("register-empty",), "it runs once, when the stack is destroyed"),
    Excused(
        "execution-traced",
        ("*-machine",),
        "a Standard execution's history holds every step's time for 90 days; a trace a photo would be paid for twice",
    ),
    Excused(
        "function-traced",
        ("workflow-*", "observability-*", "ramp-*"),
        "as the executions: their history times every invocation",
    ),
    Excused(
        "alarm-tells-somebody",
        ("*-rollback-*",),
        "SageMaker itself asks them while a new model is rolled out; whoever rolls it out is told by `pulumi up`",
    ),
    Excused("queue-watched", ("ramp-*",), "the example takes no Observability: its alarms are the other team's own"),
)


def excused(rule: str, resource: str) -> bool:
    """Whether the rule does not hold for the resource of that name."""
    return any(
        each.rule == rule and any(fnmatch.fnmatchcase(resource, name) for name in each.resources) for each in EXCUSED
    )
