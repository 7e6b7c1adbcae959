"""How a run ends is told to the topic, once: a refusal, a failure, a proposal that nobody could be told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contract.errors import UserError
from contract.retraining import RetrainingPlan, parse_plan
from operations.cli import main
from operations.retrain.bucket import StackBucket
from operations.retrain.steps import NotWorthwhileError, Retrainer

PLAN = {each.name: "1" for each in dataclasses.fields(RetrainingPlan)} | {"stack": "dev", "spot": "true"}
KEY = "models/scones-dev-new/proposal.json"
DOCUMENT = {
    "subject": "Scones dev: a retrained model is proposed (better)", "text": "All figures.\n",
    "created": "2026-11-25T13:00:00+00:00", "new": {"model": "scones-dev-new"},
}  # fmt: skip


@dataclasses.dataclass
class Stack:
    outputs: str
    queue: str
    bucket: StackBucket

    def heard(self) -> list[dict[str, Any]]:
        found = boto3.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in found]


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "test")
    with mock_aws():
        topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
        queue = boto3.client("sqs").create_queue(QueueName="ears")["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012:ears"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        boto3.client("s3").create_bucket(Bucket="photos")
        outputs = {
            "bucket": "photos", "endpointName": "scones-dev", "trainingJobName": "scones-dev-now",
            "modelArtifact": "s3://photos/models/scones-dev-now/output/model.tar.gz", "alertTopicArn": topic,
            "labels": ["bicycle", "neither"], "imageSize": 32, "modelPackageGroup": "scones-dev",
            "targetRiskPercent": 2, "retraining": PLAN,
        }  # fmt: skip
        (tmp_path / "outputs.json").write_text(json.dumps(outputs))
        yield Stack(str(tmp_path / "outputs.json"), queue, StackBucket(boto3.client("s3"), "photos"))


def ends_with(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
    def run(self: Retrainer, terms: object) -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        self.bucket.write_first(KEY, outcome[0])
        return outcome

    monkeypatch.setattr(Retrainer, "run", run)


def retrain(stack: Stack, *words: str) -> int:
    return main(["retrain", "--outputs", stack.outputs, *words])


@pytest.mark.parametrize(
    ("error", "subject"),
    [
        (NotWorthwhileError("too few"), "Scones dev: nothing was retrained"),
        (UserError("the job failed"), "Scones dev: a retraining failed"),
    ],
)
def test_how_it_failed_is_told_and_the_exit_code_is_1(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: UserError, subject: str
) -> None:
    ends_with(monkeypatch, error)
    assert retrain(stack, "--because", "a drift") == 1
    (told,) = stack.heard()
    assert told["Subject"] == subject and str(error) in told["Message"] and "Why it ran: a drift." in told["Message"]
    assert str(error) in capsys.readouterr().err


def test_a_bug_is_told_and_stays_a_bug(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_with(monkeypatch, ZeroDivisionError("oh"))
    with pytest.raises(ZeroDivisionError):
        retrain(stack)
    assert "ZeroDivisionError: oh" in stack.heard()[0]["Message"]


def test_a_proposal_is_told_and_one_that_was_made_before_is_not(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_with(monkeypatch, (DOCUMENT, True))
    assert retrain(stack) == 0 and capsys.readouterr().out == "All figures.\n"
    assert [each["Message"] for each in stack.heard()] == ["All figures.\n"]
    ends_with(monkeypatch, (DOCUMENT, False))
    assert retrain(stack, "--json") == 0 and stack.heard() == []
    assert json.loads(capsys.readouterr().out)["new"] is False


def test_a_proposal_that_nobody_could_be_told_is_taken_back(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_with(monkeypatch, (DOCUMENT, True))
    outputs = json.loads(Path(stack.outputs).read_text())
    Path(stack.outputs).write_text(json.dumps({**outputs, "alertTopicArn": "arn:aws:sns:us-east-1:123456789012:gone"}))
    assert retrain(stack) == 2
    assert stack.bucket.read(KEY) is None


def test_of_two_who_propose_at_a_time_one_is_first(stack: Stack) -> None:
    assert [stack.bucket.write_first(KEY, DOCUMENT) for _ in range(2)] == [True, False]


def test_outputs_are_read_from_the_bucket_too(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_with(monkeypatch, (DOCUMENT, True))
    stack.bucket.write("retraining/outputs.json", Path(stack.outputs).read_bytes())
    assert main(["retrain", "--outputs", "s3://photos/retraining/outputs.json"]) == 0


def test_a_stack_that_retrains_nothing_says_what_to_set() -> None:
    with pytest.raises(UserError, match="set retrainOnDrift true"):
        parse_plan({})
    with pytest.raises(UserError, match="the output retraining lacks role_arn"):
        parse_plan({key: value for key, value in PLAN.items() if key != "role_arn"})
