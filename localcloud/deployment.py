"""`up`: the program's resources in the emulators, and what is left to read afterwards."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import localcloud.adapters as _adapters  # pyright: ignore[reportUnusedImport]  # noqa: F401 (registers them)
from contract.errors import UserError
from contract.invocation import command
from contract.names import PROJECT
from contract.outputs import VARIABLE
from contract.stacks import read_stack
from localcloud.cloud import Cloud
from localcloud.daemon import read_state, start_daemon, stop_daemon
from localcloud.engine import Emulation
from localcloud.graph import graph
from localcloud.program import Registration, run_program

FOLDER = Path(".localcloud")
OUTPUTS = "outputs.json"
DEPLOYMENT = "deployment.json"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack: its outputs, its resources by type, seconds a phase, and the dataset's folder."""

    stack: str
    outputs: Mapping[str, Any]
    resources: Mapping[str, int]
    seconds: Mapping[str, float]
    region: str
    dataset: str
    graph: str


Progress = Callable[[int, int, str], None]


def deploy(
    root: Path, stack: str, overrides: Mapping[str, str], *, progress: Progress, say: Callable[[str], None]
) -> Deployment:
    """Run the program of `root` for a stack, in emulators of its own.

    Args:
        root: the repository.
        stack: dev, prod, …
        overrides: configuration beyond the stack's file.
        progress: told how many resources of how many are there, and the latest.
        say: takes lines worth a person's while, such as the training's accuracy.

    Raises:
        UserError: another stack is up, or this one can't be created; nothing is left running then.
    """
    started = time.monotonic()
    planned = graph(root, stack, overrides)
    configuration = read_stack(root, stack, overrides).delivered()
    region = configuration.get("aws:region", "us-east-1")
    dataset = configuration[f"{PROJECT}:datasetDir"]
    identity = json.dumps(planned, sort_keys=True)
    folder = root / FOLDER
    if read_state(folder) is not None:
        try:
            current = read_deployment(root)
        except UserError:
            say("an `up` was killed before it was done: what it left is replaced")
        else:
            if current.stack == stack and current.graph == identity:
                say("nothing to do: the stack is up, and the program registers the same resources")
                return current
            say(f"the stack {current.stack} is up with other resources: it is replaced")
    seconds = {"plan": round(time.monotonic() - started, 2)}
    started = time.monotonic()
    state = start_daemon(folder, region)
    seconds["emulators"] = round(time.monotonic() - started, 2)
    cloud = Cloud(root, stack, region, state.aws_url, state.sagemaker_url, say)
    custom = sum(1 for resource in planned if resource["custom"])
    counts: Counter[str] = Counter()

    def done(registration: Registration) -> None:
        counts[registration.type] += 1
        progress(sum(counts.values()), custom, f"{registration.type} {registration.name}")

    started = time.monotonic()
    try:
        run = run_program(
            root, stack, Emulation(cloud, done), overrides=overrides, environment=cloud.environment(), say=say
        )
    except BaseException:
        stop_daemon(folder)
        raise
    seconds["resources"] = round(time.monotonic() - started, 2)
    deployment = Deployment(stack, run.outputs, dict(sorted(counts.items())), seconds, region, dataset, identity)
    (folder / OUTPUTS).write_text(json.dumps(deployment.outputs, indent=2) + "\n")
    (folder / DEPLOYMENT).write_text(json.dumps(asdict(deployment)))
    return deployment


def read_deployment(root: Path) -> Deployment:
    """The stack that is up.

    Raises:
        UserError: none is.
    """
    state = read_state(root / FOLDER)
    path = root / FOLDER / DEPLOYMENT
    if state is None or not path.is_file():
        raise UserError(f"nothing is up; run: {command('localcloud', 'up', '--stack', 'dev')}")
    return Deployment(**json.loads(path.read_text()))


def connect(root: Path) -> tuple[Cloud, Deployment]:
    """The running cloud and what is deployed on it.

    Raises:
        UserError: none is.
    """
    deployment = read_deployment(root)
    state = read_state(root / FOLDER)
    assert state is not None
    return Cloud(root, deployment.stack, deployment.region, state.aws_url, state.sagemaker_url), deployment


def environment_of(cloud: Cloud) -> dict[str, str]:
    """The environment of a command, with boto3 pointed at the emulators and the tools at the stack's outputs."""
    return {**os.environ, **cloud.environment(), VARIABLE: str((cloud.root / FOLDER / OUTPUTS).resolve())}


def shut_down(root: Path) -> bool:
    """End the emulators and forget what they held.

    Returns:
        Whether anything was up.
    """
    return stop_daemon(root / FOLDER)
