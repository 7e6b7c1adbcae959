"""What an `up` would do to each resource, from what is there and what the program registers now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.state import Held

Operation = Literal["create", "update", "replace", "delete", "same"]
VERBS: Mapping[Operation, str] = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "same": "unchanged",
}


@dataclass(frozen=True, slots=True)
class Change:
    """An operation on a resource, and the inputs that are the reason."""

    operation: Operation
    urn: str
    type: str
    name: str
    keys: tuple[str, ...] = ()


def decide(
    held: Held | None, inputs: Mapping[str, Any], *, replaces: Collection[str], updates: bool
) -> tuple[Operation, tuple[str, ...]]:
    """The operation that makes a resource what the program wants.

    Args:
        held: what is there; None for nothing.
        inputs: what the program wants, as JSON has it.
        replaces: the inputs that can't be changed in place.
        updates: whether any can.

    Returns:
        The operation, and the inputs that differ.
    """
    if held is None:
        return "create", ()
    changed = tuple(sorted(key for key in {*held.inputs, *inputs} if held.inputs.get(key) != inputs.get(key)))
    if not changed:
        return "same", ()
    return ("update" if updates and not set(changed) & set(replaces) else "replace"), changed


def summary(changes: Iterable[Change], total: int) -> str:
    """`4 to update, 58 unchanged`; `total` counts what the program registers."""
    counts = Counter(change.operation for change in changes)
    counts["same"] = total - sum(counts[each] for each in ("create", "update", "replace"))
    parts = [f"{counts[operation]} {verb}" for operation, verb in VERBS.items() if counts[operation]]
    return ", ".join(parts)


def settings_changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """`confidenceThreshold 0.80 -> 0.95`, for each setting that differs."""
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return [f"{key.partition(':')[2]} {_shown(before.get(key))} -> {_shown(after.get(key))}" for key in keys]


def _shown(text: str | None) -> str:
    if text is None:
        return "none"
    return text if len(text) <= 60 else f"{text[:57]}..."


def lines(changes: Sequence[Change]) -> list[str]:
    """One line a change, with its reason."""
    return [
        f"{change.operation:<7} {change.type.split(':')[-1]} {change.name}"
        + (f" ({', '.join(change.keys)})" if change.keys else "")
        for change in changes
    ]


def as_json(value: object) -> Any:
    """A structure as it is after it was written to the state and read again."""
    return json.loads(json.dumps(value))
