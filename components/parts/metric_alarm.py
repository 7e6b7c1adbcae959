"""An alarm's resource, made of its specification."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import cloudwatch

from components.parts.alarms import AlarmSpec


def metric_alarm(
    name: str,
    spec: AlarmSpec,
    *,
    actions: Sequence[pulumi.Input[str]] = (),
    recovery_actions: Sequence[pulumi.Input[str]] = (),
    opts: pulumi.ResourceOptions,
) -> cloudwatch.MetricAlarm:
    """Make an alarm.

    Args:
        name: what the resource's name begins with; the specification's key follows.
        spec: what it watches.
        actions: ARNs of what is told when it goes off.
        recovery_actions: ARNs of what is told when it is over.
        opts: of the resource.
    """
    by_math, percentile = spec.least_samples > 0, spec.statistic.startswith("p")
    return cloudwatch.MetricAlarm(
        f"{name}-{spec.key}",
        alarm_description=spec.description,
        namespace=None if by_math else spec.namespace,
        metric_name=None if by_math else spec.metric,
        dimensions=None if by_math else spec.dimensions,
        period=None if by_math else spec.period,
        statistic=None if by_math or percentile else spec.statistic,
        extended_statistic=spec.statistic if percentile and not by_math else None,
        metric_queries=_enough_samples(spec) if by_math else None,
        comparison_operator="GreaterThanThreshold",
        threshold=spec.threshold,
        evaluation_periods=spec.periods,
        datapoints_to_alarm=spec.datapoints_to_alarm,
        treat_missing_data=spec.missing,
        alarm_actions=list(actions),
        ok_actions=list(recovery_actions),
        opts=opts,
    )


def _enough_samples(spec: AlarmSpec) -> list[cloudwatch.MetricAlarmMetricQueryArgs]:
    """The metric, or 0 where it has fewer than `least_samples` values."""

    def query(identity: str, statistic: str) -> cloudwatch.MetricAlarmMetricQueryArgs:
        metric = cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=spec.namespace,
            metric_name=spec.metric,
            dimensions=spec.dimensions,
            period=spec.period,
            stat=statistic,
        )
        return cloudwatch.MetricAlarmMetricQueryArgs(id=identity, metric=metric, return_data=False)

    judged = cloudwatch.MetricAlarmMetricQueryArgs(
        id="judged",
        expression=f"IF(samples >= {spec.least_samples}, value, 0)",
        label=spec.metric,
        return_data=True,
    )
    return [query("value", spec.statistic), query("samples", "SampleCount"), judged]
