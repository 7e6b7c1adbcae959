"""SageMaker: a training job, its model, and an endpoint that is waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.names import TRAINING_LOG_GROUP
from localcloud.adapter import Created, Request, adapter, pascal, retag, tag_list

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

NAMES = {"volumeSizeInGb": "VolumeSizeInGB", "s3Uri": "S3Uri", "inputDataConfigs": "InputDataConfig"}
WORDS_OF_INTEREST = ("-accuracy=", "ignores", "Early stopping", "Error", "learning rate")


@adapter(
    "aws:sagemaker/trainingJob:TrainingJob",
    takes=(
        "trainingJobName", "algorithmSpecification", "hyperParameters", "inputDataConfigs", "outputDataConfig",
        "resourceConfig", "stoppingCondition", "roleArn", "enableManagedSpotTraining", "checkpointConfig", "tags",
        "enableNetworkIsolation",
    ),
)  # fmt: skip
def training_job(request: Request) -> Created:
    name = request["trainingJobName"]
    job = {key: value for key, value in request.inputs.items() if key not in ("tags", "hyperParameters")}
    client = request.cloud.client("sagemaker")
    client.create_training_job(**pascal(job, NAMES), HyperParameters=request["hyperParameters"], Tags=tag_list(request))
    record = client.describe_training_job(TrainingJobName=name)
    return name, {"id": name, "arn": record["TrainingJobArn"]}


@training_job.settles
def follow_training_job(request: Request) -> None:
    client = request.cloud.client("sagemaker")
    if client.describe_training_job(TrainingJobName=request.id)["TrainingJobStatus"] == "Completed":
        return
    lines = _Lines(request, request.id)
    while (record := client.describe_training_job(TrainingJobName=request.id))["TrainingJobStatus"] == "InProgress":
        lines.follow()
        time.sleep(0.2)
    lines.follow()
    if record["TrainingJobStatus"] != "Completed":
        reason = record.get("FailureReason", record["TrainingJobStatus"])
        raise UserError(f"the training job {request.id} did not complete: {reason}")


@training_job.deletes
def delete_training_job(request: Request) -> None:
    client = request.cloud.client("sagemaker")
    if client.describe_training_job(TrainingJobName=request.id)["TrainingJobStatus"] == "InProgress":
        client.stop_training_job(TrainingJobName=request.id)
    while client.describe_training_job(TrainingJobName=request.id)["TrainingJobStatus"] in ("InProgress", "Stopping"):
        time.sleep(0.1)
    client.delete_training_job(TrainingJobName=request.id)


class _Lines:
    """The job's log, each line once."""

    def __init__(self, request: Request, job: str) -> None:
        self.logs, self.say, self.job = request.cloud.client("logs"), request.cloud.say, job
        self.seen = 0

    def follow(self) -> None:
        try:
            streams = self.logs.describe_log_streams(
                logGroupName=TRAINING_LOG_GROUP, logStreamNamePrefix=f"{self.job}/"
            )
        except self.logs.exceptions.ResourceNotFoundException:
            return
        for stream in streams["logStreams"]:
            events = self.logs.get_log_events(
                logGroupName=TRAINING_LOG_GROUP,
                logStreamName=stream.get("logStreamName", ""),
                startFromHead=True,
                limit=10_000,
            )["events"]
            for event in events[self.seen :]:
                text = event.get("message", "")
                line = text.partition("] ")[2] or text
                if any(word in line for word in WORDS_OF_INTEREST):
                    self.say(line)
            self.seen = len(events)


@adapter("aws:sagemaker/model:Model",
         takes=("name", "primaryContainer", "executionRoleArn", "enableNetworkIsolation", "tags"))  # fmt: skip
def model(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    answer = request.cloud.client("sagemaker").create_model(
        ModelName=name,
        PrimaryContainer=pascal(request["primaryContainer"]),
        ExecutionRoleArn=request["executionRoleArn"],
        EnableNetworkIsolation=bool(request.get("enableNetworkIsolation")),
        Tags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": answer["ModelArn"]}


@model.deletes
def delete_model(request: Request) -> None:
    request.cloud.client("sagemaker").delete_model(ModelName=request.id)


@adapter(
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    takes=("name", "productionVariants", "dataCaptureConfig", "tags"),
    ignores={"kmsKeyArn": "emulated volumes are not encrypted"},
)
def endpoint_configuration(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    capture = {"DataCaptureConfig": pascal(request["dataCaptureConfig"])} if request.get("dataCaptureConfig") else {}
    variants = pascal(request["productionVariants"], {"memorySizeInMb": "MemorySizeInMB"})
    answer = request.cloud.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=variants, **capture, Tags=tag_list(request)
    )
    return name, {"id": name, "name": name, "arn": answer["EndpointConfigArn"]}


@endpoint_configuration.deletes
def delete_endpoint_configuration(request: Request) -> None:
    request.cloud.client("sagemaker").delete_endpoint_config(EndpointConfigName=request.id)


@adapter(
    "aws:sagemaker/endpoint:Endpoint",
    takes=("name", "endpointConfigName", "tags"),
    replaces=("name",),
    ignores={"deploymentConfig": "there is no fleet here whose instances could be replaced one by one"},
)
def endpoint(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    client = request.cloud.client("sagemaker")
    answer = client.create_endpoint(
        EndpointName=name, EndpointConfigName=request["endpointConfigName"], Tags=tag_list(request)
    )
    _in_service(client, name)
    return name, {"id": name, "name": name, "arn": answer["EndpointArn"]}


def _in_service(client: SageMakerClient, name: str) -> None:
    while (record := client.describe_endpoint(EndpointName=name))["EndpointStatus"] in ("Creating", "Updating"):
        time.sleep(0.1)
    if record["EndpointStatus"] != "InService":
        raise UserError(f"the endpoint {name} is {record['EndpointStatus']}: {record.get('FailureReason')}")


@endpoint.updates
def update_endpoint(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("sagemaker")
    if request.changed("endpointConfigName"):
        client.update_endpoint(EndpointName=request.id, EndpointConfigName=request["endpointConfigName"])
        _in_service(client, request.id)
    arn = str(request.outputs["arn"])
    retag(
        request,
        lambda new: client.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": new[key]} for key in new]),
        lambda gone: client.delete_tags(ResourceArn=arn, TagKeys=gone),
    )
    return {}


@endpoint.deletes
def delete_endpoint(request: Request) -> None:
    request.cloud.client("sagemaker").delete_endpoint(EndpointName=request.id)
