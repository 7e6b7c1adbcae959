"""A batch transform asks a model about every picture, and says which one it could not read."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws
from PIL import Image

from localcloud.sagemaker.model import Network, features, pack
from localcloud.sagemaker.transforms import begin_transform

BUCKET = "models"
REQUEST: dict[str, Any] = {
    "TransformJobName": "job",
    "ModelName": "model",
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/asked/"}},
        "ContentType": "application/x-image",
    },
    "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/answered/"},
}


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def done(objects: dict[str, bytes]) -> tuple[Any, dict[str, Any]]:
    """The job's record at its end, and the answers."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    width = features(np.zeros((1, 32, 32, 3), np.uint8)).shape[1]
    rng = np.random.default_rng(0)
    network = Network(np.zeros(width), np.ones(width), (rng.normal(size=(width, 3)),), (np.zeros(3),), 1.0, (3, 32, 32))
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=pack(network, {}))
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=f"asked/{key}", Body=data)
    record = SimpleNamespace()
    container = {"ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    records = SimpleNamespace(
        transform_jobs={"job": record}, _models={"model": SimpleNamespace(primary_container=container)}
    )
    begin_transform(REQUEST, records, s3).join(30)
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="answered/").get("Contents", [])
    return record, {
        each["Key"]: json.loads(s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()) for each in found
    }


@mock_aws
def test_each_picture_has_an_answer_of_its_name() -> None:
    record, answers = done({"00000.png": png(0), "00001.png": png(1)})
    assert record.transform_job_status == "Completed" and record.failure_reason == ""
    assert sorted(answers) == ["answered/00000.png.out", "answered/00001.png.out"]
    first, second = (answers[key]["prediction"] for key in sorted(answers))
    assert len(first) == 3 and sum(first) == pytest.approx(1) and first != second


@mock_aws
def test_a_picture_that_can_t_be_read_fails_the_job_and_the_others_are_answered() -> None:
    record, answers = done({"00000.png": png(0), "00001.png": b"no picture"})
    assert record.transform_job_status == "Failed" and "00001.png" in record.failure_reason
    assert list(answers) == ["answered/00000.png.out"]


@mock_aws
def test_a_prefix_without_objects_fails_the_job() -> None:
    record, answers = done({})
    assert (record.transform_job_status, answers) == ("Failed", {}) and "no objects" in record.failure_reason
