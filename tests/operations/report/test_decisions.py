import json
from decimal import Decimal

import boto3
import pytest
from moto import mock_aws

from contract.errors import UserError
from operations.report.decisions import DamagedDecision, DecisionIndex, parse_decision, rows_of_file, rows_of_table
from tests.operations.builders import decisions, some_records

ROW = {
    "object": "photos/incoming/a.png",
    "version": "1",
    "inference_id": "x",
    "decision": "accepted",
    "decided_at": "2026-05-03T08:00:02.5Z",
}


def test_a_decision_is_found_by_its_inference_id():
    index = DecisionIndex([ROW, ROW | {"inference_id": "y", "decision": "review"}])
    found = index.find(["x", None, "z", "y"])
    assert {name: decision.accepted for name, decision in found.items()} == {"x": True, "y": False}
    assert found["x"].object == "photos/incoming/a.png"
    assert (index.accepted, index.review, index.matched) == (1, 1, 2)


def test_a_decision_asked_for_twice_is_matched_once():
    index = DecisionIndex([ROW])
    index.find(["x", "x"])
    index.find(["x"])
    assert index.matched == 1


def test_more_ids_than_one_query_takes_are_all_found():
    index = DecisionIndex(decisions(some_records(1300)))
    ids = [item["eventMetadata"]["inferenceId"] for item in some_records(1300)]
    assert set(index.find(ids)) == set(ids)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"decision": "fault"}, "decision must be one of accepted, review, neither, got 'fault'"),
        ({"decision": "maybe"}, "decision must be one of accepted, review, neither, got 'maybe'"),
        ({"decided_at": "yesterday"}, "decided_at must be an ISO 8601 time"),
        ({"inference_id": None}, "inference_id must be a non-empty string, got None"),
        ({"object": ""}, "object must be a non-empty string"),
    ],
)
def test_a_damaged_row_is_named_and_counted(change, problem):
    with pytest.raises(DamagedDecision, match=problem):
        parse_decision(ROW | change)
    index = DecisionIndex([ROW | change, ROW])
    assert (index.count, index.damaged) == (1, 1)
    assert problem in index.example


@pytest.mark.parametrize(("decision", "accepted"), [("accepted", True), ("review", False), ("neither", False)])
def test_whatever_the_state_machine_records_is_a_decision(decision, accepted):
    assert parse_decision(ROW | {"decision": decision}).accepted is accepted


def test_a_decisions_file_is_read_line_by_line_and_bad_lines_counted(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(ROW) + "\n\nnot json\n[1]\n" + json.dumps(ROW | {"inference_id": "y"}))
    index = DecisionIndex(rows_of_file(path))
    assert (index.count, index.damaged) == (2, 2)


def test_a_missing_decisions_file_is_named(tmp_path):
    with pytest.raises(UserError, match="nothere"):
        list(rows_of_file(tmp_path / "nothere"))


def test_every_page_of_the_table_is_read_and_only_what_is_needed(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dynamodb = boto3.resource("dynamodb", region_name="us-east-1")
        table = dynamodb.create_table(
            TableName="decisions",
            KeySchema=[
                {"AttributeName": "object", "KeyType": "HASH"},
                {"AttributeName": "version", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "object", "AttributeType": "S"},
                {"AttributeName": "version", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        with table.batch_writer() as writer:
            for number in range(60):
                writer.put_item(
                    Item=ROW
                    | {
                        "object": f"photos/{number}.png",
                        "inference_id": f"{number:032x}",
                        "confidence": Decimal("0.9"),
                        "model": "m" * 40_000,  # 60 of them: more than one page of 1 MB
                    }
                )
        rows = list(rows_of_table(dynamodb.Table("decisions")))
    assert len({row["inference_id"] for row in rows}) == 60
    assert "model" not in rows[0]
    assert DecisionIndex(rows).count == 60
