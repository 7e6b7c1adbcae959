"""What the bucket forgets, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.data_bucket import DataBucket, DataBucketArgs
from components.parts.bounds import OLD_PHOTO_DAYS, PHOTO_RETENTION_DAYS
from contract import prefixes
from operations.reconcile.command import KEPT_DAYS
from tests.assertions import at_least_one
from tests.components.stack import run_alone


def rules(**arguments: Any) -> dict[str, Mapping[str, Any]]:
    """The lifecycle rules of a bucket, by prefix."""
    given: DataBucketArgs = {"capture_retention_days": 20, **arguments}
    (lifecycle,) = run_alone(lambda: DataBucket("data", given)).of("BucketLifecycleConfiguration")
    found = {rule["filter"]["prefix"]: rule for rule in lifecycle.inputs["rules"]}
    assert len(found) == len(lifecycle.inputs["rules"])
    return found


def days_left(rule: Mapping[str, Any]) -> tuple[int, int]:
    """As a current object, and as an old version afterwards."""
    return rule["expiration"]["days"], rule["noncurrentVersionExpiration"]["noncurrentDays"]


@pytest.mark.parametrize("days", [30, 31, 90, 3650])
@pytest.mark.parametrize(
    ("argument", "prefix"),
    [("photo_retention_days", prefixes.INCOMING), ("correction_retention_days", prefixes.CORRECTIONS)],
)
def test_nothing_is_left_of_a_photo_after_its_days_old_versions_included(argument: str, prefix: str, days: int) -> None:
    assert sum(days_left(rules(**{argument: days})[prefix])) == days


def test_without_an_argument_photos_and_samples_expire_all_the_same() -> None:
    found = rules()
    assert sum(days_left(found[prefixes.INCOMING])) == 90
    assert sum(days_left(found[prefixes.CORRECTIONS])) == 730


def test_a_photo_can_be_looked_at_for_as_long_as_its_review_may_wait_overwritten_or_not() -> None:
    current, old = days_left(rules(photo_retention_days=PHOTO_RETENTION_DAYS.least)[prefixes.INCOMING])
    assert current > KEPT_DAYS and old == OLD_PHOTO_DAYS > KEPT_DAYS


def test_a_capture_is_gone_a_day_after_it_expires() -> None:
    assert days_left(rules()[prefixes.CAPTURE]) == (20, 1)


def test_every_object_that_expires_has_its_old_versions_expire_too() -> None:
    for rule in at_least_one(rules().values()):
        assert rule["status"] == "Enabled" and rule["noncurrentVersionExpiration"]["noncurrentDays"] >= 1


def test_whatever_lies_in_the_bucket_leaves_no_old_version_no_marker_and_no_broken_upload_for_ever() -> None:
    everywhere = rules()[""]
    assert everywhere["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert everywhere["expiration"] == {"expiredObjectDeleteMarker": True}
    assert everywhere["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 3}
