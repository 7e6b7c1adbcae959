"""Histograms, PSI and its critical value by their laws; the baseline file field by field."""

import copy
import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from contract.drift import (
    BIN_EDGES,
    Baseline,
    BaselineError,
    confidence_histogram,
    measure_drift,
    merge_sparse,
    parse_baseline,
    population_stability_index,
    psi_critical_value,
)

counts = st.lists(st.integers(0, 500), min_size=20, max_size=20).filter(any)
two_counts = st.tuples(counts, counts)


@pytest.mark.parametrize(
    ("confidence", "index"), [(0.0, 0), (0.049, 0), (0.05, 1), (0.15, 3), (0.5, 10), (0.999, 19), (1.0, 19)]
)
def test_a_bin_holds_its_lower_edge_and_the_last_one_holds_1(confidence, index):
    assert confidence_histogram([confidence]).index(1) == index


@given(st.lists(st.floats(0, 1)))
def test_every_confidence_is_in_the_bin_whose_edges_enclose_it(confidences):
    histogram = confidence_histogram(confidences)
    assert sum(histogram) == len(confidences)
    for index, count in enumerate(histogram):
        last = index == 19
        assert count == sum(BIN_EDGES[index] <= c < BIN_EDGES[index + 1] or (last and c == 1) for c in confidences)


@pytest.mark.parametrize("confidence", [-0.01, 1.01, math.nan, math.inf])
def test_a_confidence_that_is_no_probability_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence must be from 0 to 1"):
        confidence_histogram([0.5, confidence])


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
        alarms += population_stability_index(*merged) > psi_critical_value(200, 60, len(merged[0]))
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
    drift = measure_drift(*pair)
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
    assert (measure_drift(first, second).score > 1) is drifted


def test_the_limit_is_the_critical_value_of_the_merged_bins():
    drift = measure_drift([0, 100, 400], [0, 60, 140])
    assert drift.limit == max(psi_critical_value(500, 200, 2, 0.001), 0.1)
    assert measure_drift([0, 20, 80], [0, 60, 140]).limit == psi_critical_value(100, 200, 2, 0.001)


def a_baseline():
    return {
        "version": 1,
        "created": "2026-05-03T14:00:00+00:00",
        "model": "scones-0a1b",
        "classes": ["bicycle", "motorcycle"],
        "threshold": 0.8,
        "count": 100,
        "confidence_histogram": {"edges": [index / 20 for index in range(21)], "counts": [0] * 18 + [30, 70]},
        "class_counts": {"bicycle": 55, "motorcycle": 45},
        "below_threshold": 12,
    }


def test_a_baseline_is_read_whole():
    baseline = parse_baseline(a_baseline())
    assert isinstance(baseline, Baseline)
    assert baseline.created.isoformat() == "2026-05-03T14:00:00+00:00"
    assert (baseline.model, baseline.threshold, baseline.count) == ("scones-0a1b", 0.8, 100)
    assert baseline.classes == ("bicycle", "motorcycle")
    assert baseline.confidence_counts == (*[0] * 18, 30, 70)
    assert baseline.class_counts == {"bicycle": 55, "motorcycle": 45}
    assert baseline.below_threshold == 12


def test_a_class_that_was_never_predicted_may_be_absent():
    document = a_baseline() | {"class_counts": {"bicycle": 100}}
    assert parse_baseline(document).class_counts == {"bicycle": 100, "motorcycle": 0}


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("version", 2, "baseline.version must be 1, got 2"),
        (
            "created",
            "2026-05-03",
            "baseline.created must be an ISO 8601 time with its zone, got '2026-05-03'",
        ),
        ("created", "soon", "baseline.created must be"),
        ("created", None, "baseline.created must be"),
        ("model", None, "baseline.model must be a text"),
        ("classes", ["bicycle"], "baseline.classes must be two or more different names, got ['bicycle']"),
        ("classes", ["a", "a"], "baseline.classes must be"),
        ("classes", ["a", 1], "baseline.classes must be"),
        ("threshold", "0.8", "baseline.threshold must be a number above 0 and up to 1, got '0.8'"),
        ("threshold", 1.5, "baseline.threshold must be"),
        ("threshold", True, "baseline.threshold must be"),
        ("count", 0, "baseline.count must be a whole number of 1 or more, got 0"),
        ("count", 99, "baseline.class_counts must sum to the count, 99, got 100"),
        ("class_counts", {"bicycle": 100, "lorry": 0}, "baseline.class_counts must have the keys"),
        ("class_counts", {"bicycle": 55.0}, "baseline.class_counts.bicycle must be a whole number"),
        ("class_counts", None, "baseline.class_counts must have"),
        ("below_threshold", 101, "baseline.below_threshold must be at most the count, 100, got 101"),
        ("below_threshold", -1, "baseline.below_threshold must be a whole number of 0 or more, got -1"),
        ("confidence_histogram", [], "baseline.confidence_histogram must be an object"),
        (
            "confidence_histogram",
            {"edges": [0, 1], "counts": [100]},
            "baseline.confidence_histogram.edges must be",
        ),
    ],
)
def test_a_wrong_field_of_a_baseline_is_named_with_what_is_allowed(field, value, complaint):
    document = a_baseline() | {field: value}
    if field == "count" and value == 99:
        document["confidence_histogram"]["counts"][19] = 69
    with pytest.raises(BaselineError) as caught:
        parse_baseline(document)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("counts_", "complaint"),
    [
        ([100], "counts must be 20 whole numbers"),
        ([0] * 19 + [-100], "counts[19] must be a whole number of 0 or more, got -100"),
        ([0] * 19 + [99], "counts must sum to the count, 100, got 99"),
        ([True] + [0] * 18 + [99], "counts[0] must be a whole number"),
    ],
)
def test_wrong_counts_of_a_baseline_are_refused(counts_, complaint):
    document = a_baseline()
    document["confidence_histogram"]["counts"] = counts_
    with pytest.raises(BaselineError) as caught:
        parse_baseline(document)
    assert f"baseline.confidence_histogram.{complaint}" in str(caught.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.sampled_from(sorted(a_baseline())), anything)
def test_whatever_stands_in_a_field_the_baseline_is_read_or_refused(field, value):
    document = copy.deepcopy(a_baseline()) | {field: value}
    try:
        parse_baseline(document)
    except BaselineError as problem:
        assert str(problem).startswith("baseline.")
