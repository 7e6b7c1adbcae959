import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training.evaluation.statistics import error_upper_bound
from training.evaluation.threshold import (
    at_threshold,
    photos_needed,
    recommend,
    recommend_per_class,
)


def drawn(photos, random, slope=1.0):
    """Photos of two classes, most of them near 1: wrong with probability `slope` times 1 - confidence."""
    confidences = 1 - 0.5 * random.random(photos) ** 3
    return confidences, random.random(photos) >= slope * (1 - confidences)


def as_often_wrong_at_any_confidence(photos, random, error):
    return 1 - 0.5 * random.random(photos) ** 3, random.random(photos) >= error


def true_error(threshold, slope=1.0):
    """The error rate of `drawn` among photos accepted at `threshold`."""
    return slope * (1 - threshold) / 4


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.9999))
def test_the_bound_is_scipys_exact_one_sided_interval(counts, confidence):
    errors, accepted = counts
    exact = stats.binomtest(errors, accepted, alternative="less").proportion_ci(confidence, method="exact")
    assert error_upper_bound(errors, accepted, confidence) == pytest.approx(exact.high, abs=1e-9)


def test_without_accepted_photos_anything_may_be_wrong():
    assert error_upper_bound(0, 0) == 1.0


@given(st.floats(0.001, 0.5), st.floats(0.5, 0.9999))
def test_photos_needed_is_the_least_number_that_passes_without_an_error(target, confidence):
    needed = photos_needed(target, confidence)
    assert error_upper_bound(0, needed, confidence) <= target + 1e-12
    assert needed == 1 or error_upper_bound(0, needed - 1, confidence) > target


def test_two_percent_at_95_percent_takes_149_photos():
    assert photos_needed(0.02, 0.95) == 149


def guarantee_broken(photos, target, slope, seed, trials=800):
    random = np.random.default_rng(seed)
    broken = found = 0
    for _ in range(trials):
        outcome = recommend(*drawn(photos, random, slope), classes=2, target_error=target)
        if outcome.found is not None:
            found += 1
            broken += true_error(outcome.found.threshold, slope) > target
    return broken / trials, found / trials


@pytest.mark.parametrize(
    ("photos", "target", "slope"), [(200, 0.05, 0.5), (1000, 0.05, 1.0), (200, 0.02, 0.1), (3000, 0.02, 0.5)]
)
def test_the_target_is_exceeded_no_more_often_than_promised(photos, target, slope):
    broken, found = guarantee_broken(photos, target, slope, seed=20)
    assert broken <= 0.05
    assert found > 0.3


def test_a_confidence_that_tells_nothing_is_found_out_unless_the_search_goes_uncorrected():
    random = np.random.default_rng(20)
    wrong = wrong_uncorrected = 0
    for _ in range(300):
        confidences, correct = as_often_wrong_at_any_confidence(1000, random, error=0.055)
        wrong += recommend(confidences, correct, classes=2, target_error=0.05).found is not None
        wrong_uncorrected += any(
            at_threshold(threshold, confidences, correct).bound <= 0.05
            for threshold in np.quantile(confidences, np.linspace(0, 0.9, 40))
        )
    assert wrong / 300 <= 0.05
    assert wrong_uncorrected / 300 > 0.1


photo_lists = st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=0, max_size=120)


@settings(max_examples=200)
@given(photo_lists, st.sampled_from([0.05, 0.1, 0.3, 0.6]), st.sampled_from([0.5, 0.9, 0.95]))
def test_a_recommendation_is_configurable_and_keeps_what_it_says(photos, target, confidence):
    confidences, correct = np.array([c for c, _ in photos]), np.array([r for _, r in photos], bool)
    outcome = recommend(confidences, correct, classes=2, target_error=target, confidence=confidence)
    if outcome.found is None:
        assert outcome.sentence.startswith("No threshold is shown")
        return
    found = outcome.found
    assert found.threshold == round(found.threshold, 4) == float(f"{found.threshold:g}")
    assert 0.5 < found.threshold <= 1
    accepted = [right for c, right in photos if c >= found.threshold]
    assert (found.accepted, found.errors) == (len(accepted), accepted.count(False))
    assert found.bound == error_upper_bound(found.errors, found.accepted, confidence) <= target


