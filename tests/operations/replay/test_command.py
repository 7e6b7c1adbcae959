"""The command on a stack of moto: what it counts, what it starts and once, and what it leaves where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contract.decisions import STATUS_CHANGE
from contract.photos import StoredObject
from operations.cli import main
from operations.executions import name_of
from operations.replay.starting import Pace, follow
from tests.operations.review.stack_of_moto import BUCKET, MACHINE_ROLE, TABLE, Stacked, make


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stacked]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        stack = make()
        stack.clients["letters"] = stack.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        path = tmp_path / "outputs.json"
        path.write_text(json.dumps(stack.outputs() | {"deadLetterQueueUrl": stack.letters}))
        monkeypatch.setenv("SCONES_OUTPUTS", str(path))
        yield stack


def replay(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["replay", "--json", *words])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {"error": said.err}


START = ("--start", "--yes", "--per-second", "100")


def row(stack: Stacked, key: str, version: str, **fields: Any) -> None:
    table = boto3.resource("dynamodb", region_name="us-east-1").Table(TABLE)
    table.put_item(Item={"object": f"{BUCKET}/{key}", "version": version, "bucket": BUCKET, "key": key, **fields})


def version_of(stack: Stacked, key: str) -> str:
    return stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]


def undelivered(stack: Stacked, name: str, error: str = "NO_PERMISSIONS") -> StoredObject:
    """A dead letter as EventBridge writes it: the event, and attributes that say why."""
    key, version = stack.photo(name)
    detail = {"bucket": {"name": BUCKET}, "object": {"key": key, "size": 5, "version-id": version}}
    event = {"detail-type": "Object Created", "source": "aws.s3", "time": "2026-11-25T05:00:00Z", "detail": detail}
    letter(stack, json.dumps(event), error)
    return StoredObject(BUCKET, key, version)


def letter(stack: Stacked, body: str, error: str = "NO_PERMISSIONS") -> None:
    texts = {
        "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/uploads", "TARGET_ARN": stack.machine,
        "ERROR_CODE": error, "ERROR_MESSAGE": "not allowed", "RETRY_ATTEMPTS": "0",
    }  # fmt: skip
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}
    stack.sqs.send_message(QueueUrl=stack.letters, MessageBody=body, MessageAttributes=attributes)


def letters_left(stack: Stacked) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.sqs.get_queue_attributes(QueueUrl=stack.letters, AttributeNames=names)["Attributes"]
    return sum(int(each) for each in found.values())


def inputs(stack: Stacked) -> dict[str, Any]:
    """Input by name, of every execution."""
    listed = stack.stepfunctions.list_executions(stateMachineArn=stack.machine)["executions"]
    described = [stack.stepfunctions.describe_execution(executionArn=each["executionArn"]) for each in listed]
    return {each["name"]: json.loads(each["input"]) for each in described}


def test_a_dry_run_counts_by_error_and_place_and_starts_nothing(stack, capsys):
    stack.waits("2026/a.png", error="AccessDenied")
    stack.waits("2026/b.png", error="AccessDenied")
    stack.waits("2025/c.png", error="ModelNotReady")
    stack.waits("unsure.png")
    stack.waits("stranger.png", error="NoneOfTheClasses")
    undelivered(stack, "2026/d.png")

    code, said = replay(capsys)

    assert (code, said["photos"], said["started"]) == (0, 4, None)
    assert said["replay"] == [
        {"error": "AccessDenied", "source": "execution", "place": "incoming/2026/", "photos": 2},
        {"error": "ModelNotReady", "source": "execution", "place": "incoming/2025/", "photos": 1},
        {"error": "NO_PERMISSIONS", "source": "dead letter", "place": "incoming/2026/", "photos": 1},
    ]
    assert said["left"] == {"review": 1, "neither": 1}
    assert (inputs(stack), stack.left(), letters_left(stack)) == ({}, 5, 1)


def test_what_a_dry_run_says_in_words(stack, capsys):
    stack.waits("a.png", error="AccessDenied")
    stack.waits("unsure.png")
    assert main(["replay"]) == 0
    said = capsys.readouterr()
    assert said.out == "error\tfrom\tkey\tphotos\nAccessDenied\texecution\tincoming/*\t1\nall\t\t\t1\n"
    assert said.err == (
        "left alone: 1 for a person: the model was not sure, which is a decision and no fault\n"
        "nothing was started: --start sends them through again\n"
    )


def test_a_fault_is_started_once_with_the_input_of_the_rule_and_asks_nobody_meanwhile(stack, capsys):
    key = stack.waits("a.png", error="AccessDenied", execution="arn:failed")
    version = version_of(stack, key)

    first = replay(capsys, *START)
    second = replay(capsys, *START)

    name = name_of(StoredObject(BUCKET, key, version), "arn:failed")
    assert inputs(stack) == {name: {"s3_bucket": BUCKET, "s3_key": key, "s3_version": version, "image_data": ""}}
    assert (first[0], len(first[1]["started"]["executions"]), first[1]["started"]["by_somebody_before"]) == (0, 1, 0)
    assert stack.left() == 1, "its message stays until the photo is decided"
    assert (second[1]["photos"], second[1]["hidden_about"]["reviews"]) == (0, 1)


def test_two_who_replay_at_a_time_start_it_once(stack, capsys):
    key = stack.waits("a.png", error="AccessDenied", execution="arn:failed")
    photo = StoredObject(BUCKET, key, version_of(stack, key))
    stack.stepfunctions.start_execution(stateMachineArn=stack.machine, name=name_of(photo, "arn:failed"), input="{}")
    code, said = replay(capsys, *START)
    assert (code, said["started"]["by_somebody_before"], len(inputs(stack))) == (0, 1, 1)


def test_a_dead_letter_starts_as_its_upload_would_have_and_goes(stack, capsys):
    photo = undelivered(stack, "a.png")
    code, said = replay(capsys, *START)
    assert inputs(stack) == {
        name_of(photo, ""): {
            "s3_bucket": BUCKET, "s3_key": photo.key, "s3_version": photo.version, "image_data": "",
        }
    }  # fmt: skip
    assert (code, said["started"]["dead_letters_deleted"], letters_left(stack)) == (0, 1, 0)


def test_a_dead_letter_stays_where_its_execution_was_refused(stack, capsys):
    undelivered(stack, "a.png")
    stack.stepfunctions.delete_state_machine(stateMachineArn=stack.machine)
    code, said = replay(capsys, *START)
    assert (code, letters_left(stack)) == (2, 1)
    assert "AWS refused StartExecution" in said["error"]


def test_a_dead_letter_that_can_not_be_read_is_listed_and_left(stack, capsys):
    letter(stack, "no JSON", "SDK_CLIENT_ERROR")
    code, said = replay(capsys, *START)
    (unreadable,) = said["unreadable"]
    assert (unreadable["from"], unreadable["error"], unreadable["body"]) == (
        "dead letter",
        "SDK_CLIENT_ERROR",
        "no JSON",
    )
    assert (code, said["left"], inputs(stack), letters_left(stack)) == (0, {"unreadable": 1}, {}, 1)


@pytest.mark.parametrize(
    ("error", "started", "reviews"), [(None, 1, 0), ("States.Runtime", 1, 0), ("ThresholdNotMet", 0, 1)]
)
def test_the_dead_letter_of_an_execution_that_ended_starts_the_next_one_or_tells_a_person(
    stack, capsys, error, started, reviews
):
    key, version = stack.photo("a.png")
    given = json.dumps({"s3_bucket": BUCKET, "s3_key": key, "s3_version": version})
    detail = {"status": "FAILED" if error else "ABORTED", "error": error, "input": given, "executionArn": "arn:ended"}
    letter(stack, json.dumps({"detail-type": STATUS_CHANGE, "source": "aws.states", "detail": detail}))
    replay(capsys, *START)
    names = [name_of(StoredObject(BUCKET, key, version), "arn:ended")] * started
    assert ([*inputs(stack)], stack.left(), letters_left(stack)) == (names, reviews, 0)


def test_what_was_decided_or_answered_is_not_started_and_says_so(stack, capsys):
    for name, fields in {
        "recorded.png": {"decision": "review", "execution": "arn:other"},
        "untold.png": {"decision": "accepted", "execution": "arn:untold"},
        "answered.png": {"decision": "fault", "execution": "arn:1", "answer": "bicycle"},
    }.items():
        key = stack.waits(name, error="AccessDenied", execution="arn:untold")
        row(stack, key, version_of(stack, key), **fields)
    photo = undelivered(stack, "decided.png")
    row(stack, photo.key, photo.version, decision="accepted", execution="arn:other")

    code, said = replay(capsys, *START)

    assert (code, said["photos"], inputs(stack)) == (0, 0, {})
    assert said["left"] == {"decided": 2, "not told": 1, "answered": 1}
    assert (stack.left(), letters_left(stack)) == (3, 0), "a dead letter whose photo is decided is of no use"


def test_only_what_was_chosen_is_started(stack, capsys):
    for name, error in (("a/1.png", "AccessDenied"), ("a/2.png", "ModelNotReady"), ("b/3.png", "ModelNotReady")):
        stack.waits(name, error=error)
    replay(capsys, *START, "--error", "Model*", "--key", "incoming/a/*")
    assert [each["s3_key"] for each in inputs(stack).values()] == ["incoming/a/2.png"]
    names = ["ApproximateNumberOfMessages"]
    found = stack.sqs.get_queue_attributes(QueueUrl=stack.queue, AttributeNames=names)["Attributes"]
    assert found[names[0]] == "2", "what was not chosen is shown to people at once"


def machine_that(stack: Stacked, state: dict[str, Any]) -> None:
    stack.stepfunctions.update_state_machine(
        stateMachineArn=stack.machine,
        definition=json.dumps({"StartAt": "End", "States": {"End": state}}),
        roleArn=MACHINE_ROLE,
    )


def test_following_says_what_ended_in_a_fault_again_and_the_exit_code_too(stack, capsys, monkeypatch):
    monkeypatch.setattr("operations.replay.starting.LOOK_SECONDS", 0.05)
    machine_that(stack, {"Type": "Fail", "Error": "AccessDenied", "Cause": "still"})
    stack.waits("a.png", error="AccessDenied")
    code, said = replay(capsys, *START, "--follow")
    assert (code, said["ended"]) == (1, {"outcomes": {"fault": 1}, "faults": {"AccessDenied": 1}})


def test_following_removes_the_message_of_what_was_accepted(stack, capsys, monkeypatch):
    monkeypatch.setattr("operations.replay.starting.LOOK_SECONDS", 0.05)
    key = stack.waits("a.png", error="AccessDenied")
    real = follow

    def accepted_meanwhile(*arguments: Any) -> Any:
        row(stack, key, version_of(stack, key), decision="accepted", execution="arn:again")
        return real(*arguments)

    monkeypatch.setattr("operations.replay.starting.follow", accepted_meanwhile)
    code, said = replay(capsys, *START, "--follow")
    assert (code, said["ended"]["outcomes"], said["removed"]) == (0, {"accepted": 1}, {"decided meanwhile": 1})
    assert stack.left() == 0


@pytest.mark.parametrize(("answer", "started"), [("y", 1), ("", 0)])
def test_a_person_is_asked_before_anything_starts(stack, capsys, monkeypatch, answer, started):
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("contract.screen.ERRORS.input", lambda question: asked.append(question) or answer)
    stack.waits("a.png", error="AccessDenied")
    assert main(["replay", "--start", "--per-second", "2"]) == 0
    assert asked == ["send 1 photo through again, in about 0 s? [y/N] "]
    assert len(inputs(stack)) == started
    assert capsys.readouterr().out.count("AccessDenied") == 1, "the counts come before the question, and once"


def test_no_more_are_let_through_a_second_than_asked():
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(4, lambda: now[0], sleep)
    for _ in range(9):
        pace.wait()
    assert now[0] == pytest.approx(2.0)
    now[0] += 60
    pace.wait()
    pace.wait()
    assert slept[-1] == pytest.approx(0.25), "a pause is not made up for"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "2026-13-01"), "--since"),
        (("--per-second", "0"), "--per-second must be from 0.1 to 100, got 0"),
        (("--per-second", "nan"), "--per-second"),
        (("--error", ""), "--error must name something"),
        (("--follow",), "--follow needs --start"),
        (("--start",), "give --yes"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_option(stack, capsys, words, said):
    code = main(["replay", *words])
    error = capsys.readouterr().err
    assert (code, error.count("\n")) == (2, 1)
    assert said in error
