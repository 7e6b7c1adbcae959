"""The batch's machine before judges that are not ours: what it lists, what a child is given, and how each one ends.

moto's interpreter reads lists of S3, selects items and runs children. It knows no Express children and no ResultWriter
in JSONata, and stops no run for its faults: these fields are left out before it, and asl-validator judges them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from components.parts.batch_machine import batch_definition
from components.parts.state_machine import DUPLICATE, FOR_A_PERSON, states_in_batch
from contract import errors
from contract.decisions import NOT_QUEUED
from tests.assertions import at_least_one
from tests.judges.interpreter import Ended, Fault, interpret
from tests.judges.machine import FIGURES, FINE, NAMES, failing
from tests.judges.process import Judge
from tests.judges.test_expressions import expressions

BATCH: dict[str, Any] = batch_definition(NAMES, "photos", concurrency=1, tolerated_percent=5)
CHILD: dict[str, Any] = {"QueryLanguage": "JSONata", "StartAt": "IsPhoto", "States": states_in_batch(NAMES)}
ITEM = {"s3_bucket": "b", "s3_key": "batch/a.jpg", "size": 9}


def child(judge: Judge, *, given: object = ITEM, **answers: list[object]) -> Ended:
    return interpret(judge, CHILD, given, {**FINE, **answers})


def refused(error: type[errors.ForAPerson]) -> list[object]:
    return failing(error.__name__, str(error(**FIGURES, inferences=[0.9, 0.1])))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="photos")
        yield s3


def test_every_object_below_the_prefix_is_a_child_and_the_folder_is_no_photo(judge: Judge, bucket: Any):
    for key in ("batch/a/", "batch/a/1 ü+.png", "batch/a/b/2.png", "batch/b.png", "incoming/3.png"):
        bucket.put_object(Bucket="photos", Key=key, Body=b"" if key.endswith("/") else b"photo")
    machine = copy.deepcopy(BATCH)
    state = machine["States"]["ClassifyAll"]
    del state["ResultWriter"], state["ToleratedFailurePercentage"]
    state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "STANDARD"

    ended = interpret(judge, machine, {"prefix": "batch/a/"}, FINE)

    assert ended.status == "SUCCEEDED" and len(ended.output) == 3
    assert [request["Payload"] for request in ended.asked["Serialize"]] == [
        {"s3_bucket": "photos", "s3_key": "batch/a/1 ü+.png", "size": 5},
        {"s3_bucket": "photos", "s3_key": "batch/a/b/2.png", "size": 5},
    ]


def test_an_accepted_photo_ends_as_one_that_was_uploaded(judge: Judge):
    ended = child(judge)
    assert ended.entered == ["IsPhoto", "Serialize", "Classify", "Filter", "Record", "Publish", "Routed"]
    assert (ended.status, ended.output["decision"], ended.output["label"]) == ("SUCCEEDED", "accepted", "bicycle")


@pytest.mark.parametrize("error", FOR_A_PERSON)
def test_a_photo_for_a_person_is_recorded_and_sent_as_any_other_and_is_no_failure(
    judge: Judge, error: type[errors.ForAPerson]
):
    ended = child(judge, Filter=refused(error))
    assert (ended.status, ended.entered[-1], ended.output["error"]) == ("SUCCEEDED", "Waits", error.__name__)
    assert {"RecordReview", "SendToReview"} <= set(ended.asked)
    # a mail for each of some hundred thousand photos helps nobody
    assert "Alert" not in ended.asked


def test_a_fault_is_sent_to_a_person_and_fails(judge: Judge):
    ended = child(judge, Serialize=failing("InvalidImage", "what is this"))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "InvalidImage", "what is this")
    assert "SendToReview" in ended.asked and "Alert" not in ended.asked


def test_a_photo_that_no_queue_takes_is_alerted_of_and_fails(judge: Judge):
    ended = child(judge, Filter=refused(FOR_A_PERSON[0]), SendToReview=[Fault("SQS.QueueDoesNotExist", "gone")])
    assert ended.status == "FAILED" and NOT_QUEUED in str(ended.cause)
    assert NOT_QUEUED in ended.asked["Alert"][0]["Message"]


@pytest.mark.parametrize(
    "answers",
    [
        {"Record": [Fault(DUPLICATE, "there is one")]},
        {"Filter": refused(FOR_A_PERSON[0]), "RecordReview": [Fault(DUPLICATE, "there is one")]},
    ],
)
def test_a_version_that_was_decided_before_stays_as_it_is_and_is_told_to_nobody(
    judge: Judge, answers: dict[str, list[object]]
):
    ended = child(judge, **answers)
    assert (ended.status, ended.entered[-1], ended.output["again"]) == ("SUCCEEDED", "AlreadyDecided", True)
    assert not {"Publish", "SendToReview", "Alert"} & set(ended.asked)


@pytest.mark.parametrize(
    ("key", "size", "first"),
    [
        ("batch/", 0, "Folder"),
        ("batch/2026/", 0, "Folder"),
        ("batch/empty.jpg", 0, "Serialize"),
        ("batch/odd/", 9, "Serialize"),
    ],
)
def test_only_what_shows_a_folder_is_passed_over(judge: Judge, key: str, size: int, first: str):
    assert child(judge, given={**ITEM, "s3_key": key, "size": size}).entered[1] == first


def test_every_expression_of_its_own_gives_a_value_on_some_path(judge: Judge):
    ends = [child(judge), child(judge, Record=[Fault(DUPLICATE, "")]), child(judge, Serialize=failing("InvalidImage"))]
    own = {name: CHILD["States"][name] for name in ("IsPhoto", "HowItEnded", "Record")}
    evaluated = set[str]().union(*(ended.evaluated for ended in ends))
    assert set(at_least_one(expressions(own))) <= evaluated


def test_the_validator_takes_the_machine_and_refuses_a_broken_child(judge: Judge):
    assert judge.faults_of(BATCH) == []
    broken = copy.deepcopy(BATCH)
    broken["States"]["ClassifyAll"]["ItemProcessor"]["States"]["HowItEnded"]["Default"] = "Nowhere"
    assert judge.faults_of(broken)
    without_items = copy.deepcopy(BATCH)
    without_items["States"]["ClassifyAll"]["ItemReader"] = {"Arguments": {}}
    assert judge.faults_of(without_items)
