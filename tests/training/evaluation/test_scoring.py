"""training.evaluation.scoring: an evaluation sends the model the picture that production sends."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from contract.errors import UserError
from handlers import serialize
from tests.photo_builders import lambda_context
from tests.photo_table import PHOTOS
from training.evaluation.scoring import as_sent
from training.job.hyperparameters import RECIPES, image_size

SIZES = sorted({image_size(recipe.values) for recipe in RECIPES.values()})
BUCKET, KEY = "photos", "incoming/photo"


@pytest.fixture(params=SIZES)
def production(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The serializer of a stack whose recipe has this image size."""
    settings = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "IMAGE_SIZE": str(request.param),
        "MAX_IMAGE_BYTES": "20000000",
        "MAX_IMAGE_PIXELS": "50000000",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    forget()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield request.param
    forget()


def forget() -> None:
    serialize.s3_client.cache_clear()
    serialize.limits_from_environment.cache_clear()


def test_the_recipes_have_the_sizes_that_are_compared():
    assert SIZES == [32, 224]


@pytest.mark.parametrize("name", PHOTOS)
def test_the_bytes_that_scoring_sends_are_those_of_the_serializer(name: str, production: int, tmp_path: Path):
    boto3.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=PHOTOS[name])
    answer = serialize.handler({"s3_bucket": BUCKET, "s3_key": KEY}, lambda_context())
    photo = tmp_path / "photo"
    photo.write_bytes(PHOTOS[name])
    assert as_sent(photo, production) == base64.b64decode(str(answer["image_data"]))


def test_what_the_serializer_refuses_is_named_with_its_file(tmp_path: Path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"broken\.png can't be read as an image"):
        as_sent(broken, 32)
