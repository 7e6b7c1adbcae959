"""The states that an execution goes through, on the program's own definition and on small ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.errors import UserError
from localcloud.costs.paths import path


def machine(**states: Any) -> str:
    return json.dumps({"StartAt": next(iter(states)), "States": states})


def names(definition: str, fails: dict[str, str] | None = None) -> list[str]:
    return [name for name, _ in path(definition, fails)]


TASK = {"Type": "Task", "Next": "B", "Catch": [{"ErrorEquals": ["Unsure"], "Next": "C"}]}
END = {"Type": "Succeed"}


def test_states_are_followed_to_the_end() -> None:
    assert names(machine(A=TASK, B={"Type": "Pass", "End": True}, C=END)) == ["A", "B"]


def test_an_error_goes_where_it_is_caught() -> None:
    assert names(machine(A=TASK, B=END, C={"Type": "Fail"}), {"A": "Unsure"}) == ["A", "C"]


def test_an_error_that_nothing_catches_is_no_path() -> None:
    with pytest.raises(UserError, match="A does not catch Broken"):
        names(machine(A=TASK, B=END, C=END), {"A": "Broken"})


def test_branches_are_entered_and_paid_for_too() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    assert names(machine(A={"Type": "Parallel", "Branches": [inner, inner], "Next": "B"}, B=END)) == [
        "A",
        "I",
        "I",
        "B",
    ]


@pytest.mark.parametrize(("fails", "expected"), [({"A": "Unsure"}, ["A", "C", "D"]), ({"A": "Other"}, ["A", "C", "B"])])
def test_a_choice_is_made_by_the_error_s_name(fails: dict[str, str], expected: list[str]) -> None:
    catch = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]}
    condition = '{% $states.input.error in ["Unsure"] %}'
    choice = {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "D"}], "Default": "B"}
    assert names(machine(A=catch, B=END, C=choice, D=END), fails) == expected


def test_a_circle_and_a_kind_that_repeats_are_refused() -> None:
    with pytest.raises(UserError, match="circle"):
        names(machine(A={"Type": "Pass", "Next": "A"}))
    with pytest.raises(UserError, match="type Map"):
        names(machine(A={"Type": "Map", "Next": "A"}))
