"""Filter: accept the model's answer, or raise what sends the photo to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from aws_lambda_powertools import Logger

from contract.decisions import NEITHER, classes_of, outcome_of
from contract.errors import ForAPerson, InvalidEvent, NoneOfTheClasses, ThresholdNotMet
from contract.inferences import best_of, read_inferences
from handlers import environment

logger = Logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a stack is configured for."""

    labels: tuple[str, ...]
    """What the model answers, in label order: the classes, and last `NEITHER` when the model has it."""
    loading_bays: Mapping[str, str]
    """Class -> bay; `NEITHER` has none."""
    threshold: float
    """The least probability that is accepted."""


@dataclass(frozen=True, slots=True)
class Routing:
    """An accepted answer: `confidence` is the best probability, `margin` its lead over the second best."""

    label: str
    confidence: float
    margin: float
    threshold: float
    decision: Literal["accepted"]
    loading_bay: str


def decide(inferences: Sequence[float], policy: Policy) -> Routing:
    """Accept when the best label is a class and its probability reaches the threshold (`>=`).

    Of equally probable labels the first in label order is the best, as in NumPy's `argmax`.

    Args:
        inferences: probabilities as `read_inferences` returns them.
        policy: the stack's labels, bays and threshold.

    Raises:
        NoneOfTheClasses: the best label is `NEITHER`, whatever its probability.
        ThresholdNotMet: the best label is a class whose probability is below the threshold.
    """
    best = best_of(inferences)
    confidence = inferences[best]
    margin = confidence - max(score for index, score in enumerate(inferences) if index != best)
    label = policy.labels[best]
    if label == NEITHER or confidence < policy.threshold:
        refusal = NoneOfTheClasses if label == NEITHER else ThresholdNotMet
        raise refusal(
            label=label, confidence=confidence, margin=margin, threshold=policy.threshold, inferences=inferences
        )
    return Routing(label, confidence, margin, policy.threshold, "accepted", policy.loading_bays[label])


@cache
def policy_from_environment() -> Policy:
    """CLASSES (the model's labels), LOADING_BAYS and CONFIDENCE_THRESHOLD, read once a process.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    labels = environment.names("CLASSES")
    return Policy(
        labels,
        environment.name_of_each("LOADING_BAYS", classes_of(labels)),
        environment.threshold("CONFIDENCE_THRESHOLD", len(labels)),
    )


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Lambda's entry: the event's keys without `image_data`, plus the decision's fields.

    Raises:
        ThresholdNotMet, NoneOfTheClasses: a person decides.
        InvalidEvent: the event holds no inferences.
        InvalidInference: they are no distribution over the labels.
        ConfigurationError: the function's environment is wrong.
    """
    policy = policy_from_environment()
    if "inferences" not in event:
        raise InvalidEvent(f"the event must hold inferences, got the keys {sorted(event)}")
    inferences = read_inferences(event["inferences"], len(policy.labels))
    logger.append_keys(s3_bucket=event.get("s3_bucket"), s3_key=event.get("s3_key"))
    try:
        decision = decide(inferences, policy)
    except ForAPerson as refusal:
        logger.info(outcome_of("FAILED", type(refusal).__name__), extra=refusal.figures)
        raise
    logger.info("accepted", extra=asdict(decision))
    passed_on = {key: value for key, value in event.items() if key != "image_data"}
    return {**passed_on, "inferences": list(inferences), **asdict(decision)}
