"""PSI and its critical value by their laws."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from contract.baseline import confidence_histogram
from contract.drift import (
    confidence_drift,
    merge_sparse,
    population_stability_index,
    psi_critical_value,
)

counts = st.lists(st.integers(0, 500), min_size=20, max_size=20).filter(any)
two_counts = st.tuples(counts, counts)


@given(two_counts)
def test_psi_is_symmetric_finite_and_not_negative(pair):
    value = population_stability_index(*pair)
    assert 0 <= value < math.inf
    assert math.isclose(value, population_stability_index(*reversed(pair)), rel_tol=1e-9)


@given(counts, st.integers(1, 1000))
def test_psi_of_equal_proportions_is_exactly_zero(first, factor):
    assert population_stability_index(first, [factor * count for count in first]) == 0


@given(two_counts)
def test_psi_of_different_proportions_is_above_zero(pair):
    first, second = pair
    assume(any(a * sum(second) != b * sum(first) for a, b in zip(first, second, strict=True)))
    assert population_stability_index(first, second) > 0


@given(two_counts, st.randoms())
def test_psi_does_not_depend_on_the_order_of_the_bins(pair, shuffler):
    order = list(range(20))
    shuffler.shuffle(order)
    moved = [[side[index] for index in order] for side in pair]
    assert math.isclose(
        population_stability_index(*moved), population_stability_index(*pair), rel_tol=1e-9, abs_tol=1e-12
    )


def test_psi_of_large_samples_is_the_textbook_sum():
    first, second = [500_000, 300_000, 200_000], [400_000, 300_000, 300_000]
    expected = -0.1 * math.log(0.4 / 0.5) + 0.1 * math.log(0.3 / 0.2)
    assert math.isclose(population_stability_index(first, second), expected, rel_tol=1e-4)


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2], [1, 2, 3]), ([0, 0], [1, 2]), ([1, 2], [0, 0]), ([1, -1], [1, 2]), ([], [])],
)
@pytest.mark.parametrize("measure", [population_stability_index, merge_sparse])
def test_histograms_that_cannot_be_compared_are_refused(measure, first, second):
    with pytest.raises(ValueError, match="counts must h"):
        measure(first, second)


@given(st.integers(2, 101), st.floats(1e-9, 0.999))
def test_the_critical_value_is_the_scaled_quantile_of_chi_square(bins, significance):
    expected = (1 / 300 + 1 / 70) * stats.chi2.isf(significance, bins - 1)
    assert math.isclose(psi_critical_value(300, 70, bins, significance), expected, rel_tol=1e-8)


@pytest.mark.parametrize(
    "arguments", [(0, 5, 3, 0.01), (5, 0, 3, 0.01), (5, 5, 1, 0.01), (5, 5, 3, 0.0), (5, 5, 3, 1.0)]
)
def test_a_critical_value_that_means_nothing_is_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        psi_critical_value(*arguments)


def test_two_samples_of_one_population_exceed_the_critical_value_about_once_in_a_hundred():
    source = random.Random(7)
    alarms = trials = 0
    for _ in range(1500):
        first, second = (
            confidence_histogram(0.5 + source.betavariate(5, 1.3) / 2 for _ in range(size)) for size in (200, 60)
        )
        merged = merge_sparse(first, second)
        trials += 1
        alarms += population_stability_index(*merged) > psi_critical_value(200, 60, len(merged[0]), 0.01)
    assert 0.003 < alarms / trials < 0.03


@given(two_counts)
def test_merging_keeps_every_observation_and_fills_every_bin(pair):
    first, second = merge_sparse(*pair)
    assert (sum(first), sum(second)) == (sum(pair[0]), sum(pair[1]))
    n, m = sum(first), sum(second)
    expected = [(a / n + b / m) / 2 * min(n, m) for a, b in zip(first, second, strict=True)]
    assert len(expected) == 1 or all(value >= 5 - 1e-9 for value in expected)


def test_full_bins_are_left_as_they_are():
    assert merge_sparse([10, 20, 30], [30, 20, 10]) == ([10, 20, 30], [30, 20, 10])


def test_a_small_sample_is_left_with_one_bin():
    assert merge_sparse([0, 100, 200], [1, 0, 2]) == ([300], [3])


def test_a_small_sample_far_from_a_large_one_keeps_its_own_bin():
    assert merge_sparse([0, 0, 500], [50, 0, 0]) == ([0, 500], [50, 0])


@given(two_counts)
def test_drift_is_judged_from_thirty_observations_on_each_side(pair):
    drift = confidence_drift(*pair)
    assert (drift is None) == (min(map(sum, pair)) < 30)
    assert drift is None or (drift.psi >= 0 and drift.limit >= 0.1 and drift.score == drift.psi / drift.limit)


@pytest.mark.parametrize(
    ("first", "second", "drifted"),
    [
        ([0, 0, 500], [0, 0, 200], False),
        ([0, 0, 500], [200, 0, 0], True),
        ([0, 100, 400], [0, 60, 140], False),  # certain enough, too small to matter: PSI 0.06
        ([0, 100_000, 400_000], [0, 60_000, 140_000], False),
        ([0, 100, 400], [0, 100, 100], True),
        ([0, 6, 24], [0, 14, 16], False),  # large enough, too few to be certain
    ],
)
def test_drift_is_what_is_both_beyond_chance_and_large_enough_to_matter(first, second, drifted):
    assert (confidence_drift(first, second).score > 1) is drifted


def test_the_limit_is_the_critical_value_of_the_merged_bins():
    drift = confidence_drift([0, 100, 400], [0, 60, 140])
    assert drift.limit == max(psi_critical_value(500, 200, 2, 0.001), 0.1)
    assert confidence_drift([0, 20, 80], [0, 60, 140]).limit == psi_critical_value(100, 200, 2, 0.001)
