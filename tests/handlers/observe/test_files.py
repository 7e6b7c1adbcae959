"""The function's reader of capture files."""

import boto3
from moto import mock_aws

from handlers.observe.files import inferences
from tests.capture_builders import line


def test_what_an_evaluation_asked_is_no_traffic():
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="bucket")
        body = line(inference_id="evaluation-1") + line(inference_id="photo")
        s3.put_object(Bucket="bucket", Key="capture/a.jsonl", Body=body)
        found = inferences(s3, "bucket", "capture/a.jsonl", 2, lambda number, problem: None)
        assert [each.inference_id for each in found] == ["photo"]
