"""Filter: accept the model's answer, or raise `ThresholdNotMet` so that a person decides."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from aws_lambda_powertools import Logger

from contract.errors import InvalidEvent, ThresholdNotMet
from contract.inferences import read_inferences
from handlers import environment

logger = Logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a stack is configured for: the classes in label order, a bay for each, and the threshold."""

    classes: tuple[str, ...]
    loading_bays: Mapping[str, str]
    threshold: float


@dataclass(frozen=True, slots=True)
class Decision:
    """An accepted answer: `confidence` is the best probability, `margin` its lead over the second best."""

    label: str
    confidence: float
    margin: float
    threshold: float
    decision: Literal["accepted"]
    loading_bay: str


def decide(inferences: Sequence[float], policy: Policy) -> Decision:
    """Accept when the best probability reaches the threshold (`>=`).

    Of equally probable classes the first in label order is the best, as in NumPy's `argmax`.

    Args:
        inferences: probabilities as `read_inferences` returns them.
        policy: the stack's classes, bays and threshold.

    Raises:
        ThresholdNotMet: the best probability is below the threshold.
    """
    best = max(range(len(inferences)), key=inferences.__getitem__)
    confidence = inferences[best]
    margin = confidence - max(score for index, score in enumerate(inferences) if index != best)
    label = policy.classes[best]
    if confidence < policy.threshold:
        raise ThresholdNotMet(
            label=label,
            confidence=confidence,
            margin=margin,
            threshold=policy.threshold,
            inferences=inferences,
        )
    return Decision(label, confidence, margin, policy.threshold, "accepted", policy.loading_bays[label])


@cache
def policy_from_environment() -> Policy:
    """CLASSES, LOADING_BAYS and CONFIDENCE_THRESHOLD, read once a process.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    classes = environment.names("CLASSES")
    return Policy(
        classes,
        environment.name_of_each("LOADING_BAYS", classes),
        environment.probability("CONFIDENCE_THRESHOLD"),
    )


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Lambda's entry: the event's keys without `image_data`, plus the decision's fields."""
    policy = policy_from_environment()
    if "inferences" not in event:
        raise InvalidEvent(f"the event must hold inferences, got the keys {sorted(event)}")
    inferences = read_inferences(event["inferences"], len(policy.classes))
    logger.append_keys(s3_bucket=event.get("s3_bucket"), s3_key=event.get("s3_key"))
    try:
        decision = decide(inferences, policy)
    except ThresholdNotMet as unsure:
        logger.info("review", extra=unsure.figures)
        raise
    logger.info("accepted", extra=asdict(decision))
    passed_on = {key: value for key, value in event.items() if key != "image_data"}
    return {**passed_on, "inferences": list(inferences), **asdict(decision)}
