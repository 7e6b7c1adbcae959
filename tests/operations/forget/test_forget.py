"""A photo is removed from everywhere it went, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from contract.photos import StoredObject, inference_id
from operations.cli import main
from tests.operations.review.stack_of_moto import BUCKET, TABLE, Stacked, make

HOUR = "capture/scones-dev/AllTraffic/2099/01/01/00/"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stacked]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        made = make()
        letters = made.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        (tmp_path / "outputs.json").write_text(json.dumps({**made.outputs(), "deadLetterQueueUrl": letters}))
        monkeypatch.setenv("SCONES_OUTPUTS", str(tmp_path / "outputs.json"))
        yield made


def line(identity: str) -> bytes:
    record: dict[str, Any] = {
        "captureData": {"endpointOutput": {"mode": "OUTPUT", "data": "[0.9, 0.1]", "encoding": "JSON"}},
        "eventMetadata": {"eventId": identity, "inferenceId": identity, "inferenceTime": "2099-01-01T00:00:00Z"},
        "eventVersion": "0",
    }
    return json.dumps(record).encode() + b"\n"


def fill(stack: Stacked, name: str) -> tuple[str, str]:
    """A photo that has been everywhere; returns its key and its inference's id."""
    key = stack.waits(name)
    version = stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    identity = inference_id(StoredObject(BUCKET, key, version))
    row = {"object": f"{BUCKET}/{key}", "version": version, "decision": "review", "inference_id": identity}
    stack.dynamodb.put_item(TableName=TABLE, Item={field: {"S": value} for field, value in row.items()})
    about = json.dumps({"bucket": BUCKET, "key": key})
    stack.s3.put_object(Bucket=BUCKET, Key=f"corrections/bicycle/{name}.png", Body=b"picture")
    stack.s3.put_object(Bucket=BUCKET, Key=f"corrections/bicycle/{name}.about.json", Body=about)
    detail = {"bucket": {"name": BUCKET}, "object": {"key": key, "version-id": version}}
    letter = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    stack.sqs.send_message(QueueUrl=letters(stack), MessageBody=json.dumps(letter))
    return key, identity


def letters(stack: Stacked) -> str:
    return stack.sqs.get_queue_url(QueueName="dead-letters")["QueueUrl"]


def result(key: str, status: str = "SUCCEEDED") -> bytes:
    """What a batch writes of a child, in a line."""
    child = {"Input": json.dumps({"s3_bucket": BUCKET, "s3_key": key, "size": 5}), "Output": "{}", "Status": status}
    return json.dumps(child).encode() + b"\n"


def everything(stack: Stacked) -> str:
    """All that the stack holds, as text: every version of every object, the table, and the queue."""
    found = [json.dumps(stack.rows(), default=str)]
    listed = stack.s3.list_object_versions(Bucket=BUCKET)
    for each in listed.get("Versions", []):
        body = stack.s3.get_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        found.append(f"{each['Key']} {body!r}")
    found += [each["Key"] for each in listed.get("DeleteMarkers", [])]
    for queue in (stack.queue, letters(stack)):
        messages = stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        found += [message["Body"] for message in messages.get("Messages", [])]
    return "\n".join(found)


def test_nothing_is_left_of_the_photo_and_all_of_the_others(stack: Stacked, capsys: pytest.CaptureFixture[str]) -> None:
    key, identity = fill(stack, "a.png")
    other, other_identity = fill(stack, "a.png2")
    stack.s3.put_object(Bucket=BUCKET, Key=HOUR + "1.jsonl", Body=line(identity) + line(other_identity))
    stack.s3.put_object(Bucket=BUCKET, Key=HOUR + "2.jsonl", Body=line(identity))
    stack.photo("a.png", b"a second version")
    stack.s3.delete_object(Bucket=BUCKET, Key=key)
    assert main(["forget", key, "--yes"]) == 0
    left = everything(stack)
    assert identity not in left and f'"{key}"' not in left and f"{key} " not in left and f'{BUCKET}/{key}"' not in left
    assert left.count(other_identity) == 3, "its row, and both ids of its captured record"
    assert f'"{other}"' in left and f"{other} " in left
    said = capsys.readouterr()
    for found in ("photos 3", "captures 2", "review queue 1", "dead letters 1", "corrections 1"):
        assert found in said.out
    assert "not removed: histories of executions" in said.err and "35 days" in said.err
    assert main(["forget", key]) == 0 and "0 traces" in capsys.readouterr().out


def test_a_message_that_somebody_looks_at_is_not_passed_over_in_silence(
    stack: Stacked, capsys: pytest.CaptureFixture[str]
) -> None:
    key, _ = fill(stack, "a.png")
    stack.sqs.receive_message(QueueUrl=stack.queue, VisibilityTimeout=300)
    assert main(["forget", key, "--yes"]) == 0
    said = capsys.readouterr()
    assert "review queue" not in said.out and "about 1 review message can't be seen" in said.err


