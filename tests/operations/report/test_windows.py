from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.report.windows import cut, windows
from tests.operations.builders import some_records
from tests.operations.report.test_photos import photos_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans_of(seconds, most=48, enough=20, offset=timedelta()):
    return cut(np.array(sorted(int(second * 1e6) for second in seconds), np.int64), most, enough, offset)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 400 * 86400), max_size=200), st.integers(1, 60), st.integers(1, 50), st.integers(-12, 14)
)
def test_every_photo_is_in_exactly_one_span(seconds, most, enough, hours):
    spans = spans_of(seconds, most, enough, timedelta(hours=hours))
    assert sum(span.last - span.first for span in spans) == len(seconds)
    assert [span.first for span in spans[1:]] == [span.last for span in spans[:-1]]
    for second in seconds:
        moment = EPOCH + timedelta(seconds=second)
        assert sum(span.start <= moment < span.end for span in spans) == 1


def test_windows_are_as_narrow_as_the_number_of_photos_allows():
    dense = spans_of(range(0, 3600, 1))
    assert len(dense) == 12 and dense[0].end - dense[0].start == timedelta(minutes=5)
    assert len(spans_of(range(0, 3600, 600))) == 1


def test_days_are_local_days():
    spans = spans_of(range(0, 60 * 86400, 3600), 90, 24, timedelta(hours=-5))
    assert {span.start.hour for span in spans} == {5}


def test_no_photo_makes_no_window():
    assert spans_of([]) == []


def test_a_window_holds_its_photos_by_label_and_by_outcome():
    photos = photos_of(some_records(300, strangers=0.2), neither=2)
    found = windows(photos, 3, 48, 20)
    assert sum(window.count for window in found) == 300
    assert np.array_equal(np.sum([window.classes for window in found], axis=0), np.bincount(photos.labels))
    assert sum(int(window.outcomes.sum()) for window in found) == 300
    assert np.array_equal(found[0].confidences, photos.confidences[: found[0].count])
