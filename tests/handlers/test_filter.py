"""handlers.filter: who is sent to a bay, and who is left to a person."""

import json
import math
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.decisions import NEITHER, labels_of
from contract.errors import (
    ConfigurationError,
    ForAPerson,
    InvalidEvent,
    InvalidInference,
    NoneOfTheClasses,
    ThresholdNotMet,
)
from handlers import filter as filtering
from handlers.filter import Policy, Routing, decide
from tests.photo_builders import lambda_context

BAYS = {"bicycle": "bay 1", "motorcycle": "bay 2"}


def policy(count: int = 2, threshold: float = 0.8, *, neither: bool = False) -> Policy:
    """A stack whose model answers `count` labels, `neither` among them or not."""
    # on both sides of "neither" in the alphabet
    classes = tuple(f"{'tulip' if index % 2 else 'bicycle'} {index}" for index in range(count - neither))
    return Policy(labels_of(classes, neither=neither), {name: f"bay of {name}" for name in classes}, threshold)


@st.composite
def distributions(draw: st.DrawFn) -> tuple[float, ...]:
    # few different weights, so that ties are drawn
    weights = draw(st.lists(st.integers(0, 8), min_size=2, max_size=12).filter(any))
    return tuple(weight / sum(weights) for weight in weights)


THRESHOLDS = st.floats(0.01, 1)


@st.composite
def strangers(draw: st.DrawFn) -> tuple[float, ...]:
    """Distributions whose greatest probability is the last one alone."""
    weights = draw(st.lists(st.integers(0, 8), min_size=1, max_size=11))
    weights.append(max(weights) + draw(st.integers(1, 4)))
    return tuple(weight / sum(weights) for weight in weights)


def outcome(scores: tuple[float, ...], rule: Policy) -> Routing | None:
    try:
        return decide(scores, rule)
    except ForAPerson:
        return None


@given(distributions(), THRESHOLDS, THRESHOLDS, st.booleans())
def test_raising_the_threshold_never_accepts_more(scores: tuple[float, ...], one: float, other: float, neither: bool):
    low, high = sorted((one, other))
    if outcome(scores, policy(len(scores), high, neither=neither)):
        assert outcome(scores, policy(len(scores), low, neither=neither))


@given(distributions(), THRESHOLDS, st.booleans(), st.data())
def test_permuting_the_classes_permutes_the_answer(
    scores: tuple[float, ...], threshold: float, neither: bool, data: st.DataObject
):
    assume(scores.count(max(scores)) == 1)
    rule = policy(len(scores), threshold, neither=neither)
    order = data.draw(st.permutations(range(len(scores))))
    permuted = Policy(tuple(rule.labels[index] for index in order), rule.loading_bays, rule.threshold)
    assert refusal_or_decision(tuple(scores[index] for index in order), permuted) == refusal_or_decision(scores, rule)


def refusal_or_decision(scores: tuple[float, ...], rule: Policy) -> object:
    """All that is said about a photo, but for the order of the scores."""
    try:
        return decide(scores, rule)
    except ForAPerson as refusal:
        return type(refusal), {**refusal.figures, "inferences": sorted(scores)}


@given(distributions(), THRESHOLDS)
def test_neither_is_never_accepted(scores: tuple[float, ...], threshold: float):
    rule = policy(len(scores), threshold, neither=True)
    decision = outcome(scores, rule)
    if scores.index(max(scores)) == len(scores) - 1:
        assert decision is None
    if decision:
        assert decision.label != NEITHER
        assert decision.loading_bay == f"bay of {decision.label}"


@given(strangers(), THRESHOLDS)
def test_a_stranger_is_a_stranger_whatever_the_confidence(scores: tuple[float, ...], threshold: float):
    with pytest.raises(NoneOfTheClasses) as refusal:
        decide(scores, policy(len(scores), threshold, neither=True))
    code, _, text = str(refusal.value).partition(" ")
    figures = json.loads(text)
    assert code == "NONE_OF_THE_CLASSES"
    assert (figures["label"], figures["confidence"], figures["inferences"]) == (NEITHER, max(scores), list(scores))


@given(distributions(), THRESHOLDS)
def test_a_model_that_knows_neither_decides_as_ever_where_a_class_is_best(scores: tuple[float, ...], threshold: float):
    assume(scores.index(max(scores)) < len(scores) - 1)
    with_it, without = policy(len(scores), threshold, neither=True), policy(len(scores), threshold)
    assert refusal_or_decision(scores, with_it) == refusal_or_decision(scores, without)


@given(distributions())
def test_the_accepted_label_is_the_first_of_the_most_probable(scores: tuple[float, ...]):
    rule = policy(len(scores), 0.01)
    decision = decide(scores, rule)
    assert rule.labels.index(decision.label) == scores.index(max(scores))
    assert decision.confidence == max(scores)
    assert decision.loading_bay == f"bay of {decision.label}"


@given(distributions())
def test_the_margin_is_the_lead_over_the_second_best(scores: tuple[float, ...]):
    best, second, *_ = sorted(scores, reverse=True)
    assert decide(scores, policy(len(scores), 0.01)).margin == best - second


@given(distributions())
def test_the_threshold_is_inclusive(scores: tuple[float, ...]):
    best = max(scores)
    assert outcome(scores, policy(len(scores), best))
    assert not outcome(scores, policy(len(scores), math.nextafter(best, 2)))


