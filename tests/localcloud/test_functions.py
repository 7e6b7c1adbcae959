"""What a program asks of the cloud while it starts: another stack's outputs, an object."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from components.parts.measured_model import READ_OUTPUTS
from localcloud.cloud import Cloud
from localcloud.functions import GET_OBJECT, Refused, read
from localcloud.places import outputs_file

OBJECT = {"bucket": "bucket", "key": "models/x/evidence.json"}


def cloud(root: Path) -> Cloud:
    return Cloud(root, "prod", "us-east-1", "", "")


def came_up(root: Path, stack: str, **outputs: object) -> None:
    file = outputs_file(root, stack)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(outputs))


def test_another_stack_is_read_as_its_last_up_left_it_under_each_of_its_names(tmp_path: Path) -> None:
    came_up(tmp_path, "dev", bucket="b")
    for name in ("dev", "organization/dev", "organization/scones/dev"):
        assert read(cloud(tmp_path), READ_OUTPUTS, {"name": name}) == {
            "name": name, "outputs": {"bucket": "b"}, "secretOutputNames": [],
        }  # fmt: skip


def test_a_stack_that_is_not_up_is_refused_by_name_but_for_the_one_that_asks(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="unknown stack 'dev'"):
        read(cloud(tmp_path), READ_OUTPUTS, {"name": "dev"})
    with pytest.raises(Refused, match="only stacks of the project scones"):
        read(cloud(tmp_path), READ_OUTPUTS, {"name": "organization/other/prod"})
    found = read(cloud(tmp_path), READ_OUTPUTS, {"name": "prod"})
    assert found and found["outputs"] == {}


def test_only_text_is_read_as_the_provider_reads_it(tmp_path: Path) -> None:
    with mock_aws():
        here = cloud(tmp_path)
        here.clients["s3"] = s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key=OBJECT["key"], Body=b"{}", ContentType="application/json")
        s3.put_object(Bucket="bucket", Key="model", Body=b"\xff", ContentType="application/gzip")
        text, binary = read(here, GET_OBJECT, OBJECT), read(here, GET_OBJECT, {"bucket": "bucket", "key": "model"})
        with pytest.raises(Refused, match=r"reading S3 Bucket \(bucket\) Object \(none\): couldn't find resource"):
            read(here, GET_OBJECT, {"bucket": "bucket", "key": "none"})
    assert text and (text["body"], text["etag"]) == ("{}", "99914b932bd37a50b983c5e7c90ae93b")
    assert binary and binary["body"] == ""


def test_what_only_says_who_and_where_is_answered_elsewhere(tmp_path: Path) -> None:
    assert read(cloud(tmp_path), "aws:index/getRegion:getRegion", {}) is None
