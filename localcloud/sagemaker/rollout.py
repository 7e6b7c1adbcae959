"""A blue/green roll-out: which share of the photos the new instances get, how they are watched, how one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from localcloud.sagemaker.endpoint import ContainerError, Endpoint

Rehearsal = Literal["health-check", "errors"]
"""How the next roll-out of an endpoint is made to fail: no instance comes up, or every answer is a server error."""
REHEARSALS: tuple[Rehearsal, ...] = get_args(Rehearsal)
LOOK_SECONDS = 0.1
"""Between two looks at the alarms."""
NAMESPACE = "AWS/SageMaker"


class RolledBackError(Exception):
    """Why a roll-out was taken back."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A deployment that is under way."""

    configuration: str
    variant: str
    began: float

    def summary(self, stage: str) -> dict[str, Any]:
        """What DescribeEndpoint tells of it, in one of the stages of its API reference's ProductionVariantStatus."""
        variant = {"VariantName": self.variant, "VariantStatus": [{"Status": stage}]}
        return {"EndpointConfigName": self.configuration, "ProductionVariants": [variant], "StartTime": self.began}


@dataclass(slots=True)
class Canary:
    """New instances of an endpoint: one in `every` photos goes to them, and what they answer is measured."""

    name: str
    configuration: str
    endpoint: Endpoint
    every: int
    fails: bool
    asked: int = 0

    def is_next(self) -> bool:
        """Whether the next photo goes here."""
        self.asked += 1
        return self.asked % self.every == 0

    def invoke(self, cloudwatch: Any, content_type: str, body: bytes, inference_id: str | None) -> bytes:
        """The answer, with its metrics.

        Raises:
            ContainerError: the container answers with an error.
        """
        started, error = time.monotonic(), False
        try:
            if self.fails:
                raise ContainerError(500, "rehearsed: the new model answers every request with an error")
            return self.endpoint.invoke(content_type, body, inference_id)
        except ContainerError as fault:
            error = fault.status >= 500
            raise
        finally:
            microseconds = (time.monotonic() - started) * 1_000_000
            named = {
                "EndpointName": self.name,
                "VariantName": self.endpoint.variant,
                "EndpointConfigName": self.configuration,
            }
            dimensions = [{"Name": key, "Value": value} for key, value in named.items()]
            values = {"Invocation5XXErrors": float(error), "ModelLatency": microseconds}
            data = [{"MetricName": key, "Dimensions": dimensions, "Value": value} for key, value in values.items()]
            cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)


def one_in(deployment: Mapping[str, Any], instances: int) -> int:
    """One in how many photos goes to the new instances while they are watched."""
    canary = _routing(deployment).get("CanarySize")
    if not canary:
        return 1
    percent = canary["Value"] if canary["Type"] == "CAPACITY_PERCENT" else 100 * canary["Value"] / instances
    return max(1, round(100 / percent))


def canary_problem(deployment: Mapping[str, Any], instances: int) -> str:
    """Why SageMaker would refuse the canary's size; "" when it would not."""
    canary = _routing(deployment).get("CanarySize", {})
    size = canary.get("Value", 0)
    most = instances / 2 if canary.get("Type") == "INSTANCE_COUNT" else 50
    return "CanarySize must be at most 50% of the variant's total instance count." if size > most else ""


def bake(
    deployment: Mapping[str, Any], cloudwatch: Any, seconds_per_minute: float, goes_on: Callable[[], bool]
) -> None:
    """Watch the alarms of a deployment for as long as it says.

    Raises:
        RolledBackError: one went off.
    """
    alarms = [each["AlarmName"] for each in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
    for alarm in alarms:
        # no value of the new instances is no trouble, which the emulator would not notice by itself
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a new deployment")
    until = time.monotonic() + _routing(deployment).get("WaitIntervalInSeconds", 0) / 60 * seconds_per_minute
    while alarms and time.monotonic() < until and goes_on():
        found = cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]
        if tripped := [each["AlarmName"] for each in found if each["StateValue"] == "ALARM"]:
            raise RolledBackError(f"The deployment was rolled back: {', '.join(tripped)} went off")
        time.sleep(LOOK_SECONDS)


def _routing(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    return deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
