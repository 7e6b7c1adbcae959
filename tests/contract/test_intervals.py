"""Wilson's interval by its definition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from contract.intervals import wilson_interval


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_its_ends_are_the_shares_from_which_the_count_lies_z_standard_errors_away(counts, confidence):
    successes, count = counts
    z = stats.norm.isf((1 - confidence) / 2)
    for end in wilson_interval(successes, count, confidence):
        assert 0 <= end <= 1
        away = abs(successes / count - end)
        assert math.isclose(away, z * math.sqrt(end * (1 - end) / count), rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize(("successes", "end", "value"), [(0, 0, 0.0), (10, 1, 1.0)])
def test_none_and_all_reach_the_very_end(successes, end, value):
    assert wilson_interval(successes, 10)[end] == value


def test_it_says_nothing_about_no_photos():
    assert wilson_interval(0, 0) == (0.0, 1.0)
