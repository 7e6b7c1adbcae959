import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from contract.baseline import BIN_EDGES, BINS, confidence_histogram
from operations.report import series as series_module
from operations.report.binning import (
    DURATION_EDGES,
    FINE,
    FINE_EDGES,
    coarser,
    confidence_bins,
    duration_bins,
    quantile,
)
from operations.report.sample import Smallest
from operations.report.series import Series
from operations.report.statistics import (
    control_limits,
    ks_critical_distance,
    ks_distance,
    outside_limits,
    usual_rate,
)

confidences = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([*BIN_EDGES])), min_size=1, max_size=60)


@given(confidences)
def test_the_fine_bins_joined_are_the_drift_bins_of_the_function_in_the_cloud(values):
    counts = np.bincount(confidence_bins(np.array(values)), minlength=FINE)
    assert coarser(counts, BINS).tolist() == confidence_histogram(values)


@given(confidences, st.floats(0, 1))
def test_a_quantile_has_its_share_of_the_values_below_to_within_a_bin(values, share):
    counts = np.bincount(confidence_bins(np.array(values)), minlength=FINE)
    found = quantile(counts, FINE_EDGES, share)
    assert found is not None
    width = 1.01 / FINE
    assert sum(value < found - width for value in values) <= share * len(values) + 1e-9
    assert sum(value <= found + width for value in values) >= share * len(values) - 1e-9


def test_there_is_no_quantile_of_nothing():
    assert quantile(np.zeros(FINE, np.int64), FINE_EDGES, 0.5) is None


def test_durations_beyond_the_bins_go_to_the_first_and_the_last():
    assert duration_bins(np.array([-1.0, 0.0, 1e9])).tolist() == [0, 0, len(DURATION_EDGES) - 2]


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_for_many_photos_the_limits_are_those_of_a_p_chart(rate):
    low, high = control_limits(rate, 100_000)
    three_sigma = 3 * (rate * (1 - rate) / 100_000) ** 0.5
    assert low == pytest.approx(rate - three_sigma, abs=5e-5)
    assert high == pytest.approx(rate + three_sigma, abs=5e-5)


@settings(max_examples=200)
@given(st.floats(0, 1), st.integers(1, 3000))
def test_chance_leaves_the_limits_at_most_27_times_in_ten_thousand(rate, count):
    low, high = control_limits(rate, count)
    assert 0 <= low <= high <= 1
    below = stats.binom.cdf(round(low * count) - 1, count, rate)
    above = stats.binom.sf(round(high * count), count, rate)
    assert below <= 0.00135 + 1e-9
    assert above <= 0.00135 + 1e-9


def test_what_went_wrong_does_not_define_the_usual_rate():
    counts, reviewed = [100] * 30, [2] * 20 + [45] * 10
    rate = usual_rate(reviewed, counts)
    assert rate == pytest.approx(0.02)
    assert outside_limits(reviewed, counts, rate) == list(range(20, 30))


def test_without_anything_unusual_the_usual_rate_is_the_rate():
    draw = random.Random(3)
    counts = [draw.randint(20, 200) for _ in range(30)]
    reviewed = [sum(draw.random() < 0.1 for _ in range(count)) for count in counts]
    assert usual_rate(reviewed, counts) == pytest.approx(sum(reviewed) / sum(counts))
    assert usual_rate([], []) == 0.0


def test_the_distance_of_binned_samples_is_scipys_on_the_same_values():
    draw = np.random.default_rng(1)
    first, second = draw.integers(0, 20, 300), draw.integers(3, 20, 200)
    expected = stats.ks_2samp(first, second).statistic
    assert ks_distance(np.bincount(first, minlength=20), np.bincount(second, minlength=20)) == pytest.approx(expected)


def test_samples_of_one_distribution_exceed_the_critical_distance_as_rarely_as_they_should():
    draw = np.random.default_rng(2)
    limit = ks_critical_distance(400, 300, 0.05)
    exceeded = 0
    for _ in range(600):
        first, second = draw.random(400), draw.random(300)
        exceeded += stats.ks_2samp(first, second).statistic > limit
    assert 0.02 < exceeded / 600 < 0.08


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(1, 20))
def test_the_smallest_are_kept_however_they_arrive(keys, size):
    kept: Smallest[float] = Smallest(size)
    for start in range(0, len(keys), 7):
        part = np.array(keys[start : start + 7])
        kept.offer([(float(part[i]), float(part[i])) for i in kept.candidates(part)])
    assert kept.items == sorted(keys)[:size]


def test_random_keys_make_a_fair_draw():
    draw = np.random.default_rng(5)
    hits = np.zeros(50)
    for _ in range(2000):
        kept: Smallest[int] = Smallest(10)
        for start in range(0, 50, 10):
            keys = draw.random(10)
            kept.offer([(float(keys[i]), start + i) for i in kept.candidates(keys)])
        hits[kept.items] += 1
    assert np.abs(hits / 2000 - 0.2).max() < 0.04


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def series_of(seconds, review=None):
    series = Series(2)
    times = np.array([int(second * 1e6) for second in seconds], np.int64)
    labels = np.zeros(len(times), np.int64)
    series.add(times, np.full(len(times), 90), labels, np.array(review if review is not None else labels))
    return series


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 400 * 86400), min_size=1, max_size=200),
    st.integers(1, 60),
    st.integers(1, 50),
    st.integers(2, 40),
)
def test_nothing_is_lost_however_the_stretches_are_joined(seconds, most, enough, stretches):
    before = series_module.MOST_STRETCHES
    series_module.MOST_STRETCHES = stretches
    try:
        series = series_of(seconds, [second % 2 for second in seconds])
        windows = series.windows(most, enough, timedelta(hours=5))
    finally:
        series_module.MOST_STRETCHES = before
    assert sum(window.count for window in windows) == len(seconds)
    assert sum(window.review for window in windows) == sum(second % 2 for second in seconds)
    for second in seconds:
        moment = EPOCH + timedelta(seconds=second)
        assert sum(window.start <= moment < window.end for window in windows) == 1


def test_years_of_photos_need_no_more_stretches_than_a_day():
    series = series_of(range(0, 10 * 365 * 86400, 36000))
    assert len(series._stretches) <= series_module.MOST_STRETCHES


def test_windows_are_as_narrow_as_the_number_of_photos_allows():
    dense = series_of(range(0, 3600, 1)).windows(48, 20)
    assert len(dense) == 12 and dense[0].end - dense[0].start == timedelta(minutes=5)
    sparse = series_of(range(0, 3600, 600)).windows(48, 20)
    assert len(sparse) == 1


def test_days_are_local_days():
    windows = series_of(range(0, 60 * 86400, 3600)).windows(90, 24, timedelta(hours=-5))
    assert {window.start.hour for window in windows} == {5}
