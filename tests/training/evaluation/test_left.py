"""What an evaluation leaves beside a model, in which order."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import ANY, Stubber

from contract.errors import UserError
from contract.prefixes import MEASURED_FILES
from training.evaluation.left import leave

URI = "s3://own/models/job-1/evidence.json"


def stubbed():
    s3 = boto3.client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    return s3, Stubber(s3)


def test_the_evidence_comes_last_so_that_whoever_finds_it_finds_all():
    s3, stub = stubbed()
    order = ["baseline.json", "card.md", "predictions.jsonl", "evidence.json"]
    for name in order:
        asked = {"Bucket": "own", "Key": f"models/job-1/{name}", "Body": name.encode(), "ContentType": ANY}
        stub.add_response("put_object", {}, asked)
    with stub:
        leave(s3, {name: name.encode() for name in MEASURED_FILES}, URI)
        stub.assert_no_pending_responses()


def test_what_can_t_be_put_is_named_and_no_evidence_follows():
    s3, stub = stubbed()
    stub.add_client_error("put_object", "AccessDenied", "not you")
    with stub, pytest.raises(UserError, match=r"nothing can be put to s3://own/models/job-1/card\.md: .*not you"):
        leave(s3, {"card.md": b"", "evidence.json": b""}, URI)
    stub.assert_no_pending_responses()
