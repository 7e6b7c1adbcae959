"""A component's arguments, checked when it is built: every mistake in one error, before anything is registered."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import cast

import pulumi

from components.parts.bounds import Bound, near, problems_with_bays, shown
from contract.classes import problem_with_classes
from contract.decisions import NEITHER, classes_of
from contract.thresholds import allowed_thresholds, is_threshold


class ArgumentError(pulumi.RunError, ValueError):
    """What is wrong with a component's arguments, one sentence with all of it.

    A `RunError`, which Pulumi prints without a traceback.
    """


def is_plain(value: object) -> bool:
    """Whether a value is known here, and not what another resource will give."""
    return not (isinstance(value, pulumi.Output) or inspect.isawaitable(value))


class Arguments:
    """Collects what is wrong with a component's arguments; `refuse` raises it.

    Args:
        component: the class's name.
        name: the resource's name.
        given: the arguments; without them, values are checked that are handed in one by one.
    """

    def __init__(self, component: str, name: str, given: Mapping[str, object] | None = None) -> None:
        self._who = f"{component} {shown(name)}"
        self._given = given or {}
        self._known: list[str] = []
        self._problems: list[str] = []
        self._bad: set[str] = set()

    def must(self, argument: str, allowed: str, got: str) -> None:
        """Report that an argument must do something else than it does."""
        self._bad.add(argument.partition(".")[0])
        self._problems.append(f"{argument} must {allowed}, got {got}")

    def exactly_one(self, **values: object) -> None:
        """Arguments of which one is given and the others are None."""
        given = [name for name, value in values.items() if value is not None]
        if len(given) != 1:
            which = "both" if len(given) > 1 else "none"
            self._problems.append(f"exactly one of {' and '.join(values)} must be given, got {which}")

    def value(self, argument: str, value: object, bound: Bound) -> None:
        """A value that was looked up; an Output is taken as it is."""
        if is_plain(value) and not bound.takes(value):
            self.must(argument, bound.allowed, shown(value))

    def required(self, argument: str, bound: Bound) -> None:
        """An argument that must be given; an Output is taken as it is."""
        if self._is_there(argument):
            self.value(argument, self._given[argument], bound)

    def given(self, argument: str) -> None:
        """An argument that must be given, and is checked elsewhere."""
        self._is_there(argument)

    def may_have(self, *arguments: str) -> None:
        """Arguments that may be left out, and are checked elsewhere."""
        self._known += arguments

    def optional(self, argument: str, bound: Bound) -> None:
        """An argument that may be left out, None or empty."""
        self._known.append(argument)
        value = self._given.get(argument)
        if value is not None and not (isinstance(value, str) and value == ""):
            self.value(argument, value, bound)

    def each(self, argument: str, bound: Bound) -> None:
        """A mapping that must be given and not be empty, and each of its values."""
        values = self._mapping(argument)
        if values is not None and not values:
            self.must(argument, "not be empty", shown(values))
        for key, value in (values or {}).items():
            self.value(f"{argument}.{key}", value, bound)

    def names(self, argument: str, names: Sequence[str]) -> None:
        """What a mapping that was checked before must name, and nothing else."""
        values = self._given.get(argument)
        keys = [str(key) for key in cast("Mapping[object, object]", values)] if isinstance(values, Mapping) else []
        if keys and set(keys) != set(names):
            self.must(argument, f"name {', '.join(names)}", ", ".join(keys))

    def labels(self) -> None:
        """`classes` (the model's labels), `loading_bays` of the classes among them, and `confidence_threshold`."""
        labels = self._labels()
        classes = classes_of(labels)
        bays = self._mapping("loading_bays")
        for problem in problems_with_bays(bays or {}, classes, classes_are_good="classes" not in self._bad):
            if bays is not None:
                self.must(f"loading_bays{problem.below}", problem.allowed, problem.got)
        if not self._is_there("confidence_threshold"):
            return
        threshold = self._given["confidence_threshold"]
        count = len(labels) if "classes" not in self._bad else None
        number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
        if not (number and is_threshold(cast("float", threshold), count)):
            self.must("confidence_threshold", f"be {allowed_thresholds(count)}", shown(threshold))

    def refuse(self) -> None:
        """Raise everything that was reported, and arguments that there are none of.

        Raises:
            ArgumentError: if there is anything.
        """
        for argument in sorted(set(self._given) - set(self._known)):
            hint = near(argument, self._known) or f"it takes {', '.join(self._known)}"
            self._problems.append(f"{argument} is no argument of it: {hint}")
        if self._problems:
            raise ArgumentError(f"{self._who}: {'; '.join(self._problems)}")

    def _is_there(self, argument: str) -> bool:
        self._known.append(argument)
        if argument not in self._given:
            self._bad.add(argument)
            self._problems.append(f"{argument} must be given")
        return argument in self._given

    def _mapping(self, argument: str) -> dict[str, object] | None:
        if not self._is_there(argument):
            return None
        value = self._given[argument]
        if not isinstance(value, Mapping):
            self.must(argument, "be a mapping by name", shown(value))
            return None
        return {str(key): item for key, item in cast("Mapping[object, object]", value).items()}

    def _labels(self) -> tuple[str, ...]:
        if not self._is_there("classes"):
            return ()
        value = self._given["classes"]
        items = cast("Sequence[object]", value) if isinstance(value, Sequence) and not isinstance(value, str) else None
        if items is None or not all(isinstance(item, str) for item in items):
            self.must("classes", "be a list of strings", shown(self._given["classes"]))
            return ()
        labels = tuple(str(item) for item in items)
        if NEITHER in labels[:-1]:
            self.must("classes", f"hold {NEITHER} last and once", ", ".join(labels))
        elif problem := problem_with_classes(classes_of(labels)):
            self.must("classes", *problem)
        return labels