@settings(max_examples=100)
@given(photo_lists, st.sampled_from([0.1, 0.3]))
def test_photos_that_are_all_right_are_accepted_if_there_are_enough(photos, target):
    confidences = np.array([max(c, 0.501) for c, _ in photos])
    outcome = recommend(confidences, np.ones(len(photos), bool), classes=2, target_error=target)
    assert (outcome.found is not None) == (len(photos) >= photos_needed(target))


def test_a_thousand_photos_that_are_all_right_are_all_accepted():
    confidences = np.linspace(0.6, 0.99, 1000)
    outcome = recommend(confidences, np.ones(1000, bool), classes=2)
    assert outcome.found is not None
    assert (outcome.found.accepted, outcome.found.threshold) == (1000, 0.6)
    assert outcome.sentence == "0.6 accepts 100 % of photos with at most 2 % wrong (95 %)"


@pytest.mark.parametrize(("photos", "first"), [(149, 149), (200, 149), (400, 160), (1000, 400), (5000, 2000)])
def test_the_first_threshold_asked_about_accepts_two_fifths_or_what_can_show_the_target(photos, first):
    outcome = recommend(np.linspace(0.6, 0.99, photos), np.zeros(photos, bool), classes=2)
    assert (outcome.found, outcome.questions) == (None, 1)
    assert outcome.ended is not None
    assert first <= outcome.ended.accepted <= first + photos // 1000


def test_fewer_photos_than_can_show_the_target_are_asked_nothing():
    assert recommend(np.linspace(0.6, 0.99, 148), np.ones(148, bool), classes=2).questions == 0


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 1.0))
@settings(max_examples=60, deadline=None)
def test_what_ends_the_search_lies_below_what_is_recommended_and_misses_a_target(seed, slope):
    outcome = recommend(*drawn(1000, np.random.default_rng(seed), slope), classes=2)
    if outcome.ended is not None:
        assert outcome.ended.bound > 0.02
        assert outcome.found is None or outcome.ended.threshold < outcome.found.threshold


def test_fewer_errors_never_raise_what_is_recommended():
    confidences = np.linspace(0.99, 0.6, 1000)
    correct = np.arange(1000) % 60 > 0  # 1.7 % wrong, too many for 1000 photos to show 2 %
    correct[:500] = True
    before = recommend(confidences, correct, classes=2)
    assert before.found is not None
    for place in range(before.found.accepted + 100, 1000):
        correct[place] = True
    after = recommend(confidences, correct, classes=2)
    assert after.found is not None and after.found.threshold <= before.found.threshold


def test_too_few_photos_are_said_plainly():
    outcome = recommend(np.full(100, 0.99), np.ones(100, bool), classes=2)
    assert outcome.found is None
    assert outcome.sentence == (
        "No threshold is shown to accept photos with at most 2 % wrong (95 %): "
        "that takes 149 held-out photos or more, and there are 100"
    )


def test_a_model_that_is_too_often_wrong_gets_no_threshold_and_the_reason():
    random = np.random.default_rng(3)
    outcome = recommend(random.uniform(0.5, 1, 2000), random.random(2000) > 0.2, classes=2)
    assert outcome.found is None
    assert outcome.ended is not None
    assert outcome.sentence.startswith(
        "No threshold is shown to accept photos with at most 2 % wrong (95 %): already at "
    )
    assert f"{outcome.ended.errors} of {outcome.ended.accepted} accepted are wrong" in outcome.sentence


def test_no_photo_at_all_is_no_recommendation():
    assert recommend(np.array([]), np.array([], bool), classes=2).found is None


