"""contract.photos: which object is meant, in each shape that events have."""

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidEvent
from contract.photos import StoredObject, read_photo

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def records(*keys: str, version: str | None = None) -> dict[str, object]:
    extra = {} if version is None else {"versionId": version}
    return {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key, **extra}}} for key in keys]}


@given(KEYS)
def test_the_same_key_is_read_from_every_shape(key: str):
    plain = read_photo({"s3_bucket": "b", "s3_key": key, "image_data": ""})
    event = read_photo({"detail": {"bucket": {"name": "b"}, "object": {"key": key, "size": 5}}})
    notification = read_photo(records(quote_plus(key)))
    assert plain == event == notification == StoredObject("b", key, "")


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("incoming/a+photo.png", "incoming/a photo.png"),
        ("incoming/a%2Bb.png", "incoming/a+b.png"),
        ("incoming/Fahrr%C3%A4der/%E8%87%AA%E8%BB%8A.jpg", "incoming/Fahrräder/自車.jpg"),
        ("incoming/%27quoted%27%20%22twice%22.png", "incoming/'quoted' \"twice\".png"),
    ],
)
def test_only_notifications_encode_the_key(encoded: str, key: str):
    assert read_photo(records(encoded)).key == key
    assert read_photo({"s3_bucket": "b", "s3_key": encoded}).key == encoded
    assert read_photo({"detail": {"bucket": {"name": "b"}, "object": {"key": encoded}}}).key == encoded


def test_the_version_is_read_from_every_shape_and_may_be_unknown():
    assert read_photo({"s3_bucket": "b", "s3_key": "k", "s3_version": "v1"}).version == "v1"
    assert read_photo({"s3_bucket": "b", "s3_key": "k", "s3_version": ""}).version == ""
    assert read_photo(records("k", version="v1")).version == "v1"
    event = {"detail": {"bucket": {"name": "b"}, "object": {"key": "k", "version-id": "v1"}}}
    assert read_photo(event).version == "v1"


@pytest.mark.parametrize("keys", [(), ("a", "b")])
def test_a_notification_of_several_photos_or_none_is_refused_rather_than_cut_down(keys: tuple[str, ...]):
    with pytest.raises(InvalidEvent, match=f"exactly one record.*got {len(keys)}"):
        read_photo(records(*keys))


HALF = "incoming/\ud83d.png"
"""Half of a surrogate pair: JSON can hold it, UTF-8 and so S3 cannot."""


@pytest.mark.parametrize(
    "event",
    [
        {"s3_bucket": "b", "s3_key": HALF},
        {"s3_bucket": HALF, "s3_key": "k"},
        {"s3_bucket": "b", "s3_key": "k", "s3_version": HALF},
        {"detail": {"bucket": {"name": "b"}, "object": {"key": HALF}}},
        records(HALF),
    ],
)
def test_a_text_that_is_no_unicode_is_refused(event: object):
    with pytest.raises(InvalidEvent, match="must be Unicode"):
        read_photo(event)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ([], "the event must be an object"),
        ("text", "the event must be an object"),
        ({}, "s3_bucket must be a non-empty string"),
        ({"s3_bucket": "b"}, "s3_key must be a non-empty string"),
        ({"s3_bucket": "", "s3_key": "k"}, "s3_bucket must be a non-empty string"),
        ({"s3_bucket": "b", "s3_key": 7}, "s3_key must be a non-empty string.*got 7"),
        ({"s3_bucket": "b", "s3_key": "k", "s3_version": 7}, "version must be a string, got 7"),
        ({"Records": "one"}, "exactly one record"),
        ({"Records": [{"sns": {}}]}, r"Records\[0\].s3 must be an object"),
        ({"detail": {"bucket": "b"}}, "detail.bucket must be an object"),
        ({"detail": {"bucket": {"name": "b"}, "object": {}}}, "detail.object.key must be a non-empty string"),
    ],
)
def test_an_event_of_another_shape_is_refused_with_the_field(event: object, words: str):
    with pytest.raises(InvalidEvent, match=words):
        read_photo(event)
