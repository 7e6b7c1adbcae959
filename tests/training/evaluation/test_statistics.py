import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from training.evaluation.statistics import (
    brier_score,
    calibration_error,
    class_figures,
    confusion_matrix,
    log_loss,
    reliability_bins,
    risk_coverage,
)


@st.composite
def scored_photos(draw, least=1, most=5):
    """True labels and probabilities of a few photos of some classes."""
    classes, photos = draw(st.integers(2, most)), draw(st.integers(least, 40))
    weights = draw(hnp.arrays(float, (photos, classes), elements=st.floats(0.001, 1)))
    labels = draw(hnp.arrays(np.int64, photos, elements=st.integers(0, classes - 1)))
    return labels, weights / weights.sum(axis=1, keepdims=True)


confidence_lists = st.lists(
    st.tuples(st.sampled_from([0.1, 0.5, 0.52, 0.6, 0.75, 0.9, 0.99, 1.0]) | st.floats(0.001, 1), st.booleans()),
    min_size=1,
    max_size=60,
)


def arrays(pairs):
    return np.array([c for c, _ in pairs]), np.array([right for _, right in pairs])


@given(scored_photos())
def test_confusion_precision_recall_and_f1_agree_with_scikit_learn(photos):
    labels, probabilities = photos
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, classes)
    assert (confusion == metrics.confusion_matrix(labels, predicted, labels=range(classes))).all()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=np.nan
    )
    for index, figures in enumerate(class_figures(confusion)):
        assert figures.photos == support[index]
        for ours, theirs in ((figures.precision, precision), (figures.recall, recall), (figures.f1, f1)):
            assert (math.isnan(theirs[index])) if ours is None else ours == pytest.approx(theirs[index])
        assert figures.recall_interval[0] <= (figures.recall or 0) <= figures.recall_interval[1]


@given(scored_photos())
def test_log_loss_agrees_with_scikit_learn(photos):
    labels, probabilities = photos
    expected = metrics.log_loss(labels, probabilities, labels=range(probabilities.shape[1]))
    assert log_loss(labels, probabilities) == pytest.approx(expected)


def test_log_loss_stays_finite_when_the_truth_had_no_probability():
    assert 30 < log_loss(np.array([1]), np.array([[1.0, 0.0]])) < 40


@given(scored_photos())
def test_the_brier_score_agrees_with_scikit_learn(photos):
    labels, probabilities = photos
    classes = range(probabilities.shape[1])
    expected = metrics.brier_score_loss(labels, probabilities, labels=list(classes), scale_by_half=False)
    assert brier_score(labels, probabilities) == pytest.approx(expected)


@given(confidence_lists, st.integers(1, 20), st.sampled_from(["width", "mass"]))
def test_reliability_bins_hold_every_photo_once_within_their_edges(pairs, bins, binning):
    confidences, correct = arrays(pairs)
    found = reliability_bins(confidences, correct, bins, binning)
    assert sum(each.photos for each in found) == len(pairs)
    assert sum(each.photos * each.accuracy for each in found) == pytest.approx(correct.sum())
    assert all(each.low - 1e-12 <= each.confidence <= each.high + 1e-12 for each in found)
    assert all(earlier.high <= later.low for earlier, later in itertools.pairwise(found))
    assert len(found) <= bins


@given(confidence_lists, st.sampled_from(["width", "mass"]))
def test_one_bin_gives_the_gap_between_confidence_and_accuracy(pairs, binning):
    confidences, correct = arrays(pairs)
    expected = abs(confidences.mean() - correct.mean())
    assert calibration_error(reliability_bins(confidences, correct, 1, binning)) == pytest.approx(expected)


@given(confidence_lists)
def test_more_bins_never_hide_a_gap(pairs):
    confidences, correct = arrays(pairs)
    coarse = calibration_error(reliability_bins(confidences, correct, 5))
    fine = calibration_error(reliability_bins(confidences, correct, 15))
    assert coarse <= fine + 1e-12


@given(confidence_lists, st.randoms(use_true_random=False), st.sampled_from(["width", "mass"]))
def test_the_order_of_photos_does_not_matter(pairs, random, binning):
    shuffled = random.sample(pairs, len(pairs))
    first, second = arrays(pairs), arrays(shuffled)
    assert calibration_error(reliability_bins(*first, 7, binning)) == pytest.approx(
        calibration_error(reliability_bins(*second, 7, binning))
    )
    assert risk_coverage(*first).area == pytest.approx(risk_coverage(*second).area)


def test_the_calibration_error_of_a_worked_example():
    confidences = np.array([0.95, 0.95, 0.65, 0.65])
    correct = np.array([True, True, True, False])
    assert calibration_error(reliability_bins(confidences, correct, 10)) == pytest.approx((0.05 + 0.15) / 2)


def test_bins_of_equal_mass_hold_equally_many_photos():
    confidences = np.random.default_rng(1).random(150)
    assert [each.photos for each in reliability_bins(confidences, confidences > 0, 15, "mass")] == [10] * 15


@given(confidence_lists)
def test_risk_and_coverage_are_those_counted_one_by_one(pairs):
    confidences, correct = arrays(pairs)
    curve = risk_coverage(confidences, correct)
    for threshold, accepted, errors, coverage, risk in zip(
        curve.thresholds, curve.accepted, curve.errors, curve.coverage, curve.risk, strict=True
    ):
        inside = [right for confidence, right in pairs if confidence >= threshold]
        assert accepted == len(inside)
        assert errors == inside.count(False)
        assert coverage == pytest.approx(len(inside) / len(pairs))
        assert risk == pytest.approx(inside.count(False) / len(inside))
    assert curve.coverage[-1] == 1
    mean_risk = np.mean([np.mean([not r for c, r in pairs if c >= own]) for own, _ in pairs])
    assert curve.area == pytest.approx(mean_risk)


@given(confidence_lists)
def test_no_order_of_photos_has_a_smaller_area_than_the_right_ones_first(pairs):
    confidences, correct = arrays(pairs)
    right_first = correct + np.arange(len(correct)) / len(correct)
    assert risk_coverage(right_first, correct).area <= risk_coverage(confidences, correct).area + 1e-12
