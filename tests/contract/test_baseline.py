"""The baseline: histograms by their laws, the file field by field, and that what is written is read back."""

import copy
import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.baseline import (
    BIN_EDGES,
    Baseline,
    BaselineError,
    bin_of,
    confidence_histogram,
    measure_baseline,
    parse_baseline,
    to_document,
)

CREATED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def measured(scores, threshold=0.7, classes=("bicycle", "motorcycle")):
    return measure_baseline(scores, classes=classes, threshold=threshold, model="scones-0a1b", created=CREATED)


@pytest.mark.parametrize(
    ("confidence", "index"), [(0.0, 0), (0.049, 0), (0.05, 1), (0.15, 3), (0.5, 10), (0.999, 19), (1.0, 19)]
)
def test_a_bin_holds_its_lower_edge_and_the_last_one_holds_1(confidence, index):
    assert bin_of(confidence) == confidence_histogram([confidence]).index(1) == index


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


@given(st.lists(st.floats(0.5, 1), min_size=1), st.floats(0.501, 1))
def test_what_is_written_is_read_back(confidences, threshold):
    baseline = measured([(c, 1 - c) for c in confidences], threshold)
    assert parse_baseline(json.loads(json.dumps(to_document(baseline)))) == baseline


def test_photos_are_counted_by_confidence_by_label_and_below_the_threshold():
    confidences = [0.5, 0.55, 0.6, 0.7, 0.15 + 0.8, 1.0, 0.9499999]
    baseline = measured([(c, 1 - c) for c in confidences[:-1]] + [(1 - 0.9499999, 0.9499999)])
    assert list(baseline.confidence_counts) == confidence_histogram(confidences)
    assert dict(baseline.class_counts) == {"bicycle": 6, "motorcycle": 1}
    assert (baseline.count, baseline.below_threshold, baseline.threshold) == (7, 3, 0.7)
    assert (baseline.model, baseline.created) == ("scones-0a1b", CREATED)


def test_of_equally_probable_labels_the_first_is_counted():
    assert dict(measured([(0.5, 0.5)]).class_counts) == {"bicycle": 1, "motorcycle": 0}


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
        ("model", None, "baseline.model must be a string"),
        ("classes", ["bicycle"], "baseline.classes must be two or more different names, got ['bicycle']"),
        ("classes", ["a", "a"], "baseline.classes must be"),
        ("classes", ["a", 1], "baseline.classes must be"),
        ("threshold", "0.8", "baseline.threshold must be a number above 0.5 and at most 1 for 2 labels, got '0.8'"),
        ("threshold", 1.5, "baseline.threshold must be"),
        ("threshold", 0.5, "baseline.threshold must be"),
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
