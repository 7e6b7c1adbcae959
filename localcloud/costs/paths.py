"""Which states an execution goes through, read from the definition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from contract.errors import UserError

State = tuple[str, Mapping[str, Any]]
MOST = 100
"""States of a path: one that is longer goes in a circle."""


def path(definition: str, fails: Mapping[str, str] | None = None) -> list[State]:
    """The states that an execution enters, in order; each is a transition that is paid for.

    Args:
        definition: in Amazon States Language.
        fails: the error that a state ends with, by the state's name; it is caught as it would be.

    Raises:
        UserError: a state of a kind whose way on can't be read, or whose error nothing catches.
    """
    return list(_walk(json.loads(definition), dict(fails or {}), ""))


def _walk(machine: Mapping[str, Any], fails: Mapping[str, str], error: str) -> Iterator[State]:
    name: str | None = machine["StartAt"]
    entered = 0
    while name is not None:
        state: Mapping[str, Any] = machine["States"][name]
        yield name, state
        entered += 1
        if entered > MOST:
            raise UserError(f"the state machine's path goes in a circle at {name}")
        kind = state["Type"]
        if kind == "Parallel":
            for branch in state["Branches"]:
                yield from _walk(branch, fails, error)
        if name in fails:
            error = fails[name]
            name = _caught(name, state, error)
        elif kind == "Choice":
            # a condition on the error's name, which is all that our definition chooses by
            asked = [choice["Next"] for choice in state["Choices"] if error and f'"{error}"' in choice["Condition"]]
            name = asked[0] if asked else state["Default"]
        elif kind in ("Task", "Pass", "Wait", "Parallel"):
            name = None if state.get("End") else state["Next"]
        elif kind in ("Succeed", "Fail"):
            name = None
        else:
            raise UserError(f"how often the state {name} of type {kind} is entered can't be read from the definition")


def _caught(name: str, state: Mapping[str, Any], error: str) -> str:
    for catcher in state.get("Catch", ()):
        if {error, "States.ALL"} & set(catcher["ErrorEquals"]):
            return catcher["Next"]
    raise UserError(f"the state {name} does not catch {error}")
