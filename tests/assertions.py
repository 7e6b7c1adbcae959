"""What keeps an assertion about each of some things from passing because there are none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


def at_least_one(things: Iterable[Thing]) -> list[Thing]:
    """The things, of which there must be one."""
    found = list(things)
    assert found, "an assertion about each of some things, of which there are none"
    return found
