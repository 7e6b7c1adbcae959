"""Earlier URNs of a resource, from the aliases that it and what it hangs below are registered with.

The engine's rules (Pulumi's `resource.Alias` and `inherited_child_alias`): an alias names what was different; a child
was below its parent's earlier URN, and a name that begins with its parent's began with the parent's earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True, slots=True)
class Earlier:
    """One alias as it is registered: a whole URN, or what was different in it."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    """URN of the earlier parent."""
    no_parent: bool = False
    """Whether it hung below nothing."""


def earlier(alias: Any) -> Earlier:
    """An alias as the engine's protocol has it (`pulumirpc.Alias`)."""
    spec = alias.spec
    return Earlier(alias.urn, spec.name, spec.type, spec.stack, spec.project, spec.parentUrn, spec.noParent)


@dataclass(frozen=True, slots=True)
class Aliased:
    """A resource with its aliases."""

    urn: str
    parent: str
    """URN of its parent."""
    aliases: tuple[Earlier, ...] = ()


def earlier_urns(resources: Sequence[Aliased]) -> dict[str, tuple[str, ...]]:
    """Every URN under which each resource may stand in a release, its own left out; parents come before children."""
    found: dict[str, tuple[str, ...]] = {}
    for resource in resources:
        parents = [resource.parent, *found.get(resource.parent, ())]
        told = [
            urn
            for parent in parents
            for alias in (Earlier(), *resource.aliases)
            for urn in [_earlier(resource, alias, parent, found)]
        ]
        found[resource.urn] = tuple(dict.fromkeys(urn for urn in told if urn != resource.urn))
    return found


def _earlier(resource: Aliased, alias: Earlier, parent: str, known: Mapping[str, Sequence[str]]) -> str:
    if alias.urn:
        return alias.urn
    prefix, stack, project, types, name = _split(resource.urn)
    own = types.rsplit("$", 1)[-1]
    was = "" if alias.no_parent else alias.parent or parent
    inherited = not (alias.name or alias.parent or alias.no_parent)
    if inherited and name.startswith(now := _name(resource.parent)):
        name = _name(was) + name.removeprefix(now)
    above = _split(was)[3] if was else STACK
    kind = alias.type or own
    types = kind if above == STACK else f"{above}${kind}"
    return "::".join([f"{prefix}:{alias.stack or stack}", alias.project or project, types, alias.name or name])


def _split(urn: str) -> tuple[str, str, str, str, str]:
    head, project, types, name = urn.split("::", 3)
    prefix, _, stack = head.rpartition(":")
    return prefix, stack, project, types, name


def _name(urn: str) -> str:
    return urn.split("::", 3)[3] if urn else ""
