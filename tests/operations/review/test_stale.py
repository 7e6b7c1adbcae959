"""Which messages need not ask any more: pure laws, and the queue after somebody has listed it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from contract.photos import StoredObject
from operations.cli import main
from operations.review.queue import Waiting, parse
from operations.review.rows import Recorded
from operations.review.stale import photo_of, why_stale
from tests.operations.review.stack_of_moto import BUCKET, TABLE, Stacked, make

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
EXECUTIONS = ("arn:1", "arn:2", "")


def message(
    number: int = 0, execution: str = "arn:1", *, label: str | None = None, minutes: int = 0, key: str | None = None
) -> Waiting:
    body = {
        "bucket": BUCKET, "key": f"incoming/{number}.png" if key is None else key, "version": "v",
        "error": "ThresholdNotMet" if label else "AccessDenied", "execution": execution, "label": label,
    }  # fmt: skip
    sent = NOW + timedelta(minutes=minutes)
    return parse({"Body": json.dumps(body | {"since": sent.isoformat()})})


messages = st.lists(
    st.builds(
        message,
        st.integers(0, 2),
        st.sampled_from(EXECUTIONS),
        label=st.sampled_from([None, "bicycle"]),
        minutes=st.integers(0, 9),
        key=st.sampled_from([None, None, None, ""]),
    ),
    max_size=8,
)
rows = st.builds(
    Recorded,
    st.sampled_from(["accepted", "review", "neither", "fault"]),
    st.booleans(),
    st.sampled_from(EXECUTIONS[:2]),
    st.none(),
    st.booleans(),
)
tables = st.dictionaries(
    st.integers(0, 2).map(lambda number: StoredObject(BUCKET, f"incoming/{number}.png", "v")), rows, max_size=3
)


@given(messages, tables)
def test_law_a_photo_that_nobody_decided_keeps_exactly_one_message(waiting, table):
    stale = why_stale(waiting, table)
    left = [each for index, each in enumerate(waiting) if index not in stale]
    for photo in {photo_of(each) for each in waiting} - {None}:
        row = table.get(photo)
        kept = [each for each in left if photo_of(each) == photo]
        if row is None or (row.decision != "accepted" and not row.answered):
            assert len(kept) == 1
        assert len(kept) <= 1


@given(messages, tables)
def test_law_an_answer_that_can_be_taken_back_keeps_its_message(waiting, table):
    stale = why_stale(waiting, table)
    for photo, row in table.items():
        if row.answered and not row.settled and any(photo_of(each) == photo for each in waiting):
            assert [each for index, each in enumerate(waiting) if photo_of(each) == photo and index not in stale]


@given(messages, tables)
def test_law_what_names_no_photo_stays(waiting, table):
    assert not [index for index in why_stale(waiting, table) if photo_of(waiting[index]) is None]


PHOTO = StoredObject(BUCKET, "incoming/0.png", "v")


@pytest.mark.parametrize(
    ("waiting", "row", "stale"),
    [
        ([message()], Recorded("accepted", False, "arn:2", None), {0: "decided meanwhile"}),
        ([message()], Recorded("accepted", False, "arn:1", None), {}),
        ([message(execution="")], Recorded("accepted", False, "arn:2", None), {}),
        ([message()], Recorded("review", False, "arn:2", None), {}),
        ([message()], Recorded("fault", True, "arn:1", None, settled=True), {0: "answered"}),
        ([message()], Recorded("fault", True, "arn:1", None), {}),
        ([message(minutes=2), message(execution="arn:2", minutes=1)], None, {1: "asked twice"}),
        ([message(execution="arn:2", label="bicycle"), message(minutes=1)], None, {1: "asked twice"}),
    ],
)
def test_why_a_message_need_not_ask(waiting, row, stale):
    assert why_stale(waiting, {PHOTO: row} if row else {}) == stale


@pytest.fixture
def stack(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stacked]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        stack = make()
        letters = stack.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        path = tmp_path / "outputs.json"
        path.write_text(json.dumps(stack.outputs() | {"deadLetterQueueUrl": letters}))
        monkeypatch.setenv("SCONES_OUTPUTS", str(path))
        yield stack


def accepted(stack: Stacked, key: str, execution: str = "arn:of-the-replay") -> None:
    version = stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    item: dict[str, Any] = {"object": f"{BUCKET}/{key}", "version": version, "decision": "accepted"}
    boto3.resource("dynamodb").Table(TABLE).put_item(Item=item | {"execution": execution, "label": "bicycle"})


@pytest.mark.parametrize("command", ["review", "reconcile"])
def test_whoever_lists_the_queue_removes_what_was_decided_meanwhile_and_says_so(stack, capsys, command):
    accepted(stack, stack.waits("decided.png", error="AccessDenied"))
    stack.waits("waits.png")

    code = main([command, "--json"])

    said = capsys.readouterr()
    assert (code, stack.left()) == (0, 1)
    assert said.err == f"{BUCKET}/incoming/decided.png: decided meanwhile, so its message goes\n"
    if command == "review":
        assert [each["key"] for each in json.loads(said.out)] == ["incoming/waits.png"]
    else:
        states = json.loads(said.out)["states"]
        assert (states["decided"], states["waiting"]) == (1, 1)


def test_a_second_message_about_the_same_version_goes(stack, capsys):
    key = stack.waits("twice.png", error="AccessDenied")
    version = stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    body = {"bucket": BUCKET, "key": key, "version": version, "error": "InvalidImage", "execution": "arn:2"}
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps(body))

    main(["review", "--json"])

    (waiting,) = json.loads(capsys.readouterr().out)
    assert waiting["error"] == "InvalidImage"
    assert stack.left() == 1
