from __future__ import annotations

import pytest

from contract import errors
from contract.decisions import NEITHER, OUTCOMES, RECORDED, WORDS, classes_of, labels_of, outcome_of


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        ("SUCCEEDED", None, "accepted"),
        ("FAILED", "ThresholdNotMet", "review"),
        ("FAILED", "NoneOfTheClasses", "neither"),
        ("FAILED", "InvalidImage", "fault"),
        ("FAILED", None, "fault"),
        ("TIMED_OUT", "States.Timeout", "fault"),
        # an execution that was aborted after its decision is still one that nobody heard of
        ("ABORTED", "ThresholdNotMet", "fault"),
    ],
)
def test_an_execution_has_one_outcome(status: str, error: str | None, outcome: str) -> None:
    assert outcome_of(status, error) == outcome


def test_every_outcome_has_a_word_of_its_own() -> None:
    assert set(WORDS) == set(OUTCOMES)
    assert len(set(WORDS.values())) == len(OUTCOMES)


def test_all_outcomes_but_a_fault_are_decisions() -> None:
    assert [*RECORDED, "fault"] == list(OUTCOMES)


def test_neither_is_the_last_label_and_no_class() -> None:
    labels = labels_of(["bicycle", "motorcycle"], neither=True)
    assert labels == ("bicycle", "motorcycle", NEITHER)
    assert classes_of(labels) == labels_of(["bicycle", "motorcycle"], neither=False) == ("bicycle", "motorcycle")


def test_what_is_for_a_person_is_never_tried_again() -> None:
    assert {errors.ThresholdNotMet, errors.NoneOfTheClasses} <= set(errors.PERMANENT)
