"""What becomes of a photo: the four outcomes, what everybody calls them, and how an execution tells them.

A photo ends accepted, for a person (`review`: the model is not sure enough), as a stranger (`neither`: the best
label is the one for pictures of none of the classes; a person looks at it too), or as a fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from contract.errors import NoneOfTheClasses, ThresholdNotMet
from contract.names import PROJECT

NEITHER = "neither"
"""The label of pictures of none of the classes: the last one of a model that has it; no driver has a bay there."""

Outcome = Literal["accepted", "review", "neither", "fault"]
"""How an execution ended."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
RECORDED: tuple[Outcome, ...] = ("accepted", "review", "neither")
"""What `decision` in the decisions table can be: a fault decides nothing."""

WORDS: Mapping[Outcome, str] = MappingProxyType(
    {"accepted": "accepted", "review": "for a person", "neither": "strangers", "fault": "faults"}
)
"""What terminal, page, alarm and summary call them."""

ENDED_EXECUTION = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
"""The statuses of an execution that has ended (Step Functions API, DescribeExecution)."""

STATUS_CHANGE = "Step Functions Execution Status Change"
"""The event type by which Step Functions tells that an execution ended (its Developer Guide, "Events")."""

NOT_QUEUED = "(not in the review queue: "
"""What a failed execution's cause holds when the review queue did not take its message."""

EVENT_SOURCE = f"{PROJECT}.classification"
EVENT_TYPE = "VehicleClassified"
"""The event of a photo whose driver has a bay, on the stack's bus; `decided_by` says who found it."""
BY_THE_MODEL, BY_A_PERSON = "model", "person"
UNKNOWN_MODEL = "unknown"
"""What `model` says when more than one can have answered: a deployment of the endpoint was under way, or SageMaker did
not say that none was. It is no model of its own."""
UNCLEAR = "unclear"
"""What a person says who can't tell what is on a photo: no label, and no sample for training."""


def outcome_of(status: str, error: str | None) -> Outcome:
    """The outcome of an execution that ended.

    Args:
        status: one of ENDED_EXECUTION.
        error: the error's name; None when it succeeded.
    """
    if status == "SUCCEEDED":
        return "accepted"
    by_error: dict[str, Outcome] = {ThresholdNotMet.__name__: "review", NoneOfTheClasses.__name__: "neither"}
    return by_error.get(error or "", "fault") if status == "FAILED" else "fault"


def word_for(outcome: Outcome, number: int) -> str:
    """What so many photos of an outcome are called: `1 stranger`, `2 strangers`."""
    word = WORDS[outcome]
    return word.removesuffix("s") if number == 1 else word


def labels_of(classes: Sequence[str], *, neither: bool) -> tuple[str, ...]:
    """What the model answers, in label order: the classes, and last `NEITHER` for a model that has it."""
    return (*classes, NEITHER) if neither else tuple(classes)


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The classes among a model's labels: those that have a loading bay."""
    return tuple(label for label in labels if label != NEITHER)
