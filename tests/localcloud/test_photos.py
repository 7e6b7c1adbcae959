"""Following photos: by their own executions, whatever else ran before or runs beside, and at the same cost."""

import json
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from contract.errors import NoneOfTheClasses, ThresholdNotMet, UserError
from localcloud.commands.classify import totals
from localcloud.photos import PAGE, Classification, Photo, given

NOW = datetime(2026, 11, 25, tzinfo=UTC)
FIGURES = {"label": "bicycle", "confidence": 0.6, "margin": 0.2, "threshold": 0.8, "inferences": [0.6, 0.4]}


def ended(**what):
    return {"status": "SUCCEEDED", "output": json.dumps({"label": "bicycle", "confidence": 0.99}), **what}


class States:
    """Step Functions with a history: executions newest first, a page at a time, and a count of the calls."""

    def __init__(self, outcome=ended):
        self.executions, self.calls, self.outcome, self.polls = [], Counter(), outcome, Counter()

    def start(self, text, *, arn=None):
        arn = arn or f"arn:{len(self.executions)}"
        self.executions.insert(0, {"executionArn": arn, "input": text})

    def list_executions(self, *, stateMachineArn, maxResults, nextToken="0"):
        self.calls["list"] += 1
        begin, end = int(nextToken), int(nextToken) + maxResults
        answer = {"executions": [{"executionArn": each["executionArn"]} for each in self.executions[begin:end]]}
        return answer | ({"nextToken": str(end)} if end < len(self.executions) else {})

    def describe_execution(self, *, executionArn):
        self.calls["describe"] += 1
        (found,) = [each for each in self.executions if each["executionArn"] == executionArn]
        self.polls[executionArn] += 1
        running = self.polls[executionArn] < 2
        state = {"status": "RUNNING"} if running else self.outcome()
        return {**found, **state, "startDate": NOW, "stopDate": NOW}


class S3:
    def __init__(self, states, beside=()):
        self.states, self.beside, self.count = states, list(beside), 0

    def put_object(self, *, Bucket, Key, Body, ContentType):
        for text in self.beside:
            self.states.start(text)
        self.count += 1
        self.states.start(json.dumps({"s3_bucket": Bucket, "s3_key": Key, "image_data": ""}))


def classification(states, beside=()):
    clients = {"s3": S3(states, beside), "stepfunctions": states}
    deployment = SimpleNamespace(outputs={"bucket": "b", "stateMachineArn": "m"})
    return Classification(SimpleNamespace(client=clients.get), deployment)


@pytest.fixture
def photos(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for path in paths:
        path.write_bytes(b"x")
    return [Photo(path, "bicycle") for path in paths]


def run(states, photos, beside=()):
    return classification(states, beside).run(photos, lambda _: None)


def test_a_photo_costs_the_same_calls_after_ten_thousand_executions(photos):
    costs = []
    for history in (0, 10_000):
        states = States()
        for number in range(history):
            states.start("{}", arn=f"old:{number}")
        assert [each.decision for each in run(states, photos)] == ["accepted"] * 12
        costs.append(states.calls)
        assert not any(arn.startswith("old:") for arn in states.polls)
    assert abs(costs[0]["list"] - costs[1]["list"]) <= 1 and costs[0]["describe"] == costs[1]["describe"]


@pytest.mark.parametrize("foreign", ["[]", "null", '"text"', "not JSON", '{"s3_key": 3}', "{}"])
def test_an_execution_that_somebody_else_started_is_nobody_s_photo(photos, foreign):
    results = run(States(), photos, beside=[foreign])
    assert [each.photo for each in results] == [photo.path.name for photo in photos]


def test_more_executions_than_a_page_between_two_looks_are_all_seen(photos):
    states = States()
    states.start("{}", arn="old")
    results = run(states, photos[:1], beside=["{}"] * (2 * PAGE))
    assert results[0].decision == "accepted"
    assert "old" not in states.polls


@pytest.mark.parametrize(
    ("error", "cause", "decision", "word", "label"),
    [
        ("ThresholdNotMet", str(ThresholdNotMet(**FIGURES)), "review", "for a person", "bicycle"),
        ("NoneOfTheClasses", str(NoneOfTheClasses(**FIGURES)), "neither", "stranger", "bicycle"),
        ("InvalidImage", "the photo is cut off", "fault", "fault", None),
        ("ThresholdNotMet", "THRESHOLD_CONFIDENCE_NOT_MET {cut", "review", "for a person", None),
    ],
)
def test_the_four_outcomes_are_told_apart(photos, error, cause, decision, word, label):
    (result,) = run(States(lambda: {"status": "FAILED", "error": error, "cause": cause}), photos[:1])
    assert (result.decision, result.word, result.label, result.message) == (decision, word, label, cause)


def test_the_totals_count_one_photo_as_one(photos):
    results = run(States(), photos)
    assert totals(results[:1]) == (
        "1 photo: 1 accepted, 0 for a person, 0 strangers, 0 faults; 1 of 1 accepted label is right"
    )
    assert totals(results[:2]).startswith("2 photos: 2 accepted, 0 for a person, 0 strangers, 0 faults; 2 of 2 ")


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty holds no files"):
        given([tmp_path / "empty"])
