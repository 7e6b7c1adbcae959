"""Roll-outs of an endpoint: a canary gets its share, alarms and health checks take it back, mistakes are refused."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.serving import Watch
from localcloud.sagemaker.pace import PROVISIONING_SECONDS, WATCH_SECONDS
from localcloud.sagemaker.rollout import one_in
from tests.localcloud.sagemaker.cloud import BUCKET, Cloud, eventually, picture, running_cloud

ALARM = "rollback-errors"
NEVER = 10_000


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        cloud.cloudwatch = cloud.client("cloudwatch", cloud.aws_url)
        yield cloud


@pytest.fixture(scope="module")
def models(cloud: Cloud) -> tuple[str, str]:
    """The artifacts of a model of two classes and of one of three, which tell by their answers who answered."""
    jobs = cloud.train(cloud.dataset()), cloud.train(cloud.dataset(classes=3), num_classes="3")
    return tuple(f"s3://{BUCKET}/models/{job}/output/model.tar.gz" for job in jobs)


@pytest.fixture
def old(cloud: Cloud, models: tuple[str, str]) -> tuple[str, str]:
    """An endpoint in service, and its configuration."""
    configuration = cloud.configuration(models[0], instances=2)
    put_alarm(cloud)
    return cloud.endpoint(configuration), configuration


def put_alarm(cloud: Cloud) -> None:
    cloud.cloudwatch.put_metric_alarm(
        AlarmName=ALARM, Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


def canary(minutes: float, size: int = 1) -> dict[str, Any]:
    routing = {"Type": "CANARY", "CanarySize": {"Type": "INSTANCE_COUNT", "Value": size}}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {**routing, "WaitIntervalInSeconds": int(minutes * 60)}
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
    }


def update(cloud: Cloud, endpoint: str, configuration: str, deployment: dict[str, Any]) -> None:
    cloud.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=configuration, DeploymentConfig=deployment
    )


def labels(cloud: Cloud, endpoint: str) -> int:
    return len(json.loads(cloud.invoke(endpoint, picture(0))["Body"].read()))


def rehearse(cloud: Cloud, endpoint: str, how: str) -> None:
    request = urllib.request.Request(f"{cloud.url}/_localcloud/rehearse/{endpoint}/{how}", method="POST")
    urllib.request.urlopen(request).close()


def baking(cloud: Cloud, endpoint: str) -> Any:
    return eventually(lambda: cloud.server.hosting.canaries.get(endpoint))


def test_a_canary_of_one_in_two_instances_gets_every_other_photo_and_then_all_follow(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    new = cloud.configuration(models[1], instances=2)
    update(cloud, old[0], new, canary(2))
    baking(cloud, old[0])
    assert cloud.sagemaker.describe_endpoint(EndpointName=old[0])["EndpointStatus"] == "Updating"
    assert sorted(labels(cloud, old[0]) for _ in range(6)) == [2, 2, 2, 3, 3, 3]
    record = cloud.settled(old[0])
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", new)
    assert {labels(cloud, old[0]) for _ in range(4)} == {3}


def test_a_deployment_is_pending_from_its_beginning_to_its_end_and_a_scaling_is_none(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    def look() -> dict[str, Any]:
        return cloud.sagemaker.describe_endpoint(EndpointName=old[0])

    new = cloud.configuration(models[1], instances=2)
    assert "PendingDeploymentSummary" not in look()
    update(cloud, old[0], new, canary(0.5))
    record = look()
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("Updating", old[1])
    assert record["PendingDeploymentSummary"]["EndpointConfigName"] == new
    baking(cloud, old[0])
    (variant,) = look()["PendingDeploymentSummary"]["ProductionVariants"]
    assert (variant["VariantName"], variant["VariantStatus"][0]["Status"]) == ("main", "Baking")
    record = cloud.settled(old[0])
    assert record["EndpointConfigName"] == new and "PendingDeploymentSummary" not in look()
    weights = [{"VariantName": "main", "DesiredInstanceCount": 3}]
    cloud.sagemaker.update_endpoint_weights_and_capacities(EndpointName=old[0], DesiredWeightsAndCapacities=weights)
    assert "PendingDeploymentSummary" not in look()


@pytest.mark.parametrize("fails", [False, True])
def test_no_photo_of_a_canary_is_said_to_be_of_the_model_that_did_not_answer_it(
    fails: bool, cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    name, configuration = old
    new = cloud.configuration(models[1], instances=2)
    # believed for less than the 0.2 s that new instances take here
    watches = {
        each: Watch(each, lambda: cloud.sagemaker.describe_endpoint(EndpointName=name), pytest.fail, stands=0.15)
        for each in (configuration, new)
    }
    answered: dict[str, set[int]] = {configuration: set(), new: set(), "unknown": set()}

    def send() -> None:
        for watch in watches.values():
            watch.look()
        said = labels(cloud, name)
        alone = [each for each, watch in watches.items() if watch.was_alone()]
        assert len(alone) <= 1
        answered[alone[0] if alone else "unknown"].add(said)

    send()
    update(cloud, name, new, canary(NEVER if fails else 0.5))
    baking(cloud, name)
    for _ in range(6):
        send()
    if fails:
        cloud.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    while cloud.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating":
        send()
    # until the model that serves now is named, whichever was before
    answered[configuration if fails else new].clear()
    eventually(lambda: not send() and bool(answered[configuration if fails else new]))
    assert answered == {configuration: {2}, new: set() if fails else {3}, "unknown": {2, 3}}


def test_an_alarm_that_goes_off_takes_the_new_model_back(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    update(cloud, old[0], cloud.configuration(models[1], instances=2), canary(NEVER))
    baking(cloud, old[0])
    cloud.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    record = cloud.settled(old[0])
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", old[1])
    assert ALARM in record["FailureReason"]
    assert {labels(cloud, old[0]) for _ in range(4)} == {2}


def test_an_alarm_that_went_off_for_the_last_model_does_not_take_the_next_one_back(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    cloud.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    new = cloud.configuration(models[1], instances=2)
    update(cloud, old[0], new, canary(0.5))
    assert cloud.settled(old[0])["EndpointConfigName"] == new


def test_a_rehearsed_health_check_takes_the_next_roll_out_back_and_no_other(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    rehearse(cloud, old[0], "health-check")
    new = cloud.configuration(models[1], instances=2)
    update(cloud, old[0], new, canary(NEVER))
    record = cloud.settled(old[0])
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", old[1])
    assert "did not pass the ping health check" in record["FailureReason"]
    update(cloud, old[0], new, canary(0.1))
    record = cloud.settled(old[0])
    assert record["EndpointConfigName"] == new and "FailureReason" not in record


def test_rehearsed_errors_are_server_errors_of_the_canary_and_its_metric(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    rehearse(cloud, old[0], "errors")
    new = cloud.configuration(models[1], instances=2)
    update(cloud, old[0], new, canary(NEVER))
    baking(cloud, old[0])
    assert labels(cloud, old[0]) == 2
    with pytest.raises(ClientError) as caught:
        cloud.invoke(old[0], picture(0))
    assert caught.value.response["OriginalStatusCode"] == 500
    (metric,) = [
        each
        for each in cloud.cloudwatch.list_metrics(Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors")[
            "Metrics"
        ]
        if {"Name": "EndpointConfigName", "Value": new} in each["Dimensions"]
    ]
    assert {"Name": "EndpointName", "Value": old[0]} in metric["Dimensions"]
    cloud.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    assert cloud.settled(old[0])["EndpointConfigName"] == old[1]


def test_no_roll_out_of_an_endpoint_that_is_not_there_can_be_rehearsed(cloud: Cloud) -> None:
    with pytest.raises(urllib.request.HTTPError):
        rehearse(cloud, "nobody", "errors")


def test_what_the_real_one_refuses_is_refused(cloud: Cloud, models: tuple[str, str], old: tuple[str, str]) -> None:
    with pytest.raises(ClientError, match="CanarySize must be at most 50%"):
        update(cloud, old[0], cloud.configuration(models[1], instances=1), canary(1))
    larger = cloud.configuration(models[1], instances=2, instance_type="ml.c5.large")
    scaling = cloud.client("application-autoscaling", cloud.url)
    scaling.register_scalable_target(
        ServiceNamespace="sagemaker", ResourceId=f"endpoint/{old[0]}/variant/main",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount", MinCapacity=1, MaxCapacity=4,
    )  # fmt: skip
    with pytest.raises(ClientError, match="registered with Application Auto Scaling"):
        update(cloud, old[0], larger, canary(1))
    update(cloud, old[0], cloud.configuration(models[1], instances=2), canary(NEVER))
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        update(cloud, old[0], larger, canary(1))
    cloud.sagemaker.delete_endpoint(EndpointName=old[0])


def test_an_endpoint_that_is_deleted_while_it_is_rolled_out_does_not_come_back(
    cloud: Cloud, models: tuple[str, str], old: tuple[str, str]
) -> None:
    update(cloud, old[0], cloud.configuration(models[1], instances=2), canary(1))
    baking(cloud, old[0])
    cloud.sagemaker.delete_endpoint(EndpointName=old[0])
    time.sleep(0.3)
    with pytest.raises(ClientError, match="not found"):
        cloud.invoke(old[0], picture(0))


@pytest.mark.parametrize(
    ("size", "instances", "every"),
    [
        (None, 2, 1),
        ({"Type": "INSTANCE_COUNT", "Value": 1}, 2, 2),
        ({"Type": "INSTANCE_COUNT", "Value": 1}, 4, 4),
        ({"Type": "CAPACITY_PERCENT", "Value": 10}, 4, 10),
    ],
)
def test_the_share_of_a_canary_is_that_of_its_instances(size: Any, instances: int, every: int) -> None:
    routing = {"CanarySize": size} if size else {}
    assert one_in({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}, instances) == every


def test_new_instances_take_longer_to_come_up_than_functions_believe_what_they_heard() -> None:
    assert WATCH_SECONDS < PROVISIONING_SECONDS
