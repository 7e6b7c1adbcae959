"""A restored table's rows find their way back, and nothing newer is lost by it: with moto's own restore."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.cli import main
from operations.restore import rows as rows_module
from operations.restore.rows import put_back

OWN, RESTORED = "decisions", "scones-restored"
NEVER = 4_102_444_800
"""2100, in seconds."""


def row(key: str, decision: str = "accepted", expires: int = NEVER, **more: str) -> dict[str, Any]:
    texts = {"object": f"bucket/{key}", "version": "v1", "decision": decision, **more}
    return {**{name: {"S": text} for name, text in texts.items()}, "expires_at": {"N": str(expires)}}


@pytest.fixture
def dynamodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    (tmp_path / "outputs.json").write_text(json.dumps({"decisionsTable": OWN}))
    monkeypatch.setenv("SCONES_OUTPUTS", str(tmp_path / "outputs.json"))
    with mock_aws():
        client = boto3.client("dynamodb")
        keys = [("object", "HASH"), ("version", "RANGE")]
        client.create_table(
            TableName=OWN,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
        client.update_continuous_backups(
            TableName=OWN, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        yield client


def put(dynamodb: Any, *rows: dict[str, Any]) -> None:
    for each in rows:
        dynamodb.put_item(TableName=OWN, Item=each)


def restore(dynamodb: Any) -> None:
    """As the runbook has it."""
    dynamodb.restore_table_to_point_in_time(SourceTableName=OWN, TargetTableName=RESTORED, UseLatestRestorableTime=True)
    dynamodb.get_waiter("table_exists").wait(TableName=RESTORED)


def held(dynamodb: Any) -> list[dict[str, Any]]:
    return sorted(dynamodb.scan(TableName=OWN)["Items"], key=lambda each: each["object"]["S"])


def test_rows_that_were_lost_come_back_and_the_others_stay(dynamodb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    put(dynamodb, row("a"), row("b"))
    restore(dynamodb)
    dynamodb.delete_item(TableName=OWN, Key={"object": row("a")["object"], "version": row("a")["version"]})
    put(dynamodb, row("c"))
    assert main(["restore", RESTORED, "--yes"]) == 0
    assert held(dynamodb) == [row("a"), row("b"), row("c")]
    assert "1 row as restored, 1 missing, 0 different" in capsys.readouterr().out


def test_without_yes_nothing_is_written(dynamodb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    put(dynamodb, row("a"))
    restore(dynamodb)
    dynamodb.delete_item(TableName=OWN, Key={"object": row("a")["object"], "version": row("a")["version"]})
    assert main(["restore", RESTORED]) == 0
    assert held(dynamodb) == [] and "nothing is written" in capsys.readouterr().out


def test_a_row_that_differs_is_named_and_overwritten_only_when_asked(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put(dynamodb, row("a"))
    restore(dynamodb)
    put(dynamodb, row("a", decision="review", answer="bicycle"))
    assert main(["restore", RESTORED, "--yes"]) == 0
    assert held(dynamodb)[0]["decision"] == {"S": "review"} and "different: bucket/a v1" in capsys.readouterr().out
    assert main(["restore", RESTORED, "--overwrite", "--yes", "--json"]) == 0
    assert held(dynamodb) == [row("a")]
    assert json.loads(capsys.readouterr().out)["different"] == ["bucket/a v1"]


def test_what_has_expired_meanwhile_is_left_out(dynamodb: Any) -> None:
    put(dynamodb, row("a", expires=1))
    restore(dynamodb)
    dynamodb.delete_item(TableName=OWN, Key={"object": row("a")["object"], "version": row("a")["version"]})
    main(["restore", RESTORED, "--yes"])
    assert held(dynamodb) == []


@pytest.mark.parametrize("meanwhile", [{"answer_id": "1"}, {"decision": "review"}])
def test_a_row_that_somebody_writes_meanwhile_is_left_alone(dynamodb: Any, meanwhile: dict[str, str]) -> None:
    there = row("a", decision="fault")
    put(dynamodb, {**there, **{name: {"S": text} for name, text in meanwhile.items()}})
    before = held(dynamodb)
    assert put_back(dynamodb, OWN, row("a")) is False
    assert put_back(dynamodb, OWN, row("a"), instead_of=there) is False
    assert held(dynamodb) == before


def test_more_rows_than_are_asked_for_at_a_time(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "AT_ONCE", 3)
    put(dynamodb, *(row(f"{index:02}") for index in range(10)))
    restore(dynamodb)
    for each in held(dynamodb)[::2]:
        dynamodb.delete_item(TableName=OWN, Key={"object": each["object"], "version": each["version"]})
    main(["restore", RESTORED, "--yes"])
    assert held(dynamodb) == [row(f"{index:02}") for index in range(10)]


def test_a_table_that_is_not_there_or_is_the_stack_s_own_is_one_sentence(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for table in (OWN, "nowhere"):
        assert main(["restore", table]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1
