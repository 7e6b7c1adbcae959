"""ministack, with two of its habits put right: `python -P localcloud/emulator.py`.

Its Lambda Runtime API answers in two small writes; by Nagle's algorithm and the client's delayed acknowledgement each
invocation waits some 40 ms for the second. And it judges an alarm by its metric's name alone, whatever the dimensions,
so that an alarm on faults goes off for a photo that was accepted.
"""

from __future__ import annotations

import operator
import socketserver
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from ministack import app  # pyright: ignore[reportMissingTypeStubs]
from ministack.services import cloudwatch  # pyright: ignore[reportMissingTypeStubs]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


def state_of(
    alarm: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    now: float,
    value_of: Callable[[Sequence[Mapping[str, Any]]], float | None],
) -> State | None:
    """The state of an alarm on one metric, as CloudWatch's "Evaluating an alarm" has it.

    Args:
        alarm: as PutMetricAlarm takes it.
        points: the metric's data with exactly the alarm's dimensions, each with its `Timestamp` in seconds.
        now: seconds.
        value_of: the alarm's statistic of a period's data.

    Returns:
        The state; None when it stays as it is.
    """
    period, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or count)
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    values: list[float] = []
    for age in range(count):
        end = now - age * period
        chosen = [point for point in points if end - period < point["Timestamp"] <= end]
        value = value_of(chosen) if chosen else None
        if value is not None:
            values.append(value)
    missing, treatment = count - len(values), alarm.get("TreatMissingData", "missing")
    if not values and treatment in ("missing", "ignore"):
        return None if treatment == "ignore" else "INSUFFICIENT_DATA"
    breaching = sum(breaches(value, float(alarm["Threshold"])) for value in values)
    return "ALARM" if breaching + missing * (treatment == "breaching") >= needed else "OK"


def _evaluate(alarm: dict[str, Any]) -> None:
    # Metric math is not evaluated, and nobody here publishes the metrics of SQS, Lambda and SageMaker themselves:
    # such alarms stay INSUFFICIENT_DATA, which is the truth.
    if not alarm.get("MetricName") or alarm.get("ComparisonOperator") not in COMPARISONS:
        return
    module: Any = cloudwatch
    wanted: list[dict[str, str]] = alarm.get("Dimensions") or []
    dimensions = module._dims_key({each["Name"]: each["Value"] for each in wanted})
    points = list(module._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    if not points:
        return
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")

    def value_of(chosen: Iterable[Mapping[str, Any]]) -> float | None:
        return module._stat_value(module._calc_stats(chosen), statistic, chosen)

    before, after = alarm["StateValue"], state_of(alarm, points, time.time(), value_of)
    if after in (None, before):
        return
    reason = f"{statistic} of {alarm['MetricName']} ({dimensions}) against {alarm['Threshold']}"
    alarm.update(StateValue=after, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    module._record_history(alarm["AlarmName"], before, after, reason)
    module._dispatch_alarm_actions(alarm, before, after, reason)
    module._evaluate_parent_alarms(alarm)


def _describe(describe: Callable[..., Any]) -> Callable[..., Any]:
    """An alarm whose metric has fallen silent is judged anew when somebody looks."""

    def described(*words: Any, **named: Any) -> Any:
        module: Any = cloudwatch
        for alarm in list(module._alarms.values()):
            _evaluate(alarm)
        return describe(*words, **named)

    return described


if __name__ == "__main__":
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    service: Any = cloudwatch
    service._evaluate_alarm = _evaluate
    service._describe_alarms = _describe(service._describe_alarms)
    app.main()
