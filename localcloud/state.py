"""What a stack holds in the emulators, resource by resource, as the last steps left it: the stack's state file."""

from __future__ import annotations

import graphlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

FILE = "state.json"


@dataclass(frozen=True, slots=True)
class Held:
    """A resource that exists: `inputs` and `outputs` as JSON has them, files by their hash."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    generation: int
    """How often it was replaced."""
    retained: bool
    """Whether it stays in the emulator when the program no longer wants it."""
    protected: bool = False
    """Whether nobody may delete it."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A creation that was begun: whoever finds it was killed, perhaps after the emulator had done its part."""

    urn: str
    type: str
    name: str
    auto_name: str
    inputs: Mapping[str, Any]
    before: Mapping[str, Any]
    """The outputs of what it was to replace; nothing where there was nothing."""


@dataclass(slots=True)
class StackState:
    """The state of a stack: what the program wants, and what was replaced and is still to be deleted.

    A step is noted before it is made and after, so that the next one knows what a killed one may have left: creations
    by their URN, deletions by URN and id.
    """

    folder: Path
    resources: dict[str, Held] = field(default_factory=dict[str, Held])
    replaced: list[Held] = field(default_factory=list[Held])
    begun: dict[str, Unfinished] = field(default_factory=dict[str, Unfinished])
    leaving: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, begun: Unfinished) -> None:
        """Note a creation that is about to be made."""
        with self.lock:
            self.begun[begun.urn] = begun
            self._save()

    def give_up(self, urn: str) -> None:
        """Note that a creation left nothing."""
        with self.lock:
            if self.begun.pop(urn, None):
                self._save()

    def leave(self, held: Held) -> bool:
        """Note a deletion that is about to be made.

        Returns:
            Whether it was begun before.
        """
        with self.lock:
            step = (held.urn, held.id)
            if step in self.leaving:
                return True
            self.leaving.append(step)
            self._save()
            return False

    def put(self, held: Held, *, instead_of: Held | None = None) -> None:
        """Note a resource that was created or updated, and its predecessor if that is still to be deleted."""
        with self.lock:
            self.begun.pop(held.urn, None)
            self.resources[held.urn] = held
            if instead_of:
                self.replaced.append(instead_of)
            self._save()

    def forget(self, held: Held) -> None:
        """Note that a resource is gone."""
        with self.lock:
            self.leaving = [step for step in self.leaving if step != (held.urn, held.id)]
            if held in self.replaced:
                self.replaced.remove(held)
            elif self.resources.get(held.urn) == held:
                del self.resources[held.urn]
            self._save()

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {
            "resources": [_entry(held) for held in self.resources.values()],
            "replaced": [_entry(held) for held in self.replaced],
            "begun": [_entry(begun) for begun in self.begun.values()],
            "leaving": self.leaving,
        }
        partial = self.folder / f"{FILE}.{os.getpid()}"
        partial.write_text(json.dumps(document))
        partial.replace(self.folder / FILE)


def _entry(noted: Held | Unfinished) -> dict[str, Any]:
    """As `asdict`, without copying what is within."""
    return {each.name: getattr(noted, each.name) for each in fields(noted)}


def read_stack_state(folder: Path) -> StackState:
    """The state in `folder`; an empty one when there is none yet."""
    path = folder / FILE
    if not path.is_file():
        return StackState(folder)
    document: dict[str, list[Any]] = json.loads(path.read_text())
    return StackState(
        folder,
        {entry["urn"]: _held(entry) for entry in document["resources"]},
        [_held(entry) for entry in document["replaced"]],
        {entry["urn"]: Unfinished(**entry) for entry in document["begun"]},
        [(urn, identity) for urn, identity in document["leaving"]],
    )


def _held(entry: dict[str, Any]) -> Held:
    entry["dependencies"] = tuple(entry["dependencies"])
    return Held(**entry)


def dependents_first(gone: Iterable[Held]) -> list[Held]:
    """Resources in an order in which they can be deleted: what depends on another before that other."""
    by_urn: dict[str, list[Held]] = {}
    for held in gone:
        by_urn.setdefault(held.urn, []).append(held)
    order = graphlib.TopologicalSorter(
        {urn: {needed for each in held for needed in each.dependencies} & by_urn.keys() for urn, held in by_urn.items()}
    )
    return [held for urn in reversed(list(order.static_order())) for held in by_urn[urn]]
