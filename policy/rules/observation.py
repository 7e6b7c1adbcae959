"""What wakes somebody up: alarms."""

from __future__ import annotations

from pulumi_policy import ResourceValidationArgs

from policy.rule import Complaints, on
from policy.values import at, items

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LONGEST_DESCRIPTION = 1024
"""Characters (CloudWatch API reference, PutMetricAlarm)."""


@on(ALARM)
def alarm_tells_somebody(args: ResourceValidationArgs) -> Complaints:
    """An alarm without an action is a colour on a page that nobody looks at."""
    if not items(at(args.props, "alarmActions")):
        yield "alarmActions must name a topic or a function"
    if at(args.props, "actionsEnabled") is False:
        yield "actionsEnabled must not be false"


@on(ALARM)
def alarm_says_what_to_do(args: ResourceValidationArgs) -> Complaints:
    """Who is woken up at night reads what has happened and what to do."""
    text = at(args.props, "alarmDescription")
    if not isinstance(text, str) or "Runbook:" not in text:
        yield "alarmDescription must say what to do, after 'Runbook:'"
    elif len(text) > LONGEST_DESCRIPTION:
        yield f"alarmDescription must have {LONGEST_DESCRIPTION} characters at most, got {len(text)}"


@on("aws:budgets/budget:Budget")
def budget_tells_somebody(args: ResourceValidationArgs) -> Complaints:
    """A budget is to be heard of before it is used up, and when it is."""
    told = [each for each in items(at(args.props, "notifications")) if whom(each)]
    for kind in ("FORECASTED", "ACTUAL"):
        if not any(at(each, "notificationType") == kind for each in told):
            yield f"no notification of kind {kind} names a topic or an address"


@on("aws:budgets/budget:Budget")
def budget_is_the_stack_s(args: ResourceValidationArgs) -> Complaints:
    """A budget that counts the whole account tells of other people's costs."""
    if not items(at(args.props, "costFilters")) and not at(args.props, "filterExpression"):
        yield "costFilters must name the stack's tag"


def whom(notification: object) -> bool:
    """Whether anybody hears of it."""
    return any(items(at(notification, f"subscriber{kind}")) for kind in ("SnsTopicArns", "EmailAddresses"))


@on(ALARM)
def alarm_knows_silence(args: ResourceValidationArgs) -> Complaints:
    """Whether no data is good news, bad news or none is decided for each alarm."""
    if not at(args.props, "treatMissingData"):
        yield "treatMissingData must be set"
