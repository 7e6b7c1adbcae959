"""Which objects start an execution, as EventBridge's emulator matches the rule's pattern."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from components.classification_workflow import _uploads
from contract import prefixes
from tests.components.emulator import Emulator, emulator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as it:
        yield it


def object_created(key: str, size: int, bucket: str = "data") -> dict[str, object]:
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": size, "etag": "e"}}
    return {
        **{"version": "0", "id": "1", "account": "123456789012", "region": "us-east-1", "source": "aws.s3"},
        **{"time": "2026-11-25T05:00:00Z", "resources": [], "detail-type": "Object Created", "detail": detail},
    }


@pytest.mark.parametrize(
    ("key", "size", "starts"),
    [
        ("incoming/a.jpg", 5, True),
        ("incoming/2024/05/a.jpg", 5, True),
        ("incoming/a.jpg", 0, True),
        ("incoming/2024/empty", 0, True),
        ("incoming/", 0, False),
        ("incoming/2024/", 0, False),
        ("incoming/odd/", 5, True),
        *((f"{prefix}a.jpg", size, False) for prefix in prefixes.OTHERS for size in (0, 5)),
        ("elsewhere/a.jpg", 5, False),
    ],
)
def test_every_upload_starts_an_execution_and_no_folder_does(key: str, size: int, starts: bool, running: Emulator):
    answer = running.client("events").test_event_pattern(
        EventPattern=_uploads("data"), Event=json.dumps(object_created(key, size))
    )
    assert answer["Result"] is starts


def test_another_buckets_objects_start_nothing(running: Emulator):
    event = json.dumps(object_created("incoming/a.jpg", 5, bucket="other"))
    assert not running.client("events").test_event_pattern(EventPattern=_uploads("data"), Event=event)["Result"]


def test_every_prefix_is_that_of_uploads_or_one_of_the_others():
    folders = {value for name, value in vars(prefixes).items() if name.isupper() and str(value).endswith("/")}
    assert folders == {prefixes.INCOMING, *prefixes.OTHERS}
