"""contract.errors: the names that the state machine matches."""

import inspect
import json

import pytest

from contract import errors
from contract.errors import (
    PERMANENT,
    TRANSIENT,
    ForAPerson,
    NoneOfTheClasses,
    PermanentError,
    SconesError,
    ThresholdNotMet,
    TransientError,
    figures_in,
)

FAMILIES = {SconesError, PermanentError, TransientError, ForAPerson}


def test_every_fault_is_listed_once_in_its_family():
    faults = {
        item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, SconesError)
    } - FAMILIES
    assert faults == {*PERMANENT, *TRANSIENT}
    assert len(PERMANENT) + len(TRANSIENT) == len(faults)
    assert all(issubclass(fault, PermanentError) for fault in PERMANENT)
    assert all(issubclass(fault, TransientError) for fault in TRANSIENT)


@pytest.mark.parametrize(
    ("fault", "name"), [(ThresholdNotMet, "THRESHOLD_CONFIDENCE_NOT_MET"), (NoneOfTheClasses, "NONE_OF_THE_CLASSES")]
)
def test_the_figures_can_be_taken_out_of_the_message_again(fault, name):
    figures = {"label": "bicycle", "confidence": 0.6, "margin": 0.2, "threshold": 0.8, "inferences": [0.6, 0.4]}
    code, _, text = str(fault(**figures)).partition(" ")
    assert code == name
    assert json.loads(text) == figures
    assert " " not in text
    assert figures_in(str(fault(**figures))) == figures


@pytest.mark.parametrize(
    "message",
    [
        "",
        "the photo is damaged",
        'ANOTHER_CODE {"label":"bicycle"}',
        'THRESHOLD_CONFIDENCE_NOT_MET {"label":',
        "NONE_OF_THE_CLASSES []",
    ],
)
def test_a_message_without_figures_has_none(message):
    assert figures_in(message) == {}