def test_without_yes_everything_stays(stack: Stacked, capsys: pytest.CaptureFixture[str]) -> None:
    key, _ = fill(stack, "a.png")
    before = everything(stack)
    assert main(["forget", f"s3://{BUCKET}/{key}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["removed"] is False and {each["place"] for each in told["traces"]} == {
        "photos", "decisions", "review queue", "dead letters", "corrections",
    }  # fmt: skip
    assert told["hidden"] == {"review message": 0, "dead letter": 0}
    assert {each["place"] for each in told["kept"]} >= {"histories of executions", "logs of the functions"}
    assert everything(stack) == before


def test_an_older_version_of_a_capture_file_is_removed_too(stack: Stacked) -> None:
    key, identity = fill(stack, "a.png")
    stack.s3.put_object(Bucket=BUCKET, Key=HOUR + "1.jsonl", Body=line(identity))
    stack.s3.put_object(Bucket=BUCKET, Key=HOUR + "1.jsonl", Body=line("f" * 32))
    main(["forget", key, "--yes"])
    assert identity not in everything(stack) and "f" * 32 in everything(stack)


def test_lines_of_batch_results_are_removed_and_those_of_other_photos_stay(
    stack: Stacked, capsys: pytest.CaptureFixture[str]
) -> None:
    (key, _), (other, _) = fill(stack, "Fahrräder.png"), fill(stack, "b.png")
    run = "batch-results/1234/"
    stack.s3.put_object(Bucket=BUCKET, Key=run + "SUCCEEDED_0.jsonl", Body=result(key) + result(other))
    stack.s3.put_object(Bucket=BUCKET, Key=run + "FAILED_0.jsonl", Body=result(key, "FAILED"))
    stack.s3.put_object(Bucket=BUCKET, Key=run + "manifest.json", Body=b"{}")
    assert main(["forget", key, "--yes"]) == 0
    assert "batch results 2" in capsys.readouterr().out
    kept = stack.s3.list_objects_v2(Bucket=BUCKET, Prefix=run)["Contents"]
    assert [each["Key"] for each in kept] == [run + "SUCCEEDED_0.jsonl", run + "manifest.json"]
    assert stack.s3.get_object(Bucket=BUCKET, Key=run + "SUCCEEDED_0.jsonl")["Body"].read() == result(other)


def test_a_sample_that_has_expired_is_found_among_the_old_versions(stack: Stacked) -> None:
    key, _ = fill(stack, "a.png")
    for name in ("corrections/bicycle/a.png.png", "corrections/bicycle/a.png.about.json"):
        stack.s3.delete_object(Bucket=BUCKET, Key=name)
    main(["forget", key, "--yes"])
    assert not stack.s3.list_object_versions(Bucket=BUCKET, Prefix="corrections/").get("Versions")
    assert not stack.s3.list_object_versions(Bucket=BUCKET, Prefix="corrections/").get("DeleteMarkers")


def test_a_sample_without_its_description_is_known_by_the_answer(stack: Stacked) -> None:
    key, _ = fill(stack, "a.png")
    (row,) = stack.rows()
    stack.dynamodb.put_item(
        TableName=TABLE, Item={field: {"S": value} for field, value in {**row, "answer_id": "9" * 32}.items()}
    )
    stack.s3.put_object(Bucket=BUCKET, Key=f"corrections/motorcycle/{'9' * 32}.png", Body=b"picture")
    main(["forget", key, "--yes"])
    assert "9" * 32 not in everything(stack)


def test_a_message_about_an_execution_that_ended_counts_as_the_photo_s(stack: Stacked) -> None:
    key, version = stack.photo("a.png")
    asked = json.dumps({"s3_bucket": BUCKET, "s3_key": key, "s3_version": version})
    detail = {"status": "ABORTED", "input": asked, "executionArn": "arn:aws:states:us-east-1:1:execution:m:e"}
    event = json.dumps({"detail-type": "Step Functions Execution Status Change", "detail": detail})
    for queue in (stack.queue, letters(stack)):
        stack.sqs.send_message(QueueUrl=queue, MessageBody=event)
    main(["forget", key, "--yes"])
    assert "a.png" not in everything(stack)


def test_a_photo_that_is_gone_is_known_by_its_decisions(stack: Stacked) -> None:
    key, identity = fill(stack, "a.png")
    stack.s3.put_object(Bucket=BUCKET, Key=HOUR + "1.jsonl", Body=line(identity))
    for each in stack.s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"]:
        stack.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=each["VersionId"])
    main(["forget", key, "--yes"])
    assert identity not in everything(stack)


@pytest.mark.parametrize("key", ["", "s3://another/incoming/a.png"])
def test_a_key_that_can_not_be_is_refused(stack: Stacked, capsys: pytest.CaptureFixture[str], key: str) -> None:
    assert main(["forget", key]) == 2
    assert f"KEY must be the key of a photo in {BUCKET}" in capsys.readouterr().err
