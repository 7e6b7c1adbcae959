"""What lies under a prefix, and the name that it gives a batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from contract import prefixes
from contract.errors import UserError
from operations.batch.listing import UnderPrefix, check_prefix, look_under, name_of

BUCKET = "photos"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        for key, size in (("batch/a/", 0), ("batch/a/1.png", 3), ("batch/a/b/2.png", 4), ("batch/b/3.png", 5)):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"x" * size)
        yield client


def look(s3: Any, prefix: str = "batch/a/") -> UnderPrefix:
    return look_under(s3, BUCKET, prefix, lambda *said: None)


def test_photos_are_counted_and_folders_are_none(s3: Any):
    found = look(s3)
    assert (found.photos, found.folders, found.size) == (2, 1, 7)


def test_an_empty_photo_counts_since_the_batch_will_call_it_a_fault(s3: Any):
    s3.put_object(Bucket=BUCKET, Key="batch/a/empty.png", Body=b"")
    assert look(s3).photos == 3


def test_more_than_one_page_is_listed(s3: Any):
    for number in range(1001):
        s3.put_object(Bucket=BUCKET, Key=f"batch/many/{number:04}.png", Body=b"x")
    heard: list[int] = []
    found = look_under(s3, BUCKET, "batch/many/", lambda what, done, total: heard.append(done))
    assert (found.photos, heard) == (1001, [1000, 1001])


def test_the_same_photos_are_the_same_batch(s3: Any):
    assert name_of(look(s3), 1) == name_of(look(s3), 1)
    s3.put_object(Bucket=BUCKET, Key="batch/a/folder/", Body=b"")
    assert name_of(look(s3), 1) == name_of(look(s3), 1)


def test_one_more_photo_or_another_prefix_or_attempt_is_another_batch(s3: Any):
    names = {name_of(look(s3), 1), name_of(look(s3), 2), name_of(look(s3, "batch/"), 1)}
    s3.put_object(Bucket=BUCKET, Key="batch/a/4.png", Body=b"x")
    names.add(name_of(look(s3), 1))
    assert len(names) == 4


def test_a_photo_that_was_replaced_makes_another_batch(s3: Any):
    before = look(s3)
    s3.put_object(Bucket=BUCKET, Key="batch/a/1.png", Body=b"yyy")
    assert look(s3).digest != before.digest


@given(st.text(max_size=300), st.integers(1, 99))
def test_every_name_is_one_that_step_functions_takes(rest: str, attempt: int):
    name = name_of(UnderPrefix(prefixes.BATCH + rest, 1, 0, 1, "0" * 16), attempt)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,80}", name)


@pytest.mark.parametrize("prefix", ["batch/", "batch/2026", "incoming/a/", "test/"])
def test_photos_may_lie_where_the_functions_read_them(prefix: str):
    assert check_prefix(prefix) == prefix


ELSEWHERE = [prefix for prefix in prefixes.OTHERS if prefix not in prefixes.PHOTOS]


@pytest.mark.parametrize("prefix", [*ELSEWHERE, "elsewhere/", "batch", "/batch/", "s3://b/batch/", ""])
def test_anything_else_is_refused_by_its_name_with_what_is_allowed(prefix: str):
    with pytest.raises(UserError) as caught:
        check_prefix(prefix)
    assert str(caught.value) == (
        f"PREFIX must begin with incoming/, batch/ or test/, where photos may lie, got {prefix!r}"
    )