@given(distributions(), THRESHOLDS)
def test_what_is_not_accepted_says_its_figures(scores: tuple[float, ...], threshold: float):
    assume(max(scores) < threshold)
    with pytest.raises(ThresholdNotMet) as refusal:
        decide(scores, policy(len(scores), threshold))
    code, _, text = str(refusal.value).partition(" ")
    figures = json.loads(text)
    assert code == "THRESHOLD_CONFIDENCE_NOT_MET"
    assert figures["label"] == policy(len(scores)).labels[scores.index(max(scores))]
    assert (figures["confidence"], figures["threshold"]) == (max(scores), threshold)
    assert figures["margin"] == max(scores) - sorted(scores)[-2]
    assert figures["inferences"] == list(scores)


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CLASSES", json.dumps(list(BAYS)))
    monkeypatch.setenv("LOADING_BAYS", json.dumps(BAYS))
    monkeypatch.setenv("CONFIDENCE_THRESHOLD", "0.80")
    filtering.policy_from_environment.cache_clear()
    yield
    filtering.policy_from_environment.cache_clear()


def classified(inferences: object) -> dict[str, object]:
    return {
        "s3_bucket": "photos",
        "s3_key": "incoming/a.jpg",
        "s3_version": "v1",
        "image_data": "aVZCT1J3MEtHZ28=",
        "inferences": inferences,
        "inference_id": "ab" * 16,
        "model": "scones-1",
        "a key of another team": 1,
    }


@pytest.mark.parametrize("inferences", [[0.1, 0.9], "[0.1, 0.9]"])
def test_the_function_passes_everything_on_but_the_picture(inferences: object):
    assert filtering.handler(classified(inferences), lambda_context()) == {
        "s3_bucket": "photos",
        "s3_key": "incoming/a.jpg",
        "s3_version": "v1",
        "inferences": [0.1, 0.9],
        "inference_id": "ab" * 16,
        "model": "scones-1",
        "a key of another team": 1,
        "label": "motorcycle",
        "confidence": 0.9,
        "margin": 0.8,
        "threshold": 0.8,
        "decision": "accepted",
        "loading_bay": "bay 2",
    }


@pytest.mark.parametrize("inferences", [[0.3, 0.7], "[0.3, 0.7]"])
def test_the_function_fails_below_the_threshold(inferences: object):
    with pytest.raises(ThresholdNotMet, match=r'^THRESHOLD_CONFIDENCE_NOT_MET \{"label":"motorcycle",'):
        filtering.handler(classified(inferences), lambda_context())


@pytest.fixture
def knows_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSES", json.dumps([*BAYS, NEITHER]))
    filtering.policy_from_environment.cache_clear()


@pytest.mark.usefixtures("knows_neither")
def test_the_function_fails_for_a_stranger_and_accepts_a_vehicle():
    with pytest.raises(NoneOfTheClasses, match=r'^NONE_OF_THE_CLASSES \{"label":"neither","confidence":0.99,'):
        filtering.handler(classified([0.005, 0.005, 0.99]), lambda_context())
    assert filtering.handler(classified([0.05, 0.9, 0.05]), lambda_context())["loading_bay"] == "bay 2"


@pytest.mark.usefixtures("knows_neither")
def test_neither_may_not_have_a_bay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOADING_BAYS", json.dumps({**BAYS, NEITHER: "bay 3"}))
    with pytest.raises(ConfigurationError, match="LOADING_BAYS"):
        filtering.handler(classified([0.1, 0.9, 0]), lambda_context())


@pytest.mark.parametrize("inferences", [[0.9], ["0.9", "0.1"], [[0.9, 0.1]], [math.nan, 1.0], "[0.9", [0.9, 0.9], []])
def test_the_function_accepts_nothing_that_is_no_distribution(inferences: object):
    with pytest.raises(InvalidInference):
        filtering.handler(classified(inferences), lambda_context())


def test_an_event_that_was_not_classified_is_refused():
    with pytest.raises(InvalidEvent, match=r"inferences.*s3_bucket"):
        filtering.handler({"s3_bucket": "photos"}, lambda_context())


@pytest.mark.parametrize("value", ["", "eighty", "nan", "0", "1.01", "80"])
def test_a_threshold_that_is_no_probability_is_the_stacks_fault(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONFIDENCE_THRESHOLD", value)
    with pytest.raises(ConfigurationError, match="CONFIDENCE_THRESHOLD"):
        filtering.handler(classified([0.1, 0.9]), lambda_context())


def test_the_settings_are_read_once(monkeypatch: pytest.MonkeyPatch):
    filtering.handler(classified([0.1, 0.9]), lambda_context())
    monkeypatch.setenv("CONFIDENCE_THRESHOLD", "0.99")
    assert filtering.handler(classified([0.1, 0.9]), lambda_context())["threshold"] == 0.8


@pytest.mark.parametrize(("inferences", "message"), [([0.1, 0.9], "accepted"), ([0.3, 0.7], "review")])
def test_the_log_says_which_photo_and_why_but_never_the_picture(
    inferences: list[float], message: str, monkeypatch: pytest.MonkeyPatch
):
    lines: list[str] = []
    handler = filtering.logger.registered_handler
    monkeypatch.setattr(handler, "emit", lambda record: lines.append(handler.format(record)))
    try:
        filtering.handler(classified(inferences), lambda_context())
    except ThresholdNotMet:
        assert message == "review"
    line = json.loads(lines[-1])
    wanted = {"message": message, "s3_key": "incoming/a.jpg", "label": "motorcycle", "confidence": max(inferences)}
    assert wanted.items() <= line.items()
    assert line["threshold"] == 0.8
    assert line["function_request_id"] == lambda_context().aws_request_id
    assert "aVZCT1J3" not in "".join(lines)
