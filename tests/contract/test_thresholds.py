"""Which thresholds mean something."""

import math

import pytest

from contract.thresholds import allowed_thresholds, is_threshold


@pytest.mark.parametrize(
    ("value", "labels", "means_something"),
    [
        (0.5, 2, False),  # every photo's best probability reaches it
        (math.nextafter(0.5, 1), 2, True),
        (0.34, 3, True),
        (1 / 3, 3, False),
        (1.0, 2, True),
        (math.nextafter(1, 2), 2, False),
        (0.0, 100, False),
        (-0.9, 2, False),
        (math.nan, 2, False),
        (math.inf, 2, False),
        (0.01, None, True),
        (0.0, None, False),
        (1.01, None, False),
    ],
)
def test_a_threshold_lies_above_what_every_photo_reaches_and_may_be_1(value, labels, means_something):
    assert is_threshold(value, labels) is means_something


def test_a_message_says_what_is_allowed():
    assert allowed_thresholds(3) == "a number above 0.3333 and at most 1 for 3 labels"
    assert allowed_thresholds(None) == "a number above 0 and at most 1"
