"""What the stand-in tells of its records, through boto3 alone: what was asked for, and nothing besides."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker.readback import Readback
from tests.localcloud.sagemaker.cloud import BUCKET, IMAGE, ROLE, Cloud, job, running_cloud

URI = f"s3://{BUCKET}/models/none/output/model.tar.gz"
ALL_AT_ONCE = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        "TerminationWaitInSeconds": 0,
    }
}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        yield cloud


def model(cloud: Cloud, name: str, **more: Any) -> dict[str, Any]:
    cloud.sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": URI}, ExecutionRoleArn=ROLE, **more
    )
    return cloud.sagemaker.describe_model(ModelName=name)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_model_has_no_network_that_nobody_gave_it_and_the_isolation_that_was_asked_for(cloud, isolated):
    told = model(cloud, f"isolated-{isolated}".lower(), EnableNetworkIsolation=isolated)
    assert told["EnableNetworkIsolation"] is isolated
    assert not {"VpcConfig", "Containers"} & set(told)


def test_a_model_keeps_the_network_that_it_was_given(cloud):
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert model(cloud, "networked", VpcConfig=network)["VpcConfig"] == network


def test_a_configuration_is_described_as_it_was_asked_for(cloud):
    model(cloud, "any")
    variant = {
        "VariantName": "AllTraffic", "ModelName": "any", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2,
        "InitialVariantWeight": 1.0,
    }  # fmt: skip
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName="asked", ProductionVariants=[variant], DataCaptureConfig=CAPTURE, KmsKeyId="key"
    )
    told = cloud.sagemaker.describe_endpoint_config(EndpointConfigName="asked")
    assert told["ProductionVariants"] == [variant] and told["DataCaptureConfig"] == CAPTURE
    assert told["KmsKeyId"] == "key"


def test_an_endpoint_tells_how_it_was_last_deployed(cloud):
    name = cloud.configuration(URI)
    for given in ({}, {"DeploymentConfig": ALL_AT_ONCE}):
        cloud.sagemaker.create_endpoint(EndpointName=f"deployed-{len(given)}", EndpointConfigName=name, **given)
        told = cloud.sagemaker.describe_endpoint(EndpointName=f"deployed-{len(given)}")
        assert told.get("LastDeploymentConfig") == given.get("DeploymentConfig")


def test_the_last_deployment_is_that_of_the_update():
    readback, endpoint = Readback(), {"EndpointName": "any"}
    readback.complete("CreateEndpoint", {**endpoint, "DeploymentConfig": ALL_AT_ONCE}, {})
    readback.complete("UpdateEndpoint", {**endpoint, "DeploymentConfig": {"RollingUpdatePolicy": {}}}, {})
    told = readback.complete("DescribeEndpoint", endpoint, {})
    assert told["LastDeploymentConfig"] == {"RollingUpdatePolicy": {}}


def tagged(cloud: Cloud, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"]}


@pytest.mark.parametrize("kind", ["model", "endpoint-config", "endpoint", "training-job"])
def test_tags_of_every_type_are_listed_added_replaced_and_removed(cloud, kind):
    arn = make(cloud, kind, [{"Key": "project", "Value": "scones"}])
    assert tagged(cloud, arn) == {"project": "scones"}
    new = [{"Key": "project", "Value": "other"}, {"Key": "stack", "Value": "local"}]
    cloud.sagemaker.add_tags(ResourceArn=arn, Tags=new)
    assert tagged(cloud, arn) == {"project": "other", "stack": "local"}
    assert len(cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 2
    cloud.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["project"])
    assert tagged(cloud, arn) == {"stack": "local"}


def make(cloud: Cloud, kind: str, tags: list[dict[str, str]]) -> str:
    """Something with tags, and its ARN."""
    sagemaker = cloud.sagemaker
    if kind == "model":
        model(cloud, "tagged", Tags=tags)
        return sagemaker.describe_model(ModelName="tagged")["ModelArn"]
    if kind == "training-job":
        prefix = cloud.dataset(train=40, validation=20)
        request = job("tagged", prefix, ("train", "validation"), "application/x-recordio", {"epochs": "1"})
        return sagemaker.create_training_job(**request, Tags=tags)["TrainingJobArn"]
    name = cloud.configuration(URI)
    if kind == "endpoint":
        return sagemaker.create_endpoint(EndpointName="tagged", EndpointConfigName=name, Tags=tags)["EndpointArn"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    made = sagemaker.create_endpoint_config(EndpointConfigName="tagged", ProductionVariants=variants, Tags=tags)
    return made["EndpointConfigArn"]


@pytest.mark.parametrize("arn", ["model/nobody", "nothing-known/x"])
def test_what_is_not_there_has_no_tags(cloud, arn):
    with pytest.raises(ClientError, match="Could not find"):
        cloud.sagemaker.list_tags(ResourceArn=f"arn:aws:sagemaker:us-east-1:000000000000:{arn}")


def test_a_scaling_target_s_tags_are_kept(cloud):
    scaling = cloud.client("application-autoscaling", cloud.url)
    name = cloud.configuration(URI)
    cloud.sagemaker.create_endpoint(EndpointName="scaled", EndpointConfigName=name)
    where = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/scaled/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    arn = scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2, Tags={"a": "1", "b": "2"})
    arn = arn["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"a": "3"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["b"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "3"}
    (told,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (told["MinCapacity"], told["MaxCapacity"]) == (1, 2)


def test_a_training_tells_that_it_is_isolated(cloud):
    asked = job("isolated", "dataset/none", ("train", "validation"), "application/x-recordio", {})
    cloud.sagemaker.create_training_job(**asked, EnableNetworkIsolation=True)
    assert cloud.sagemaker.describe_training_job(TrainingJobName="isolated")["EnableNetworkIsolation"] is True
