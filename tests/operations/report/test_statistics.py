import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from operations.report.sample import Smallest
from operations.report.statistics import (
    control_limits,
    ks_critical_distance,
    ks_distance,
    outside_limits,
    usual_rate,
)


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
