"""Training jobs, through boto3 alone: what they log, record and leave behind, and that they end."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.assertions import at_least_one
from tests.localcloud.processes import alive, family
from tests.localcloud.sagemaker.cloud import BUCKET, Cloud, eventually, job, picture, running_cloud

SLOW = {"epochs": "1000", "mini_batch_size": "1"}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def dataset(cloud: Cloud) -> str:
    return cloud.dataset()


@pytest.fixture(scope="module")
def completed(cloud: Cloud, dataset: str) -> str:
    return cloud.train(dataset, num_layers="18")


def test_the_log_has_the_built_in_algorithms_lines(cloud: Cloud, completed: str) -> None:
    lines = [line.partition("] ")[2] for line in cloud.lines(completed)]
    for epoch in range(8):
        of_epoch = [line for line in lines if line.startswith(f"Epoch[{epoch}] ")]
        words = [line.split("=")[0].partition("] ")[2] for line in of_epoch]
        assert words == ["Train-accuracy", "Time cost", "Validation-accuracy"]
        assert len(of_epoch[0].rpartition(".")[2]) == 6


def test_hyperparameters_without_a_meaning_here_are_reported(cloud: Cloud, completed: str) -> None:
    (line,) = [line for line in cloud.lines(completed) if "ignores" in line]
    assert line.endswith("num_layers=18")


def test_the_record_tells_metrics_times_and_artifact(cloud: Cloud, completed: str) -> None:
    record = cloud.describe(completed)
    values = {metric["MetricName"]: metric["Value"] for metric in record["FinalMetricDataList"]}
    last = [line for line in cloud.lines(completed) if "Validation-accuracy" in line][-1]
    assert values["validation:accuracy"] == pytest.approx(float(last.rpartition("=")[2]))
    assert set(values) == {"train:accuracy", "validation:accuracy"}
    assert record["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/{completed}/output/model.tar.gz"
    assert record["TrainingTimeInSeconds"] == record["BillableTimeInSeconds"] >= 1
    assert record["TrainingEndTime"] > record["CreationTime"]
    transitions = record["SecondaryStatusTransitions"]
    assert [entry["Status"] for entry in transitions] == ["Starting", "Training", "Completed"]
    assert all(entry["StartTime"] <= entry["EndTime"] for entry in at_least_one(transitions[:-1]))


def test_the_artifact_has_the_built_in_algorithms_layout(cloud: Cloud, completed: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(cloud.artifact(completed))) as tar:
        assert tar.getnames() == [
            "image-classification-0000.params",
            "image-classification-symbol.json",
            "model-shapes.json",
        ]


def test_the_same_job_makes_the_same_artifact(cloud: Cloud, dataset: str, completed: str) -> None:
    assert cloud.artifact(cloud.train(dataset, num_layers="18")) == cloud.artifact(completed)


def test_a_job_goes_on_when_the_client_that_created_it_is_gone(cloud: Cloud, dataset: str) -> None:
    passing = Cloud(cloud.server, cloud.url, cloud.aws_url)
    name = passing.create_job(dataset, epochs="60")
    passing.sagemaker.close()
    assert cloud.finished(name)["TrainingJobStatus"] == "Completed"


def test_image_files_with_lists_train_as_recordio_does(cloud: Cloud) -> None:
    prefix = "dataset/files"
    for channel, count in (("train", 40), ("validation", 20)):
        lines = [f"{index}\t{index % 2}\t{index}.png\n" for index in range(count)]
        for index in range(count):
            cloud.put(f"{prefix}/{channel}/{index}.png", picture(index % 2, index))
        cloud.put(f"{prefix}/{channel}_lst/{channel}.lst", "".join(lines).encode())
    name = cloud.create_job(
        prefix, ("train", "validation", "train_lst", "validation_lst"), resize="36", num_training_samples="40"
    )
    assert cloud.finished(name)["TrainingJobStatus"] == "Completed"
    assert not [line for line in cloud.lines(name) if "num_training_samples" in line]


def test_another_number_of_training_samples_is_only_a_warning(cloud: Cloud, dataset: str) -> None:
    name = cloud.train(dataset, num_training_samples="121", epochs="1")
    assert any("num_training_samples=121" in line and "120" in line for line in cloud.lines(name))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_classes": "3", "mini_batch_size": "many"}, "mini_batch_size must be a positive integer, got 'many'"),
        ({"learning_rate": "fast"}, "learning_rate must be a number between 0 and 1, got 'fast'"),
        ({"optimizer": "adagrad"}, "optimizer must be one of sgd, adam, rmsprop, nag, got 'adagrad'"),
        ({"lr_scheduler_step": "ten"}, "lr_scheduler_step must be"),
        ({"num_classes": None}, "num_classes is required"),
        ({"learning_rat": "0.1"}, "no hyperparameter learning_rat"),
        ({"image_shape": "3,64,64"}, "image_shape must be at most the 32 pixels that the smallest image has"),
        ({"num_layers": "20"}, "num_layers must be one of 18, 34, 50, 101, 152, 200 for images above 28x28, got 20"),
        ({"resize": "32"}, "resize must be above the image_shape's 32, got 32"),
        ({"top_k": "3"}, "top_k must be at most the 2 labels, got 3"),
        ({"checkpoint_frequency": "9"}, "checkpoint_frequency must be at most the 8 epochs, got 9"),
        ({"mini_batch_size": "100"}, "mini_batch_size must be at most the 40 validation images, got 100"),
    ],
)
def test_a_mistake_in_hyperparameters_fails_the_job_and_says_so(
    cloud: Cloud, dataset: str, changes: dict[str, str | None], words: str
) -> None:
    record = cloud.finished(cloud.create_job(dataset, **changes))
    assert record["TrainingJobStatus"] == "Failed"
    assert record["FailureReason"].startswith("AlgorithmError: ClientError: ")
    assert record["FailureReason"].endswith(", exit code: 2")
    assert words in record["FailureReason"]
    assert "ModelArtifacts" not in record


def test_more_classes_in_the_data_than_num_classes_fail_the_job(cloud: Cloud) -> None:
    reason = cloud.finished(cloud.create_job(cloud.dataset(classes=3)))["FailureReason"]
    assert "labels from 0 to 2; num_classes=2 allows 0 to 1" in reason


def test_a_missing_channel_fails_the_job(cloud: Cloud, dataset: str) -> None:
    reason = cloud.finished(cloud.create_job(dataset, ("train",)))["FailureReason"]
    assert "the channel validation is missing" in reason


def test_an_empty_channel_fails_the_job(cloud: Cloud) -> None:
    reason = cloud.finished(cloud.create_job("dataset/nothing"))["FailureReason"]
    assert "the channel train is empty" in reason


def test_a_file_that_is_not_recordio_fails_the_job(cloud: Cloud) -> None:
    cloud.put("dataset/text/train/train.rec", b"this is no record at all")
    reason = cloud.finished(cloud.create_job("dataset/text"))["FailureReason"]
    assert reason.startswith("AlgorithmError: ClientError: train.rec is not RecordIO")


def test_a_job_can_be_stopped(cloud: Cloud, dataset: str) -> None:
    name = cloud.create_job(dataset, **SLOW)
    assert cloud.describe(name)["TrainingJobStatus"] == "InProgress"
    child = cloud.server.trainings[name].process.pid
    eventually(lambda: cloud.describe(name)["SecondaryStatus"] == "Training")
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    record = cloud.finished(name)
    assert (record["TrainingJobStatus"], record["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert not alive({child})
    with pytest.raises(ClientError, match="is in status Stopped"):
        cloud.sagemaker.stop_training_job(TrainingJobName=name)


def test_a_job_ends_at_its_longest_run_time(cloud: Cloud, dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.localcloud.sagemaker import cloud as builders

    def short(*arguments: object) -> dict[str, object]:
        return {**original(*arguments), "StoppingCondition": {"MaxRuntimeInSeconds": 1}}

    original = builders.job
    monkeypatch.setattr(builders, "job", short)
    record = cloud.finished(cloud.create_job(dataset, **SLOW))
    assert (record["TrainingJobStatus"], record["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_name_is_not_given_twice(cloud: Cloud, completed: str) -> None:
    request = cloud.describe(completed)
    again = {
        key: request[key]
        for key in ("TrainingJobName", "AlgorithmSpecification", "RoleArn", "OutputDataConfig", "ResourceConfig",
                    "StoppingCondition", "HyperParameters", "InputDataConfig")
    }  # fmt: skip
    with pytest.raises(ClientError) as error:
        cloud.sagemaker.create_training_job(**again)
    assert error.value.response["Error"]["Code"] == "ResourceInUse"
    assert cloud.describe(completed)["TrainingJobStatus"] == "Completed"


def test_stopping_the_server_ends_its_trainings() -> None:
    with running_cloud() as cloud:
        name = cloud.create_job(cloud.dataset(), **SLOW)
        child = cloud.server.trainings[name].process.pid
        assert alive({child})
    assert not alive({child})


HOLDER = """
import sys, time
from localcloud.sagemaker.server import SageMakerServer
server = SageMakerServer(aws_endpoint_url=sys.argv[1])
print(server.start(), flush=True)
time.sleep(60)
"""


def test_killing_the_server_ends_its_trainings(cloud: Cloud, dataset: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, cloud.aws_url], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    try:
        assert holder.stdout
        there = Cloud(cloud.server, holder.stdout.readline().strip(), cloud.aws_url)
        name = there.create_job(dataset, **SLOW)
        eventually(lambda: there.describe(name)["SecondaryStatus"] == "Training")
        below = family(holder.pid) - {holder.pid}
        assert len(below) == 1
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        if holder.stdout:
            holder.stdout.close()
    eventually(lambda: not alive(below))


def test_a_training_that_waits_in_silence_ends_with_its_server_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        request = job("job", "data", ("train", "validation"), "application/x-recordio", {})
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        child = subprocess.Popen(
            [sys.executable, "-m", "localcloud.sagemaker.algorithm"], stdin=subprocess.PIPE, env=environment, text=True
        )
        try:
            assert child.stdin
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            silent.settimeout(60)
            with silent.accept()[0]:
                assert child.poll() is None
                child.stdin.close()
                assert child.wait(60) == 1
        finally:
            child.kill()
            child.wait()
