from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contract.baseline import BIN_EDGES, confidence_histogram, parse_baseline
from operations.report.drift import measure_drift
from operations.report.windows import Window
from operations.report.words import drift_story
from tests.operations.builders import CLASSES, START, baseline

UTC = ZoneInfo("UTC")


def confidences_of(draw, count, sure=True):
    return 0.5 + draw.beta(9, 1.2, count) / 2 if sure else 0.5 + draw.beta(4, 2.5, count) / 2


def window(draw, count, hour=0, *, sure=True, bicycles=0.5):
    confidences = confidences_of(draw, count, sure)
    first = int(draw.binomial(count, bicycles))
    start = START + timedelta(hours=hour)
    accepted = int((confidences >= 0.8).sum())
    outcomes = np.array([accepted, count - accepted, 0, 0])
    return Window(start, start + timedelta(hours=1), confidences, np.array([first, count - first]), outcomes)


BASE = parse_baseline(baseline(2000))


@pytest.mark.parametrize("count", [30, 60, 300, 3000])
def test_without_a_change_a_whole_report_hardly_ever_raises_an_alarm(count):
    draw = np.random.default_rng(count)
    alarms = sum(
        measure_drift(BASE, [window(draw, count, hour) for hour in range(12)], CLASSES).verdict != "same"
        for _ in range(60)
    )
    assert alarms <= 3


def test_a_million_photos_do_not_make_a_change_of_no_size_an_alarm():
    draw = np.random.default_rng(1)
    large = window(draw, 1_000_000)
    base = replace(
        BASE,
        count=1_000_000,
        confidence_counts=tuple(np.histogram(large.confidences, BIN_EDGES)[0].tolist()),
        class_counts=dict(zip(CLASSES, large.classes.tolist(), strict=True)),
    )
    drift = measure_drift(base, [window(draw, 500_000, hour, bicycles=0.52) for hour in range(2)], CLASSES)
    assert drift.whole is not None
    assert drift.whole.class_psi.value > drift.whole.class_psi.critical
    assert drift.verdict == "same"


def test_a_less_sure_model_is_noticed_and_said_since_when():
    draw = np.random.default_rng(2)
    windows = [window(draw, 200, hour, sure=hour < 6) for hour in range(10)]
    drift = measure_drift(BASE, windows, CLASSES)
    assert drift.verdict == "changed"
    assert [one.verdict for one in drift.windows] == ["same"] * 6 + ["changed"] * 4
    (sentence,) = drift_story(drift, UTC)
    assert sentence.startswith("Since 3 May 2026, 14:00 the model is less sure than at evaluation")
    assert "confidence is 0.81 instead of 0.95" in sentence or "confidence is 0.82 instead of 0.95" in sentence


def test_a_change_that_is_over_is_told_with_both_its_ends():
    draw = np.random.default_rng(3)
    windows = [window(draw, 200, hour, sure=hour not in (3, 4)) for hour in range(10)]
    drift = measure_drift(BASE, windows, CLASSES)
    assert drift.verdict == "changed back"
    (sentence,) = drift_story(drift, UTC)
    assert sentence.startswith("Between 3 May 2026, 11:00 and 3 May 2026, 13:00 the model is less sure")
    assert sentence.endswith("since then as at evaluation.")


def test_another_mix_of_classes_is_told_with_its_shares():
    draw = np.random.default_rng(4)
    windows = [window(draw, 300, hour, bicycles=0.5 if hour < 5 else 0.8) for hour in range(10)]
    drift = measure_drift(BASE, windows, CLASSES)
    (sentence,) = drift_story(drift, UTC)
    assert sentence.startswith("Since 3 May 2026, 13:00 the mix of classes differs")
    assert "% of the photos instead of" in sentence
    assert not any(one.confidence_changed for one in drift.windows)


def test_a_mix_that_differed_from_the_first_photo_on_is_not_called_an_event():
    draw = np.random.default_rng(5)
    drift = measure_drift(BASE, [window(draw, 300, hour, bicycles=0.8) for hour in range(5)], CLASSES)
    story = " ".join(drift_story(drift, UTC))
    assert "from the first photo on" in story
    assert "not that something happened" in story


def test_windows_with_few_photos_are_not_judged_but_together_they_are():
    draw = np.random.default_rng(6)
    drift = measure_drift(BASE, [window(draw, 25, hour, sure=False) for hour in range(10)], CLASSES)
    assert {one.verdict for one in drift.windows} == {"too few"}
    assert drift.whole is not None and drift.whole.verdict == "changed"
    assert drift.verdict == "changed"


def test_too_few_photos_give_no_verdict():
    draw = np.random.default_rng(7)
    drift = measure_drift(BASE, [window(draw, 10)], CLASSES)
    assert drift.verdict == "too few"
    assert "Too few" in drift_story(drift, UTC)[0]


def test_more_comparisons_make_each_one_stricter():
    draw = np.random.default_rng(8)
    one = measure_drift(BASE, [window(draw, 100)], CLASSES)
    many = measure_drift(BASE, [window(draw, 100, hour) for hour in range(20)], CLASSES)
    assert one.comparisons == 4 and many.comparisons == 4 * 21
    assert many.windows[0].confidence_ks.critical > one.windows[0].confidence_ks.critical


def test_a_small_window_needs_a_larger_distance():
    draw = np.random.default_rng(9)
    drift = measure_drift(BASE, [window(draw, 40, 0), window(draw, 4000, 1)], CLASSES)
    small, large = drift.windows
    assert small.confidence_ks.critical > 3 * large.confidence_ks.critical


def test_the_confidences_are_counted_in_the_baseline_s_bins():
    draw = np.random.default_rng(10)
    one = window(draw, 200)
    edges = np.array(BIN_EDGES)
    one = replace(one, confidences=np.concatenate([one.confidences, edges[10:]]), classes=np.array([100, 111]))
    (found,) = measure_drift(BASE, [one], CLASSES).windows
    assert found.confidence_counts == confidence_histogram(one.confidences.tolist())


def test_a_model_without_drift_needs_no_strangers_and_one_with_them_counts_them():
    draw = np.random.default_rng(11)
    one = replace(window(draw, 100), outcomes=np.array([80, 15, 5, 0]))
    assert measure_drift(BASE, [one], CLASSES).windows[0].strangers == 5
