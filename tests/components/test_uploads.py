"""Which objects start an execution, as two independent matchers of EventBridge's patterns say."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto.events.models import EventPattern

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
    assert moto_matches(key, size) is starts


def moto_matches(key: str, size: int) -> bool:
    return EventPattern.load(_uploads("data")).matches_event(object_created(key, size))


names = st.text("abz09 ._-/é🚲", max_size=12)
keys = st.builds(
    lambda place, name: place + name,
    st.sampled_from([prefixes.INCOMING, *prefixes.OTHERS, "incoming", "in", ""]),
    names,
)


@given(key=keys.filter(bool), size=st.sampled_from([0, 0, 1, 5_000_000]))
@example(key="incoming/2024.05/", size=0)
@example(key="incoming/photo (1)", size=0)
@settings(deadline=None, max_examples=300)
def test_law_no_photo_is_missed_and_nothing_else_starts_but_an_empty_object_in_no_known_place(key: str, size: int):
    is_folder = size == 0 and key.endswith("/")
    is_upload = key.startswith(prefixes.INCOMING) and not is_folder
    # a pattern can't ask of one key both how it begins and how it doesn't end
    astray = size == 0 and not is_folder and not key.startswith((prefixes.INCOMING, *prefixes.OTHERS))
    assert moto_matches(key, size) is (is_upload or astray)


def test_the_pattern_is_as_long_as_eventbridge_takes():
    # EventBridge User Guide, "Quotas": 2,048 characters
    assert len(_uploads("b" * 63)) < 2048


def test_another_buckets_objects_start_nothing(running: Emulator):
    event = json.dumps(object_created("incoming/a.jpg", 5, bucket="other"))
    assert not running.client("events").test_event_pattern(EventPattern=_uploads("data"), Event=event)["Result"]


def test_every_prefix_is_that_of_uploads_or_one_of_the_others():
    folders = {value for name, value in vars(prefixes).items() if name.isupper() and str(value).endswith("/")}
    assert folders == {prefixes.INCOMING, *prefixes.OTHERS}
