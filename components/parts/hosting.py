"""Hosting: what a model runs on, and how an endpoint gets there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import appautoscaling, sagemaker

from components.parts import bounds
from components.parts.arguments import Arguments
from contract import prefixes

VARIANT = "AllTraffic"
"""The variant's name must stay the same, or an endpoint can't be updated blue/green."""
INVOCATIONS_PER_INSTANCE = 300
"""A minute: five photos a second keep an ml.m5.large about half busy with a small network."""


class RealtimeHostingArgs(TypedDict):
    """Instances that are always there."""

    instance_type: pulumi.Input[str]
    """A CPU instance that SageMaker hosts on, such as ml.m5.large."""
    min_instances: int
    """The fewest instances, from 1 to 20; each roll-out begins with as many."""
    max_instances: int
    """The most instances, from `min_instances` to 20; equal ones mean no scaling."""
    capture_percentage: NotRequired[int]
    """The share of inferences that is captured, in percent from 0 to 100; 0 without it."""
    rollback_alarms: NotRequired[Sequence[pulumi.Input[str]]]
    """Names of up to 10 alarms that take a new model back while it is rolled out; none without it."""


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
    if serverless is not None:
        given.value("serverless.memory_mb", serverless["memory_mb"], bounds.SERVERLESS_MEMORY_MB)
        given.value("serverless.max_concurrency", serverless["max_concurrency"], bounds.SERVERLESS_CONCURRENCY)
    given.refuse()


def host_model(
    name: str,
    model_name: pulumi.Input[str],
    *,
    endpoint_name: pulumi.Input[str],
    bucket: pulumi.Input[str],
    kms_key_arn: str | None,
    realtime: RealtimeHostingArgs | None,
    serverless: ServerlessHostingArgs | None,
    parent: pulumi.Resource,
) -> sagemaker.Endpoint:
    """Make an endpoint that serves a model.

    Args:
        name: what the resources' names begin with.
        model_name: the model's name in SageMaker.
        endpoint_name: the endpoint's own name, which stays when its model changes.
        bucket: takes the captures.
        kms_key_arn: a customer's key for the captures; AWS's own encrypt without one.
        realtime: instances that are always there; or
        serverless: memory that is there when it is asked.
        parent: the component.
    """
    child = pulumi.ResourceOptions(parent=parent)
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
    capture = realtime.get("capture_percentage", 0) if realtime is not None else 0
    # No name of our own, so that a change makes another one; and kept when it is replaced, since the
    # provider would delete it under an endpoint that was rolled back to it.
    configuration = sagemaker.EndpointConfiguration(
        f"{name}-configuration",
        production_variants=[variant],
        data_capture_config=(
            {
                "enable_capture": True,
                "initial_sampling_percentage": capture,
                "destination_s3_uri": pulumi.Output.concat("s3://", bucket, "/", prefixes.CAPTURE.rstrip("/")),
                "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
                # else the answers are captured in base64 too
                "capture_content_type_header": {"json_content_types": ["application/json"]},
                "kms_key_id": kms_key_arn,
            }
            if capture
            else None
        ),
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )
    alarms = realtime.get("rollback_alarms", ()) if realtime is not None else ()
    endpoint = sagemaker.Endpoint(
        f"{name}-endpoint",
        name=endpoint_name,
        endpoint_config_name=configuration.name,
        deployment_config=(
            {
                "blue_green_update_policy": {
                    "traffic_routing_configuration": {
                        "type": "ALL_AT_ONCE",
                        "wait_interval_in_seconds": 300,
                    },
                    "termination_wait_in_seconds": 60,
                },
                "auto_rollback_configuration": (
                    {"alarms": [{"alarm_name": alarm} for alarm in alarms]} if alarms else None
                ),
            }
            if realtime is not None
            else None
        ),
        opts=child,
    )
    if realtime is not None and realtime["max_instances"] > realtime["min_instances"]:
        _scaling(name, realtime, endpoint, child)
    return endpoint


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
