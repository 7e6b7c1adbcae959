from __future__ import annotations

import pytest

from contract import errors
from contract.decisions import NEITHER, OUTCOMES, RECORDED, WORDS, classes_of, labels_of, outcome_of, word_for


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
        ("TIMED_OUT", "ThresholdNotMet", "fault"),
    ],
)
def test_an_execution_has_one_outcome(status: str, error: str | None, outcome: str) -> None:
    assert outcome_of(status, error) == outcome


def test_every_outcome_has_a_word_of_its_own() -> None:
    assert set(WORDS) == set(OUTCOMES)
    assert len(set(WORDS.values())) == len(OUTCOMES)


@pytest.mark.parametrize(("number", "word"), [(0, "strangers"), (1, "stranger"), (2, "strangers")])
def test_one_photo_has_the_word_in_the_singular(number: int, word: str) -> None:
    assert word_for("neither", number) == word
    assert word_for("accepted", number) == "accepted"


def test_all_outcomes_but_a_fault_are_decisions() -> None:
    assert [*RECORDED, "fault"] == list(OUTCOMES)


def test_neither_is_the_last_label_and_no_class() -> None:
    # on both sides of it in the alphabet
    classes = ("bicycle", "tulip")
    labels = labels_of(list(classes), neither=True)
    assert labels == (*classes, NEITHER)
    assert classes_of(labels) == labels_of(list(classes), neither=False) == classes


def test_what_is_for_a_person_is_never_tried_again() -> None:
    assert {errors.ThresholdNotMet, errors.NoneOfTheClasses} <= set(errors.PERMANENT)
