"""A rule: a function that complains about a resource, or about a whole stack, and how Pulumi is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.exceptions import excused

MANDATORY, ADVISORY = EnforcementLevel.MANDATORY, EnforcementLevel.ADVISORY


class Registered(Protocol):
    """A resource of a stack, as a rule about the stack sees it."""

    @property
    def resource_type(self) -> str:
        """The type's token."""
        ...

    @property
    def name(self) -> str:
        """The name that the program gave it."""
        ...

    @property
    def urn(self) -> str:
        """Its URN."""
        ...

    @property
    def dependencies(self) -> Sequence[Registered]:
        """What its inputs are made of."""
        ...


Complaints = Iterable[str]
OnResource = Callable[[ResourceValidationArgs], Complaints]
OnStack = Callable[[Sequence[Registered]], Iterable[tuple[Registered, str]]]


@dataclass(frozen=True, slots=True)
class StackRule:
    """A rule as it was declared; `types` is empty for one about the whole stack."""

    name: str
    why: str
    types: tuple[str, ...]
    level: EnforcementLevel
    policy: Policy


RULES: dict[str, StackRule] = {}
"""Every rule by name, in the order of declaration."""


def on(*types: str, level: EnforcementLevel = MANDATORY) -> Callable[[OnResource], OnResource]:
    """Declare a rule about each resource of these types (of every type, for `*`).

    The function's name is the rule's, its docstring the reason that a user reads.
    """

    def declare(complain: OnResource) -> OnResource:
        name, why = _name(complain), _why(complain)

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if "*" not in types and args.resource_type not in types:
                return
            if excused(name, args.name):
                return
            for complaint in complain(args):
                report(complaint, None)

        policy = ResourceValidationPolicy(name, why, validate, enforcement_level=level)
        RULES[name] = StackRule(name, why, types, level, policy)
        return complain

    return declare


def on_stack(level: EnforcementLevel = MANDATORY) -> Callable[[OnStack], OnStack]:
    """Declare a rule about the stack as a whole; it may look at types, names and dependencies alone.

    A value that is not known in a preview would keep the analyzer from running the rule at all.
    """

    def declare(complain: OnStack) -> OnStack:
        name, why = _name(complain), _why(complain)

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for resource, complaint in complain(args.resources):
                if not excused(name, resource.name):
                    report(complaint, resource.urn)

        policy = StackValidationPolicy(name, why, validate, enforcement_level=level)
        RULES[name] = StackRule(name, why, (), level, policy)
        return complain

    return declare


def _name(complain: Callable[..., object]) -> str:
    return complain.__name__.replace("_", "-")


def _why(complain: Callable[..., object]) -> str:
    return " ".join((complain.__doc__ or "").split())
