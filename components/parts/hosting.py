"""Hosting: what a model runs on, and how an endpoint gets there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import appautoscaling, cloudwatch, sagemaker

from components.parts import bounds
from components.parts.alarms import rollback_specs
from components.parts.arguments import Arguments
from components.parts.encryption import volume_key
from components.parts.metric_alarm import metric_alarm
from components.parts.provider_client import provider_clients
from components.parts.rollout import WantedHosting, confirm
from contract import prefixes
from contract.names import ENDPOINT_LOG_GROUP

VARIANT = "AllTraffic"
"""The variant's name must stay the same, or an endpoint can't be updated blue/green."""
INVOCATIONS_PER_INSTANCE = 300
"""A minute: five photos a second keep an ml.m5.large about half busy with a small network."""
SHORTEST_BAKE, LONGEST_BAKE = 5, 30
"""Minutes: alarms need some; and the provider waits for an endpoint for an hour in all."""
AT_ONCE_BAKE_SECONDS = 180
"""What the alarms are given when all instances follow at once."""
TERMINATION_WAIT_SECONDS = 60
"""What the old instances stay for after the last photo was sent to them."""


class RealtimeHostingArgs(TypedDict):
    """Instances that are always there."""

    instance_type: str
    """A CPU instance that SageMaker hosts on, such as ml.m5.large."""
    min_instances: int
    """The fewest instances, from 1 to 20; each roll-out begins with as many."""
    max_instances: int
    """The most instances, from `min_instances` to 20; equal ones mean no scaling."""
    capture_percentage: NotRequired[int]
    """The share of inferences that is captured, in percent from 0 to 100; 0 without it."""
    bake_minutes: NotRequired[int]
    """How long one instance of a new model is watched before the rest follows, from 5 to 30 minutes, for which
    `min_instances` must be 2 or more; with 0, and without it, all follow at once and are watched for 3 minutes. Server
    errors and a high latency of the new instances take the new model back meanwhile."""


class ServerlessHostingArgs(TypedDict):
    """Memory that is there when it is asked; AWS captures nothing of what such an endpoint answers."""

    memory_mb: pulumi.Input[int]
    """Megabytes: 1024, 2048, 3072, 4096, 5120 or 6144."""
    max_concurrency: pulumi.Input[int]
    """The most invocations at once, from 1 to 200."""


def check_hosting(name: str, realtime: RealtimeHostingArgs | None, serverless: ServerlessHostingArgs | None) -> None:
    """Refuse hosting that is none, twofold, or out of its ranges.

    Raises:
        ArgumentError: none or both are given, or a number is out of its range; with every problem.
    """
    given = Arguments("TrainingEndpoint", name)
    given.exactly_one(realtime=realtime, serverless=serverless)
    if realtime is not None:
        least, most = realtime["min_instances"], realtime["max_instances"]
        given.value("realtime.min_instances", least, bounds.INSTANCES)
        given.value("realtime.max_instances", most, bounds.INSTANCES)
        if most < least:
            given.must("realtime.max_instances", f"be min_instances ({least}) or more", str(most))
        given.value("realtime.capture_percentage", realtime.get("capture_percentage", 0), bounds.CAPTURE_PERCENT)
        bake = realtime.get("bake_minutes", 0)
        if bake and not SHORTEST_BAKE <= bake <= LONGEST_BAKE:
            given.must("realtime.bake_minutes", f"be 0 or from {SHORTEST_BAKE} to {LONGEST_BAKE}", str(bake))
        if bake and least == 1:
            given.must("realtime.min_instances", "be 2 or more to watch one of them first (bake_minutes)", "1")
    if serverless is not None:
        given.value("serverless.memory_mb", serverless["memory_mb"], bounds.SERVERLESS_MEMORY_MB)
        given.value("serverless.max_concurrency", serverless["max_concurrency"], bounds.SERVERLESS_CONCURRENCY)
    given.refuse()


def wanted_hosting(realtime: RealtimeHostingArgs | None) -> WantedHosting | None:
    """What a roll-out is checked against; None for a serverless endpoint."""
    if realtime is None:
        return None
    return WantedHosting(realtime["instance_type"], realtime["min_instances"], realtime["max_instances"])


@dataclass(frozen=True, slots=True)
class HostedModel:
    """An endpoint, and when it is known to serve."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    configuration: pulumi.Output[str]
    """The name of the configuration that is wanted."""
    confirmed: pulumi.Output[None]
    """Known once the endpoint serves the configuration that is wanted; else it fails whatever depends on it."""

    def once_serving(self, value: pulumi.Input[str]) -> pulumi.Output[str]:
        """A value that says which model serves, known once it does."""
        return pulumi.Output.all(value, self.confirmed).apply(lambda known: str(known[0]))


