"""The command on S3 of moto and a Step Functions of ours: started once, followed, counted, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from contract import prefixes
from contract.errors import InvalidImage, NoneOfTheClasses, ThresholdNotMet
from operations.batch import following
from operations.cli import main

BUCKET = "photos"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:batch"
MAP_RUN = "arn:aws:states:us-east-1:123456789012:mapRun:batch/photos:0b5c"
FOLDER = f"{prefixes.BATCH_RESULTS}0b5c"
STARTED = datetime(2026, 11, 25, 9, tzinfo=UTC)


class StepFunctions:
    """As much of the service as a batch meets: `looks` are what it answers, one after the other, the last for ever."""

    def __init__(self, *looks: str, begun: bool = True) -> None:
        self.looks, self.started, self.begun = list(looks), dict[str, str](), begun
        self.interrupted_at: int | None = None

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:
        if name in self.started:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.started[name] = input

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        head, _, name = executionArn.rpartition(":")
        assert head == MACHINE.replace("stateMachine", "execution")
        if name not in self.started:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        if self.interrupted_at == len(self.looks):
            raise KeyboardInterrupt
        status = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        ended = {} if status == "RUNNING" else {"stopDate": STARTED + timedelta(minutes=12)}
        failed = {"error": "States.ExceedToleratedFailureThreshold", "cause": "too many"} if status == "FAILED" else {}
        return {"status": status, "startDate": STARTED, "input": self.started[name], **ended, **failed}

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": MAP_RUN}] if self.begun else []}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:
        return {"itemCounts": {"total": 3, "succeeded": 2, "failed": 1, "pending": 0}}


class Sagemaker:
    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        return {"EndpointConfigName": "c", "ProductionVariants": [{"CurrentInstanceCount": 3}]}

    def describe_endpoint_config(self, *, EndpointConfigName: str) -> dict[str, Any]:
        return {"ProductionVariants": [{"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}]}


@pytest.fixture
def states(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    outputs = {"bucket": BUCKET, "batchStateMachineArn": MACHINE, "endpointName": "e", "region": "us-east-1",
               "classes": ["bicycle", "motorcycle"], "batchConcurrency": 10}  # fmt: skip
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    monkeypatch.setenv("SCONES_OUTPUTS", str(tmp_path / "outputs.json"))
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for key in ("batch/a/", "batch/a/1.png", "batch/a/2.png"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"" if key.endswith("/") else b"photo")
        service = StepFunctions("RUNNING", "RUNNING", "SUCCEEDED")
        fakes: dict[str, Any] = {"s3": s3, "stepfunctions": service, "sagemaker": Sagemaker()}
        monkeypatch.setattr(boto3, "client", lambda name, **more: fakes[name])
        yield service


def results(**lines: list[dict[str, Any]]) -> None:
    s3, files = boto3.client("s3"), {}
    for status, children in lines.items():
        key = f"{FOLDER}/{status}_0.jsonl"
        body = "".join(json.dumps(child) + "\n" for child in children)
        s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        files[status] = [{"Key": key, "Size": len(body)}]
    manifest = {"DestinationBucket": BUCKET, "MapRunArn": MAP_RUN, "ResultFiles": files}
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/manifest.json", Body=json.dumps(manifest).encode())


def ended(status: str = "SUCCEEDED", fault: str = "", **output: Any) -> dict[str, Any]:
    return {"Status": status, "Output": json.dumps(output), **({"Error": fault} if fault else {})}


def batch(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["batch", "--interval", "0.1", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_every_photo_is_counted_once_by_what_became_of_it(states: StepFunctions, capsys: Any):
    results(
        SUCCEEDED=[
            ended(decision="accepted", label="bicycle"),
            ended(decision="accepted", label="bicycle"),
            ended(decision="accepted", label="motorcycle"),
            ended(error=ThresholdNotMet.__name__),
            ended(error=NoneOfTheClasses.__name__),
            ended(decision="accepted", label="bicycle", again=True),
            ended(error=ThresholdNotMet.__name__, again=True),
            ended(s3_key="batch/a/"),
        ],
        FAILED=[
            ended("FAILED", InvalidImage.__name__),
            ended("TIMED_OUT"),
            # sent to a person, and no queue took it
            ended("FAILED", ThresholdNotMet.__name__),
        ],
        PENDING=[{"Input": "{}"}],
    )
    code, out, _ = batch(capsys, "batch/a/", "--json")
    said = json.loads(out)
    assert code == 0
    assert said["counts"] == {
        "accepted": {"bicycle": 2, "motorcycle": 1}, "review": 1, "neither": 1, "fault": 3, "again": 2, "folders": 1,
        "pending": 1, "all": 12,
    }  # fmt: skip
    assert said["faults"] == {"InvalidImage": 1, "TIMED_OUT": 1, "ThresholdNotMet": 1}
    assert (said["seconds"], said["status"], said["prefix"]) == (720, "SUCCEEDED", "batch/a/")


def test_a_table_says_the_same_with_the_words_that_everybody_uses(states: StepFunctions, capsys: Any):
    results(SUCCEEDED=[ended(decision="accepted", label="motorcycle"), ended(error="ThresholdNotMet")])
    code, out, err = batch(capsys, "batch/a/")
    assert code == 0
    assert out.splitlines() == [
        "photos\tcount", "accepted: bicycle\t0", "accepted: motorcycle\t1", "for a person\t1", "strangers\t0",
        "faults\t0", "all\t2",
    ]  # fmt: skip
    assert "SUCCEEDED in 12 min" in err and f"s3://{BUCKET}/{FOLDER}/manifest.json" in err


def test_the_state_machine_is_given_the_prefix(states: StepFunctions, capsys: Any):
    batch(capsys, "batch/a/")
    assert list(map(json.loads, states.started.values())) == [{"prefix": "batch/a/"}]


def test_the_same_photos_are_started_once_and_once_more_on_demand(states: StepFunctions, capsys: Any):
    assert "started batch-a-" in batch(capsys, "batch/a/")[2]
    code, _, err = batch(capsys, "batch/a/")
    assert code == 0 and "was started before; run them once more with --attempt 2" in err
    assert len(states.started) == 1
    batch(capsys, "batch/a/", "--attempt", "2")
    first, second = states.started
    assert second == f"{first}-2"


def test_who_starts_at_the_same_moment_follows_the_same_batch(states: StepFunctions, capsys: Any, monkeypatch: Any):
    batch(capsys, "batch/a/")
    seen = [None]
    real = following.look_at
    monkeypatch.setattr(following, "look_at", lambda *words: seen.pop() if seen else real(*words))
    code, _, err = batch(capsys, "batch/a/")
    assert code == 0 and "was started before" in err and len(states.started) == 1


def test_a_batch_that_failed_says_why_and_ends_with_one(states: StepFunctions, capsys: Any):
    states.looks = ["FAILED"]
    results(FAILED=[ended("FAILED", "InvalidImage")])
    code, out, err = batch(capsys, "batch/a/")
    assert code == 1 and "InvalidImage\t1" in out
    assert "States.ExceedToleratedFailureThreshold: too many" in err


def test_a_batch_without_results_says_so(states: StepFunctions, capsys: Any):
    states.begun, states.looks = False, ["FAILED"]
    code, out, err = batch(capsys, "batch/a/")
    assert (code, out) == (1, "") and "what became of each photo is not there" in err


def test_ctrl_c_leaves_it_running_and_says_how_to_follow_it_again(states: StepFunctions, capsys: Any):
    states.interrupted_at = 1
    code, out, err = batch(capsys, "batch/a/")
    (name,) = states.started
    assert (code, out) == (130, "") and "it goes on; follow it again: " in err and f"batch --follow {name}" in err
    states.interrupted_at = None
    results(SUCCEEDED=[ended(decision="accepted", label="bicycle")])
    code, out, _ = batch(capsys, "--follow", name)
    assert code == 0 and "accepted: bicycle\t1" in out


def test_a_dry_run_counts_and_prices_and_starts_nothing(states: StepFunctions, capsys: Any):
    code, out, _ = batch(capsys, "batch/a/", "--dry-run", "--json")
    said = json.loads(out)
    assert (code, said["photos"], said["folders"], said["bytes"], states.started) == (0, 2, 1, 10, {})
    assert said["usd"] == pytest.approx(sum(cost["usd"] for cost in said["costs"]), abs=1e-6) and said["usd"] > 0
    assert said["binds"] == "batchConcurrency"
    # three instances of four processors, at 0.1 s a picture
    assert {"name": "the endpoint's instances", "photosASecond": pytest.approx(120)} in said["limits"]


def test_a_measured_time_of_the_model_says_how_long_it_takes(states: StepFunctions, capsys: Any):
    code, out, _ = batch(capsys, "batch/a/", "--dry-run", "--model-seconds", "30")
    assert code == 0 and "at 30 s a picture (given)" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give either PREFIX or --follow NAME"),
        (["batch/a/", "--follow", "x"], "give either PREFIX or --follow NAME"),
        (["--follow", "x", "--dry-run"], "--follow goes with neither --dry-run nor --attempt"),
        (["models/"], "PREFIX must begin with incoming/, batch/ or test/, where photos may lie, got 'models/'"),
        (["batch/nothing/"], "there are no photos under batch/nothing/: nothing was started"),
        (["batch/a/", "--attempt", "0"], "--attempt must be from 1 to 99, got 0"),
        (["batch/a/", "--interval", "0"], "--interval must be between 0.1 and 3600 seconds, got 0"),
        (["batch/a/", "--model-seconds", "nan"], "--model-seconds must be from 0.0001 to 60, got nan"),
        (["--follow", "unheard-of"], "there is no batch 'unheard-of': --follow takes the name that its start"),
    ],
)
def test_a_mistake_is_one_clear_error(states: StepFunctions, capsys: Any, words: list[str], said: str):
    code, out, err = batch(capsys, *words)
    assert (code, out) == (2, "") and err.startswith(f"error: {said}")
    assert states.started == {}


def test_a_stack_from_before_has_no_batches(states: StepFunctions, capsys: Any, tmp_path: Any):
    (tmp_path / "outputs.json").write_text(json.dumps({"bucket": BUCKET}))
    code, _, err = batch(capsys, "batch/a/")
    assert code == 2 and "the outputs name no batchStateMachineArn" in err
