"""The command on a stack of moto: what it finds, what it says, what it repairs, and what it leaves alone."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contract.errors import NoneOfTheClasses, ThresholdNotMet, UserError
from contract.outputs import StackOutputs
from contract.photos import StoredObject
from operations.cli import main
from operations.executions import name_of
from operations.reconcile.command import period_of
from tests.operations.review.stack_of_moto import BUCKET, TABLE, Stacked, make


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stacked]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        stack = make()
        letters = stack.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        stack.clients["letters"] = letters
        path = tmp_path / "outputs.json"
        path.write_text(json.dumps(stack.outputs() | {"deadLetterQueueUrl": letters}))
        monkeypatch.setenv("SCONES_OUTPUTS", str(path))
        yield stack


def reconcile(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["reconcile", "--json", "--grace", "0", *words])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {"error": said.err}


def row(stack: Stacked, key: str, version: str, **fields: Any) -> None:
    table = boto3.resource("dynamodb", region_name="us-east-1").Table(TABLE)
    table.put_item(Item={"object": f"{BUCKET}/{key}", "version": version, "bucket": BUCKET, "key": key, **fields})


def execute(stack: Stacked, key: str, version: str, name: str = "one") -> str:
    given = {"s3_bucket": BUCKET, "s3_key": key, "s3_version": version, "image_data": ""}
    return stack.stepfunctions.start_execution(stateMachineArn=stack.machine, name=name, input=json.dumps(given))[
        "executionArn"
    ]


def executions(stack: Stacked) -> list[str]:
    return [each["name"] for each in stack.stepfunctions.list_executions(stateMachineArn=stack.machine)["executions"]]


def test_each_photo_is_where_it_is(stack, capsys):
    row(stack, *stack.photo("decided.png"), decision="accepted", execution="arn:1")
    row(stack, *stack.photo("answered.png"), decision="fault", answer="bicycle")
    stack.waits("unsure.png")
    key, version = stack.photo("undelivered.png")
    event = {"detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "version-id": version}}}
    stack.sqs.send_message(QueueUrl=stack.letters, MessageBody=json.dumps(event))
    execute(stack, *stack.photo("runs.png"))
    stack.photo("nothing.png")
    stack.photo("folder/", b"")

    code, said = reconcile(capsys)

    assert said["states"] == {
        "decided": 1, "answered": 1, "waiting": 1, "dead letter": 1, "in flight": 1, "held or lost": 0, "lost": 1,
    }  # fmt: skip
    assert [each["key"] for each in said["lost"]] == ["incoming/nothing.png"]
    assert code == 1
    assert stack.left() == 1


def test_a_period_without_a_lost_photo_ends_well(stack, capsys):
    stack.waits("unsure.png")
    code, said = reconcile(capsys)
    assert (code, said["photos"]) == (0, 1)


def test_versions_of_one_key_are_accounted_for_one_by_one(stack, capsys):
    row(stack, *stack.photo("same.png"), decision="accepted", execution="arn:1")
    stack.photo("same.png")
    _, said = reconcile(capsys)
    assert (said["states"]["decided"], said["states"]["lost"]) == (1, 1)


def test_an_aborted_execution_is_found_and_named(stack, capsys):
    arn = execute(stack, *stack.photo("aborted.png"))
    stack.stepfunctions.stop_execution(executionArn=arn)

    code, said = reconcile(capsys)

    (lost,) = said["lost"]
    assert (code, lost["status"], lost["execution"]) == (1, "ABORTED", arn)


def test_what_somebody_holds_is_not_called_lost(stack, capsys):
    key = stack.waits("held.png")
    version = stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    row(stack, key, version, decision="review", execution="arn:1")
    stack.sqs.receive_message(QueueUrl=stack.queue, VisibilityTimeout=300)

    code, said = reconcile(capsys)

    assert (code, said["states"]["held or lost"], said["surely_lost"]) == (0, 1, 0)


def test_more_doubtful_photos_than_hidden_messages_are_lost(stack, capsys):
    for name in ("one.png", "two.png", "three.png"):
        row(stack, *stack.photo(name), decision="review", execution="arn:1")
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody="held")
    stack.sqs.receive_message(QueueUrl=stack.queue, VisibilityTimeout=300)

    code, said = reconcile(capsys)

    assert (code, said["states"]["held or lost"], said["surely_lost"]) == (1, 3, 2)


def test_repair_starts_a_lost_photo_once_with_the_input_of_the_rule(stack, capsys):
    key, version = stack.photo("nothing.png")

    first = reconcile(capsys, "--repair", "--yes")
    second = reconcile(capsys, "--repair", "--yes")

    name = name_of(StoredObject(BUCKET, key, version), "")
    assert executions(stack) == [name]
    (arn,) = (
        each["executionArn"]
        for each in stack.stepfunctions.list_executions(stateMachineArn=stack.machine)["executions"]
    )
    assert json.loads(stack.stepfunctions.describe_execution(executionArn=arn)["input"]) == {
        "s3_bucket": BUCKET, "s3_key": key, "s3_version": version, "image_data": "",
    }  # fmt: skip
    assert (first[0], first[1]["repaired"], second[1]["states"]["in flight"]) == (0, 1, 1)


def test_repair_puts_a_recorded_decision_before_a_person_again(stack, capsys):
    key, version = stack.photo("unsure.png")
    row(stack, key, version, decision="neither", execution="arn:1", label="neither", inferences=[])

    code, said = reconcile(capsys, "--repair", "--yes")
    after, again = reconcile(capsys)

    assert (code, said["repaired"], after, again["states"]["waiting"]) == (0, 1, 0, 1)
    body = json.loads(stack.sqs.receive_message(QueueUrl=stack.queue)["Messages"][0]["Body"])
    assert (body["key"], body["error"], body["execution"]) == (key, NoneOfTheClasses.__name__, "arn:1")
    assert executions(stack) == []


def test_repair_asks_nobody_where_nobody_can_answer(stack, capsys):
    stack.photo("nothing.png")
    code, said = reconcile(capsys, "--repair")
    assert code == 2
    assert "--yes" in said["error"]
    assert executions(stack) == []


def test_renewed_reviews_keep_the_time_at_which_they_came(stack, capsys):
    stack.waits("unsure.png")
    sent = json.loads(_list(capsys))[0]["since"]

    code, said = reconcile(capsys, "--renew", "0")

    assert (code, said["renewed"], said["states"]["waiting"]) == (0, 1, 1)
    (after,) = json.loads(_list(capsys))
    assert after["since"] == sent
    assert after["error"] == ThresholdNotMet.__name__
    assert stack.left() == 1


def test_young_reviews_are_not_renewed(stack, capsys):
    stack.waits("unsure.png")
    _, said = reconcile(capsys, "--renew")
    assert said["renewed"] == 0


def _list(capsys: pytest.CaptureFixture[str]) -> str:
    main(["review", "--json"])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "2026-13-01"), "--since"),
        (("--since", "2020-01-01"), "30 days"),
        (("--grace", "-1"), "--grace"),
        (("--renew", "14"), "--renew"),
        (("--since", "2199-01-01"), "--until"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_option(stack, capsys, words, said):
    code = main(["reconcile", *words])
    error = capsys.readouterr().err
    assert (code, error.count("\n")) == (2, 1)
    assert said in error


def test_outputs_of_an_older_stack_are_named(stack, capsys, tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(stack.outputs()))
    assert main(["reconcile", "--outputs", str(path)]) == 2
    assert "deadLetterQueueUrl" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("photos", "decisions", "what"), [(20, 30, "20 days that photos"), (40, 21, "21 days that decisions")]
)
def test_no_period_begins_before_what_was_forgotten_first(photos, decisions, what):
    now = datetime(2026, 11, 25, tzinfo=UTC)
    outputs = StackOutputs(photo_retention_days=photos, decision_retention_days=decisions)
    asked = argparse.Namespace(since="2026-11-02", until=None)
    with pytest.raises(UserError, match=what):
        period_of(asked, now, outputs)
    assert period_of(argparse.Namespace(since="2026-11-06", until=None), now, outputs).start == datetime(
        2026, 11, 6, tzinfo=UTC
    )