def host_model(
    name: str,
    model_name: pulumi.Input[str],
    *,
    endpoint_name: pulumi.Input[str],
    region: str,
    bucket: pulumi.Input[str],
    log_retention_days: pulumi.Input[int],
    kms_key_arn: str | None,
    realtime: RealtimeHostingArgs | None,
    serverless: ServerlessHostingArgs | None,
    parent: pulumi.Resource,
) -> HostedModel:
    """Make an endpoint that serves a model, its log group, and the alarms that take a new model back.

    Args:
        name: what the resources' names begin with.
        model_name: the model's name in SageMaker.
        endpoint_name: the endpoint's own name, which stays when its model changes.
        region: where it is.
        bucket: takes the captures.
        log_retention_days: one of CloudWatch's allowed values.
        kms_key_arn: a customer's key for captures, log and volumes; AWS's own encrypt without one.
        realtime: instances that are always there; or
        serverless: memory that is there when it is asked.
        parent: the component.
    """
    child = pulumi.ResourceOptions(parent=parent)
    # SageMaker makes the group with the first line, to be kept for ever, unless it is there
    log_group = cloudwatch.LogGroup(
        f"{name}-endpoint-logs",
        name=pulumi.Output.concat(ENDPOINT_LOG_GROUP, "/", endpoint_name),
        retention_in_days=log_retention_days,
        kms_key_id=kms_key_arn,
        opts=child,
    )
    # No name of our own, so that a change makes another one. It is deleted, as the model is, after the endpoint has
    # been confirmed to serve its successor: until then a roll-back finds both.
    configuration = sagemaker.EndpointConfiguration(
        f"{name}-configuration",
        production_variants=[_variant(model_name, realtime, serverless)],
        data_capture_config=_capture(realtime, bucket, kms_key_arn),
        kms_key_arn=volume_key(kms_key_arn, realtime["instance_type"]) if realtime is not None else None,
        opts=child,
    )
    endpoint = sagemaker.Endpoint(
        f"{name}-endpoint",
        name=endpoint_name,
        endpoint_config_name=configuration.name,
        deployment_config=_deployment(name, endpoint_name, configuration, realtime, child) if realtime else None,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[log_group]),
    )
    # Read from SageMaker in every `up`, whatever the state says: the provider does not notice a roll-back.
    serving = sagemaker.Endpoint.get(
        f"{name}-serving", endpoint.id, opts=pulumi.ResourceOptions(parent=parent, depends_on=[endpoint])
    )
    clients = provider_clients(region)
    confirmed = pulumi.Output.all(endpoint.name, configuration.name, serving.endpoint_config_name).apply(
        lambda known: confirm(known[0], known[1], known[2], clients)
    )
    if realtime is not None and realtime["max_instances"] > realtime["min_instances"]:
        _scaling(name, realtime, endpoint, child)
    return HostedModel(endpoint.name, endpoint.arn, configuration.name, confirmed)


def _variant(
    model_name: pulumi.Input[str], realtime: RealtimeHostingArgs | None, serverless: ServerlessHostingArgs | None
) -> sagemaker.EndpointConfigurationProductionVariantArgsDict:
    variant: sagemaker.EndpointConfigurationProductionVariantArgsDict = {
        "variant_name": VARIANT,
        "model_name": model_name,
    }
    if realtime is not None:
        variant["instance_type"] = realtime["instance_type"]
        variant["initial_instance_count"] = realtime["min_instances"]
    if serverless is not None:
        variant["serverless_config"] = {
            "memory_size_in_mb": serverless["memory_mb"],
            "max_concurrency": serverless["max_concurrency"],
        }
    return variant


def _capture(
    realtime: RealtimeHostingArgs | None, bucket: pulumi.Input[str], kms_key_arn: str | None
) -> sagemaker.EndpointConfigurationDataCaptureConfigArgsDict | None:
    percentage = realtime.get("capture_percentage", 0) if realtime is not None else 0
    if not percentage:
        return None
    return {
        "enable_capture": True,
        "initial_sampling_percentage": percentage,
        "destination_s3_uri": pulumi.Output.concat("s3://", bucket, "/", prefixes.CAPTURE.rstrip("/")),
        "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
        # else the answers are captured in base64 too
        "capture_content_type_header": {"json_content_types": ["application/json"]},
        "kms_key_id": kms_key_arn,
    }


def _deployment(
    name: str,
    endpoint_name: pulumi.Input[str],
    configuration: sagemaker.EndpointConfiguration,
    realtime: RealtimeHostingArgs,
    child: pulumi.ResourceOptions,
) -> sagemaker.EndpointDeploymentConfigArgsDict:
    alarms = [
        metric_alarm(name, spec, opts=child) for spec in rollback_specs(endpoint_name, VARIANT, configuration.name)
    ]
    bake = realtime.get("bake_minutes", 0)
    routing: sagemaker.EndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationArgsDict = {
        "type": "CANARY" if bake else "ALL_AT_ONCE",
        "wait_interval_in_seconds": bake * 60 or AT_ONCE_BAKE_SECONDS,
    }
    if bake:
        routing["canary_size"] = {"type": "INSTANCE_COUNT", "value": 1}
    return {
        "blue_green_update_policy": {
            "traffic_routing_configuration": routing,
            "termination_wait_in_seconds": TERMINATION_WAIT_SECONDS,
        },
        # Always there: the provider makes another endpoint when it comes or goes.
        "auto_rollback_configuration": {"alarms": [{"alarm_name": alarm.name} for alarm in alarms]},
    }


def _scaling(
    name: str, realtime: RealtimeHostingArgs, endpoint: sagemaker.Endpoint, child: pulumi.ResourceOptions
) -> None:
    target = appautoscaling.Target(
        f"{name}-scaling-target",
        service_namespace="sagemaker",
        resource_id=pulumi.Output.concat("endpoint/", endpoint.name, f"/variant/{VARIANT}"),
        scalable_dimension="sagemaker:variant:DesiredInstanceCount",
        min_capacity=realtime["min_instances"],
        max_capacity=realtime["max_instances"],
        opts=child,
    )
    appautoscaling.Policy(
        f"{name}-scaling-policy",
        service_namespace=target.service_namespace,
        resource_id=target.resource_id,
        scalable_dimension=target.scalable_dimension,
        policy_type="TargetTrackingScaling",
        target_tracking_scaling_policy_configuration={
            "predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"},
            "target_value": INVOCATIONS_PER_INSTANCE,
        },
        opts=child,
    )
