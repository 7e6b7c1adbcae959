"""What a program or a component registers, by the local cloud's own engine that makes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.graph import plan
from localcloud.planning import Planned
from localcloud.program import run_program
from localcloud.registration import Engine, Monitor, Registration, Run, register

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Found:
    """What was registered: each resource with its inputs, parent, options and hooks, and what came of it."""

    resources: list[Registration]
    outputs: Mapping[str, Any]
    """What the program exports."""
    resource_outputs: Mapping[str, Mapping[str, Any]]
    """What the engine answered for a resource and what a component registered, by URN."""

    @property
    def urns(self) -> list[str]:
        return [resource.urn for resource in self.resources]

    def of(self, kind: str) -> list[Registration]:
        """The resources of a kind such as MetricAlarm."""
        return [resource for resource in self.resources if resource.type.endswith(f":{kind}")]

    def named(self, name: str) -> Registration:
        (found,) = [resource for resource in self.resources if resource.name == name]
        return found

    def inputs(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The inputs of the resources of a kind, by name."""
        found = self.of(kind)
        assert len({resource.name for resource in found}) == len(found)
        return {resource.name: resource.inputs for resource in found}


def _found(run: Run) -> Found:
    return Found(run.registrations, run.outputs, run.resource_outputs)


def run(
    stack: str, *, folder: Path = ROOT, preview: bool = False, engine: Engine | None = None, **settings: object
) -> Found:
    """Run the unmodified program of a folder; `settings` beyond the stack's file, and `region`."""
    overrides = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    if region := overrides.pop("region", ""):
        overrides["aws:region"] = region
    if engine is None:
        return _found(plan(folder, stack, overrides, preview=preview))
    return _found(run_program(folder, stack, engine, overrides=overrides, preview=preview))


def run_alone(program: Callable[[], object], *, engine: Engine | None = None) -> Found:
    """Run a few lines that make a component or a resource, as project scones and stack dev."""
    return _found(register(program, Monitor(engine or Planned()), project="scones", stack="dev"))
