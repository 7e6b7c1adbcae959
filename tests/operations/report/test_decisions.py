import json
from datetime import UTC, datetime
from decimal import Decimal

import boto3
import pytest
from moto import mock_aws

from contract.decisions import RECORDED
from contract.errors import UserError
from operations.captures.period import Period
from operations.report.decisions import DamagedDecision, Decisions, parse_decision, rows_of_file, rows_of_table

ROW = {
    "object": "photos/incoming/a.png",
    "version": "1",
    "inference_id": "x",
    "decision": "accepted",
    "decided_at": "2026-05-03T08:00:02.5Z",
}


def test_a_decision_is_found_by_its_inference_id():
    found = Decisions([ROW, ROW | {"inference_id": "y", "decision": "review"}])
    first, second = found.find("x"), found.find("y")
    assert first is not None and second is not None and found.find("z") is None
    assert (first.outcome, first.object, second.outcome) == ("accepted", "photos/incoming/a.png", "review")
    assert found.counts == {"accepted": 1, "review": 1}


def test_of_two_decisions_for_one_version_the_first_stands():
    found = Decisions([ROW, ROW | {"decision": "review"}]).find("x")
    assert found is not None and found.outcome == "accepted"


def test_decisions_that_no_captured_photo_asked_for_are_left_in_order_of_time():
    early = ROW | {"inference_id": "y", "decided_at": "2026-05-02T08:00:00Z"}
    found = Decisions([ROW, early, ROW | {"inference_id": "z"}])
    found.find("z")
    assert [one.inference_id for one in found.without_capture(Period())] == ["y", "x"]
    later = Period(datetime(2026, 5, 3, tzinfo=UTC))
    assert [one.inference_id for one in found.without_capture(later)] == ["x"]


def test_executions_that_failed_by_design_are_remembered():
    rows = [ROW | {"inference_id": name, "decision": name, "execution": f"e-{name}"} for name in RECORDED]
    assert Decisions(rows).for_people == {"e-review", "e-neither"}


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
    index = Decisions([ROW | change, ROW])
    assert (index.count, index.damaged) == (1, 1)
    assert problem in index.example


@pytest.mark.parametrize("decision", RECORDED)
def test_whatever_the_state_machine_records_is_a_decision(decision):
    assert parse_decision(ROW | {"decision": decision}).outcome == decision


def test_a_decisions_file_is_read_line_by_line_and_bad_lines_counted(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(ROW) + "\n\nnot json\n[1]\n" + json.dumps(ROW | {"inference_id": "y"}))
    index = Decisions(rows_of_file(path))
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
    assert Decisions(rows).count == 60
