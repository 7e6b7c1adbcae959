"""The model: its training, where it is served, and how a new one takes over."""

from __future__ import annotations

import re

from pulumi_policy import ResourceValidationArgs

from policy.rule import ADVISORY, Complaints, on
from policy.values import at, items, number

JOB = "aws:sagemaker/trainingJob:TrainingJob"
MODEL = "aws:sagemaker/model:Model"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
A_DAY = 24 * 60 * 60
"""Seconds; SageMaker's own limit is 28 days of a GPU."""
MOST_INSTANCES = 20
LOCAL_STORAGE = re.compile(r"ml\.(\w+d|g4dn|g5)\.")
"""Instances with disks of their own, which their hardware encrypts (EC2 User Guide, "Instance store volumes")."""


def on_instances(args: ResourceValidationArgs) -> bool:
    """Whether a configuration hosts on instances, as opposed to serverless."""
    return any(at(each, "instanceType") for each in items(at(args.props, "productionVariants")))


@on(JOB)
def training_bounded(args: ResourceValidationArgs) -> Complaints:
    """A training that does not end is stopped before it costs a month's budget."""
    seconds = number(at(args.props, "stoppingCondition", "maxRuntimeInSeconds"))
    if seconds is None or not 0 < seconds <= A_DAY:
        yield f"stoppingCondition.maxRuntimeInSeconds must be from 1 to {A_DAY}, got {seconds}"


@on(JOB)
def spot_training_goes_on_where_it_was(args: ResourceValidationArgs) -> Complaints:
    """An interrupted spot training begins anew without checkpoints, and may never end."""
    if at(args.props, "enableManagedSpotTraining") is not True:
        return
    if not at(args.props, "checkpointConfig", "s3Uri"):
        yield "checkpointConfig.s3Uri must be given with enableManagedSpotTraining"
    limit = number(at(args.props, "stoppingCondition", "maxWaitTimeInSeconds"))
    if limit is None:
        yield "stoppingCondition.maxWaitTimeInSeconds must be given with enableManagedSpotTraining"


@on(JOB, level=ADVISORY)
def training_isolated(args: ResourceValidationArgs) -> Complaints:
    """Code that sees the data has no way out: a network of the account's own, or none."""
    if at(args.props, "enableNetworkIsolation") is not True and not at(args.props, "vpcConfig"):
        yield "neither enableNetworkIsolation nor vpcConfig is given"


@on(MODEL, level=ADVISORY)
def model_isolated(args: ResourceValidationArgs) -> Complaints:
    """A container that sees photos has no way out: a network of the account's own, or none."""
    if at(args.props, "enableNetworkIsolation") is not True and not at(args.props, "vpcConfig"):
        yield "neither enableNetworkIsolation nor vpcConfig is given"


@on(MODEL, CONFIGURATION)
def name_left_to_pulumi(args: ResourceValidationArgs) -> Complaints:
    """A successor is made before what it follows goes, which a fixed name forbids, and a roll-back needs both."""
    if at(args.props, "name") is not None:
        yield "name must be left out"


@on(CONFIGURATION, level=ADVISORY)
def inferences_captured(args: ResourceValidationArgs) -> Complaints:
    """Without captures nobody sees the model drift; a serverless endpoint can't have them."""
    enabled = at(args.props, "dataCaptureConfig", "enableCapture") is True
    share = number(at(args.props, "dataCaptureConfig", "initialSamplingPercentage"))
    if on_instances(args) and not (enabled and share):
        yield "dataCaptureConfig captures nothing"


@on(CONFIGURATION)
def captures_readable(args: ResourceValidationArgs) -> Complaints:
    """Requests and answers are captured both, answers as JSON: base64 of an answer is a report without figures."""
    if at(args.props, "dataCaptureConfig", "enableCapture") is not True:
        return
    modes = {at(each, "captureMode") for each in items(at(args.props, "dataCaptureConfig", "captureOptions"))}
    if "InputAndOutput" not in modes and not {"Input", "Output"} <= modes:
        yield "dataCaptureConfig.captureOptions must hold Input and Output"
    types = items(at(args.props, "dataCaptureConfig", "captureContentTypeHeader", "jsonContentTypes"))
    if "application/json" not in types:
        yield "dataCaptureConfig.captureContentTypeHeader.jsonContentTypes must hold application/json"


@on(CONFIGURATION)
def volumes_encrypted_as_the_captures(args: ResourceValidationArgs) -> Complaints:
    """Where a customer's key encrypts what is captured, it encrypts the volumes that the container writes to."""
    key = at(args.props, "dataCaptureConfig", "kmsKeyId")
    kinds = [str(at(each, "instanceType")) for each in items(at(args.props, "productionVariants"))]
    if key and at(args.props, "kmsKeyArn") != key and not any(map(LOCAL_STORAGE.match, kinds)):
        yield "kmsKeyArn must be dataCaptureConfig.kmsKeyId"


@on(JOB)
def training_volume_encrypted_as_the_model(args: ResourceValidationArgs) -> Complaints:
    """Where a customer's key encrypts the model, it encrypts the volume that the dataset is copied to."""
    key, kind = at(args.props, "outputDataConfig", "kmsKeyId"), str(at(args.props, "resourceConfig", "instanceType"))
    volume = at(args.props, "resourceConfig", "volumeKmsKeyId")
    if LOCAL_STORAGE.match(kind):
        if volume:
            yield f"resourceConfig.volumeKmsKeyId must be left out, as {kind} refuses one"
    elif key and volume != key:
        yield "resourceConfig.volumeKmsKeyId must be outputDataConfig.kmsKeyId"


@on("aws:sagemaker/endpoint:Endpoint")
def gradual_rollout_can_be_taken_back(args: ResourceValidationArgs) -> Complaints:
    """A roll-out in steps that no alarm can stop is a slow one, not a careful one."""
    policy = ("deploymentConfig", "blueGreenUpdatePolicy", "trafficRoutingConfiguration", "type")
    gradual = at(args.props, *policy) in ("CANARY", "LINEAR") or at(
        args.props, "deploymentConfig", "rollingUpdatePolicy"
    )
    if gradual and not items(at(args.props, "deploymentConfig", "autoRollbackConfiguration", "alarms")):
        yield "deploymentConfig.autoRollbackConfiguration.alarms must name an alarm"


@on("aws:appautoscaling/target:Target")
def scaling_bounded(args: ResourceValidationArgs) -> Complaints:
    """Instances are added within a budget, and one is always there."""
    least, most = number(at(args.props, "minCapacity")), number(at(args.props, "maxCapacity"))
    if least is None or least < 1:
        yield f"minCapacity must be 1 or more, got {least}"
    if most is None or most > MOST_INSTANCES:
        yield f"maxCapacity must be {MOST_INSTANCES} or less, got {most}"
