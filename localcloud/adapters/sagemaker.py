"""SageMaker: a training job, its model, and an endpoint that is waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.screen import counted
from localcloud.adapter import Created, Request, adapter, pairs, pascal, retag, tag_list

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

NAMES = {"volumeSizeInGb": "VolumeSizeInGB", "s3Uri": "S3Uri", "inputDataConfigs": "InputDataConfig"}


@adapter(
    "aws:sagemaker/trainingJob:TrainingJob",
    takes=(
        "trainingJobName", "algorithmSpecification", "hyperParameters", "inputDataConfigs", "outputDataConfig",
        "resourceConfig", "stoppingCondition", "roleArn", "enableManagedSpotTraining", "checkpointConfig", "tags",
        "enableNetworkIsolation",
    ),
    ignores={"timeouts": "a job is accepted at once"},
)  # fmt: skip
def training_job(request: Request) -> Created:
    name = request["trainingJobName"]
    job = {key: value for key, value in request.inputs.items() if key not in ("tags", "hyperParameters", "timeouts")}
    client = request.cloud.client("sagemaker")
    client.create_training_job(**pascal(job, NAMES), HyperParameters=request["hyperParameters"], Tags=tag_list(request))
    # still InProgress, as AWS and its provider leave it: whoever needs the model waits
    record = client.describe_training_job(TrainingJobName=name)
    return name, {"id": name, "arn": record["TrainingJobArn"]}


@training_job.foretells
def training_job_name(request: Request) -> str:
    return request["trainingJobName"]


@training_job.deletes
def delete_training_job(request: Request) -> None:
    client = request.cloud.client("sagemaker")
    if client.describe_training_job(TrainingJobName=request.id)["TrainingJobStatus"] == "InProgress":
        client.stop_training_job(TrainingJobName=request.id)
    while client.describe_training_job(TrainingJobName=request.id)["TrainingJobStatus"] in ("InProgress", "Stopping"):
        time.sleep(0.1)
    client.delete_training_job(TrainingJobName=request.id)


@adapter("aws:sagemaker/model:Model",
         takes=("primaryContainer", "executionRoleArn", "enableNetworkIsolation", "tags"))  # fmt: skip
def model(request: Request) -> Created:
    name = request.auto_name
    answer = request.cloud.client("sagemaker").create_model(
        ModelName=name,
        PrimaryContainer=pascal(request["primaryContainer"]),
        ExecutionRoleArn=request["executionRoleArn"],
        EnableNetworkIsolation=request.get("enableNetworkIsolation", False),
        Tags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": answer["ModelArn"]}


@model.deletes
def delete_model(request: Request) -> None:
    request.cloud.client("sagemaker").delete_model(ModelName=request.id)


@adapter(
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    takes=("productionVariants", "dataCaptureConfig", "kmsKeyArn", "tags"),
)
def endpoint_configuration(request: Request) -> Created:
    name = request.auto_name
    capture = {"DataCaptureConfig": pascal(request["dataCaptureConfig"])} if request.get("dataCaptureConfig") else {}
    key = {"KmsKeyId": request["kmsKeyArn"]} if request.get("kmsKeyArn") else {}
    variants = pascal(request["productionVariants"], {"memorySizeInMb": "MemorySizeInMB"})
    answer = request.cloud.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=variants, **capture, **key, Tags=tag_list(request)
    )
    return name, {"id": name, "name": name, "arn": answer["EndpointConfigArn"]}


@endpoint_configuration.deletes
def delete_endpoint_configuration(request: Request) -> None:
    request.cloud.client("sagemaker").delete_endpoint_config(EndpointConfigName=request.id)


@adapter(
    "aws:sagemaker/endpoint:Endpoint",
    takes=("name", "endpointConfigName", "deploymentConfig", "tags"),
    replaces=("name",),
)
def endpoint(request: Request) -> Created:
    name = request["name"]
    client = request.cloud.client("sagemaker")
    answer = client.create_endpoint(
        EndpointName=name,
        EndpointConfigName=request["endpointConfigName"],
        **_deployment(request),
        Tags=tag_list(request),
    )
    _in_service(client, name)
    return name, {"id": name, "name": name, "arn": answer["EndpointArn"]}


@endpoint.foretells
def endpoint_name(request: Request) -> str:
    return request["name"]


def _deployment(request: Request) -> Mapping[str, Any]:
    wanted = request.get("deploymentConfig")
    return {"DeploymentConfig": pascal(wanted)} if wanted else {}


def _in_service(client: SageMakerClient, name: str) -> None:
    """Wait as the provider does: an endpoint that is in service is well, whatever it serves."""
    while (record := client.describe_endpoint(EndpointName=name))["EndpointStatus"] in ("Creating", "Updating"):
        time.sleep(0.1)
    if record["EndpointStatus"] != "InService":
        raise UserError(f"the endpoint {name} is {record['EndpointStatus']}: {record.get('FailureReason')}")


@endpoint.reads
def read_endpoint(request: Request) -> Mapping[str, Any]:
    record = request.cloud.client("sagemaker").describe_endpoint(EndpointName=request.id)
    return {
        "name": record["EndpointName"],
        "arn": record["EndpointArn"],
        "endpointConfigName": record.get("EndpointConfigName", ""),
    }


@endpoint.updates
def update_endpoint(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("sagemaker")
    if request.changed("endpointConfigName", "deploymentConfig"):
        client.update_endpoint(
            EndpointName=request.id, EndpointConfigName=request["endpointConfigName"], **_deployment(request)
        )
        _in_service(client, request.id)
    arn = str(request.outputs["arn"])
    retag(
        request,
        lambda new: client.add_tags(ResourceArn=arn, Tags=pairs(new)),
        lambda gone: client.delete_tags(ResourceArn=arn, TagKeys=gone),
    )
    return {}


@endpoint.deletes
def delete_endpoint(request: Request) -> None:
    request.cloud.client("sagemaker").delete_endpoint(EndpointName=request.id)


@adapter(
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    takes=("modelPackageGroupName", "tags"),
    replaces=("modelPackageGroupName",),
)
def model_package_group(request: Request) -> Created:
    name = request["modelPackageGroupName"]
    client = request.cloud.client("sagemaker")
    answer = client.create_model_package_group(ModelPackageGroupName=name, Tags=tag_list(request))
    return name, {"id": name, "arn": answer["ModelPackageGroupArn"]}


@model_package_group.foretells
def model_package_group_name(request: Request) -> str:
    return request["modelPackageGroupName"]


@model_package_group.updates
def update_model_package_group(request: Request) -> Mapping[str, Any]:
    client, arn = request.cloud.client("sagemaker"), str(request.outputs["arn"])
    retag(
        request,
        lambda new: client.add_tags(ResourceArn=arn, Tags=pairs(new)),
        lambda gone: client.delete_tags(ResourceArn=arn, TagKeys=gone),
    )
    return {}


@model_package_group.counts
def versions_in(request: Request) -> str:
    pages = request.cloud.client("sagemaker").get_paginator("list_model_packages")
    found = pages.paginate(ModelPackageGroupName=request.id)
    count = sum(len(page["ModelPackageSummaryList"]) for page in found)
    return counted(count, "registered model") if count else ""


@model_package_group.deletes
def delete_model_package_group(request: Request) -> None:
    request.cloud.client("sagemaker").delete_model_package_group(ModelPackageGroupName=request.id)
