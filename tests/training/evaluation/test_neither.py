import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.evaluation.neither import measure_neither

FIVE = ("bicycle", "motorcycle", "poppy", "tulip", "willow_tree")


def drawn(photos, classes, certainty, seed):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(photos, classes))
    scores[np.arange(photos), np.arange(photos) % classes] += certainty
    weights = np.exp(2 * scores)
    return weights / weights.sum(axis=1, keepdims=True)


def measured(classes=FIVE, recommended=0.9, configured=0.8):
    known, others = drawn(500, len(classes), 3, 1), drawn(200, len(classes), 0, 2)
    outcome = measure_neither(known, others, classes, recommended=recommended, configured=configured)
    return known, others, outcome


def test_what_the_thresholds_let_through_is_counted():
    _, others, outcome = measured()
    for accepted, threshold in ((outcome.recommended, 0.9), (outcome.configured, 0.8)):
        assert accepted.accepted == (others.max(axis=1) >= threshold).sum() > 0
        assert accepted.share == accepted.accepted / 200
        assert accepted.interval[0] < accepted.share < accepted.interval[1]
    assert outcome.recommended.accepted < outcome.configured.accepted
    assert outcome.photos == sum(outcome.taken_for.values()) == 200


def test_detectors_are_compared_while_keeping_the_same_held_out_photos():
    known, others, outcome = measured()
    assert outcome.kept == (known.max(axis=1) >= 0.9).sum()
    for detector in outcome.detectors:
        score = {
            "confidence": lambda rows: rows.max(axis=1),
            "margin": lambda rows: np.sort(rows)[:, -1] - np.sort(rows)[:, -2],
            "entropy": lambda rows: (rows * np.log(rows)).sum(axis=1),
        }[detector.name]
        assert (score(known) >= detector.cut - 1e-8).sum() == outcome.kept
        assert detector.caught == pytest.approx((score(others) < detector.cut - 1e-8).mean(), abs=0.006)
        truth = [1] * len(known) + [0] * len(others)
        assert detector.auroc == pytest.approx(
            roc_auc_score(truth, np.concatenate([score(known), score(others)])), abs=1e-4
        )


def test_the_confidence_detector_is_the_threshold_itself():
    _, _, outcome = measured()
    confidence = outcome.detectors[0]
    assert confidence.name == "confidence"
    assert confidence.caught == pytest.approx(1 - outcome.recommended.share, abs=0.02)


def test_with_two_classes_nothing_tells_more_than_confidence_and_it_says_so():
    _, _, outcome = measured(FIVE[:2])
    assert len({(each.auroc, each.caught) for each in outcome.detectors}) == 1
    assert outcome.sentence.startswith("With two classes, margin and entropy rank photos exactly as confidence")


@pytest.mark.parametrize(("recommended", "configured", "cut"), [(None, 0.8, 0.8), (None, None, None)])
def test_without_a_recommendation_the_configured_threshold_or_95_percent_sets_the_cut(recommended, configured, cut):
    known, _, outcome = measured(recommended=recommended, configured=configured)
    assert outcome.recommended is None
    assert outcome.kept == (475 if cut is None else (known.max(axis=1) >= cut).sum())


def test_a_photo_right_at_the_cut_is_not_caught():
    known = np.tile([0.7, 0.3], (20, 1))
    outcome = measure_neither(known, known[:5], FIVE[:2], recommended=0.7, configured=None)
    assert [each.caught for each in outcome.detectors] == [0.0, 0.0, 0.0]
    assert outcome.recommended.accepted == 5


def test_a_better_score_is_named_with_what_it_catches():
    known = np.tile([0.7, 0.3, 0.0], (20, 1))
    others = np.tile([0.75, 0.125, 0.125], (10, 1))
    outcome = measure_neither(known, others, FIVE[:3], recommended=0.7, configured=None)
    assert outcome.sentence == "At the same coverage, entropy catches 100 % of them, confidence 0 %."