def test_confidences_of_one_everywhere_are_accepted_at_one():
    outcome = recommend(np.ones(300), np.ones(300, bool), classes=2)
    assert outcome.found is not None
    assert (outcome.found.threshold, outcome.found.accepted) == (1.0, 300)


def test_a_coin_flip_is_never_accepted_since_half_can_not_be_configured():
    assert recommend(np.full(900, 0.5), np.ones(900, bool), classes=2).found is None


def test_thresholds_below_a_half_are_possible_with_more_classes():
    outcome = recommend(np.full(900, 0.42), np.ones(900, bool), classes=5)
    assert outcome.found is not None
    assert outcome.found.threshold == 0.42


def test_acceptance_at_a_configured_threshold_is_inclusive():
    there = at_threshold(0.8, np.array([0.79, 0.8, 0.9]), np.array([True, False, True]))
    assert (there.accepted, there.errors, there.photos) == (2, 1, 3)
    assert (there.coverage, there.error_rate) == (pytest.approx(2 / 3), 0.5)


def test_each_class_gets_its_own_threshold_that_all_hold_together():
    random = np.random.default_rng(5)
    sure, slope = 1 - 0.5 * random.random(4000) ** 3, np.repeat([0.0, 0.5], 2000)
    correct = random.random(4000) >= slope * (1 - sure)
    predicted = np.repeat([0, 1], 2000)
    first, second = recommend_per_class(sure, correct, predicted, classes=2, labels=2)
    assert first.confidence == second.confidence == pytest.approx(0.975)
    assert first.found is not None
    assert second.found is not None
    assert first.found.threshold < second.found.threshold
    assert (first.photos, second.photos) == (2000, 2000)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.6), st.integers(100, 600))
@settings(max_examples=60, deadline=None)
def test_what_is_recommended_meets_both_targets_on_every_group_of_strangers(seed, sureness, count):
    random = np.random.default_rng(seed)
    confidences, correct = drawn(1200, random, slope=0.3)
    groups = [np.where(random.random(count) < sureness, random.uniform(0.4, 1, count), 0.0) for _ in range(2)]
    found = recommend(confidences, correct, classes=3, strangers=groups, target_strangers=0.05).found
    if found is not None:
        for scores in groups:
            routed = int((scores >= found.threshold).sum())
            assert error_upper_bound(routed, count) <= 0.05
        assert found.bound <= 0.02


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_strangers_never_lower_the_threshold(seed):
    random = np.random.default_rng(seed)
    confidences, correct = drawn(1200, random, slope=0.3)
    strangers = random.uniform(0.4, 1, 300) * (random.random(300) < 0.3)
    alone = recommend(confidences, correct, classes=3)
    both = recommend(confidences, correct, classes=3, strangers=[strangers])
    if both.found is not None:
        assert alone.found is not None and both.found.threshold >= alone.found.threshold


def test_when_strangers_are_what_forbids_every_threshold_the_sentence_says_so():
    confidences, correct = drawn(1200, np.random.default_rng(3), slope=0.1)
    certain = np.ones(200)
    outcome = recommend(confidences, correct, classes=3, strangers=[certain])
    assert outcome.found is None
    assert "at most 5 % of strangers routed" in outcome.sentence
    assert "200 of 200 strangers are routed, so at most 100 %" in outcome.sentence


def test_without_strangers_the_recommendation_is_what_it_was():
    confidences, correct = drawn(1200, np.random.default_rng(3))
    assert recommend(confidences, correct, classes=2) == recommend(
        confidences, correct, classes=2, strangers=[np.zeros(0)]
    )


def test_a_photo_whose_best_label_is_neither_is_accepted_at_no_threshold():
    confidences, correct = np.array([0.0, 0.9, 0.8]), np.array([False, True, True])
    assert at_threshold(0.34, confidences, correct).accepted == 2
