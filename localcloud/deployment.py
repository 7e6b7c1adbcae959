"""`up`, by difference: what the emulators hold becomes what the program registers; and what is there to read then."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import localcloud.adapters as _adapters  # pyright: ignore[reportUnusedImport]  # noqa: F401 (registers them)
from contract.errors import UserError
from contract.invocation import command
from contract.names import setting
from contract.outputs import VARIABLE
from contract.stacks import read_stack
from localcloud.adapter import ADAPTERS
from localcloud.cloud import Cloud
from localcloud.daemon import State, last_words, read_state, start_daemon, stop_daemon
from localcloud.difference import Change, lines, settings_changed, summary
from localcloud.engine import Emulation, Preview, delete, refuse_protected, request_of, undo
from localcloud.lock import at_work
from localcloud.places import FOLDER, STACKS, outputs_file, stack_folder
from localcloud.program import run_program
from localcloud.registration import Registration
from localcloud.state import StackState, read_stack_state

DEPLOYMENT = "deployment.json"
MOST_LINES = 12
"""Changes that are told one by one; of more, only their number."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack: its outputs, its resources by type, seconds a phase, its dataset's folder and its settings."""

    stack: str
    outputs: Mapping[str, Any]
    resources: Mapping[str, int]
    seconds: Mapping[str, float]
    region: str
    dataset: str
    settings: Mapping[str, str]
    changes: str = ""
    """What the last `up` did, in a line."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom a deployment tells how it goes, and whom it asks.

    `progress` takes how many resources of how many are there, and the latest; `say` lines worth a person's while;
    `confirm` the data that would be lost, and answers whether to go on.
    """

    progress: Callable[[int, int, str], None] = field(default=lambda count, total, latest: None)
    say: Callable[[str], None] = field(default=lambda line: None)
    confirm: Callable[[Sequence[str]], bool] = field(default=lambda losses: False)


def deploy(root: Path, stack: str, overrides: Mapping[str, str], listener: Listener) -> Deployment:
    """Make the emulators hold what the program of `root` registers for a stack.

    Settings, program and layer are checked before anything is touched. What was done before a failure or an
    interrupt stays, and the next `deploy` goes on from there.

    Raises:
        UserError: the program refuses its settings, data would be lost and nobody agreed, or a step failed.
    """
    with at_work(root, f"up --stack {stack}", listener.say):
        return _deploy(root, stack, overrides, listener)


def _deploy(root: Path, stack: str, overrides: Mapping[str, str], listener: Listener) -> Deployment:
    started = time.monotonic()
    settings = read_stack(root, stack, overrides).delivered()
    region = settings.get("aws:region", "us-east-1")
    folder, running = stack_folder(root, stack), read_state(root / FOLDER)
    if running and running.region != region:
        raise UserError(f"the emulators run in {running.region}, and the stack {stack} wants {region}")
    state = read_stack_state(folder) if running else StackState(folder)
    preview = Preview(_cloud(root, stack, region, running), state)
    run_program(root, stack, preview, overrides=overrides, preview=True)
    changes = preview.all_changes()
    before = _recorded(folder) if running else None
    if before and not changes and before.settings == settings:
        # what the program looks at may be another than it was
        engine = Emulation(preview.cloud, state)
        run_program(root, stack, engine, overrides=overrides, environment=preview.cloud.environment(), say=listener.say)
        listener.say(f"nothing to do: {preview.total} unchanged")
        return before
    _tell(listener, before, settings, changes, preview.total)
    if running and (losses := _losses(preview.cloud, state, changes)) and not listener.confirm(losses):
        raise UserError(f"nothing was changed: {'; '.join(losses)} would be lost; give --yes if that is meant")
    seconds = {"plan": round(time.monotonic() - started, 2)}
    started = time.monotonic()
    running = running or start_daemon(root / FOLDER, region)
    seconds["emulators"] = round(time.monotonic() - started, 2)
    cloud = _cloud(root, stack, region, running, listener.say)
    counts: Counter[str] = Counter()

    def done(registration: Registration) -> None:
        counts[registration.type] += 1
        listener.progress(sum(counts.values()), preview.total, f"{registration.type} {registration.name}")

    started = time.monotonic()
    engine = Emulation(cloud, state, done)
    run = run_program(root, stack, engine, overrides=overrides, environment=cloud.environment(), say=listener.say)
    engine.delete_rest(listener.say)
    seconds["resources"] = round(time.monotonic() - started, 2)
    deployment = Deployment(
        stack, run.outputs, dict(sorted(counts.items())), seconds, region, settings[setting("datasetDir")], settings,
        summary(changes, preview.total),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    outputs_file(root, stack).write_text(json.dumps(deployment.outputs, indent=2) + "\n")
    (folder / DEPLOYMENT).write_text(json.dumps(asdict(deployment)))
    return deployment


def _cloud(
    root: Path, stack: str, region: str, running: State | None, say: Callable[[str], None] = lambda line: None
) -> Cloud:
    return Cloud(root, stack, region, running.aws_url if running else "", running.sagemaker_url if running else "", say)


def _recorded(folder: Path) -> Deployment | None:
    path = folder / DEPLOYMENT
    return Deployment(**json.loads(path.read_text())) if path.is_file() else None


def _tell(
    listener: Listener, before: Deployment | None, settings: Mapping[str, str], changes: Sequence[Change], total: int
) -> None:
    reasons = settings_changed(before.settings, settings) if before else []
    listener.say(f"{', '.join(reasons)}: {summary(changes, total)}" if reasons else summary(changes, total))
    if before and len(changes) <= MOST_LINES:
        for line in lines(changes):
            listener.say(f"  {line}")


def _losses(cloud: Cloud, state: StackState, changes: Sequence[Change]) -> list[str]:
    found: list[str] = []
    for change in changes:
        held = state.resources.get(change.urn)
        holds = ADAPTERS[change.type].holds
        if held and holds and change.operation in ("delete", "replace") and not held.retained:
            what = holds(request_of(cloud, held))
            found += [f"{what} in {held.name}"] if what else []
    return found


def destroy(root: Path, stack: str, listener: Listener) -> int:
    """Delete all resources of a stack, those that depend on others first.

    Returns:
        How many there were.

    Raises:
        UserError: the stack is not up, data would be lost and nobody agreed, or the emulator refused a deletion.
    """
    with at_work(root, f"destroy --stack {stack}", listener.say):
        cloud, _ = connect(root, stack)
        state = read_stack_state(stack_folder(root, stack))
        held = [*state.resources.values(), *state.replaced]
        refuse_protected(held)
        changes = [Change("delete", each.urn, each.type, each.name) for each in held]
        if (losses := _losses(cloud, state, changes)) and not listener.confirm(losses):
            raise UserError(f"nothing was deleted: {'; '.join(losses)} would be lost; give --yes if that is meant")
        for begun in list(state.begun.values()):
            undo(cloud, state, begun)
        delete(cloud, state, held, listener.say)
        shutil.rmtree(stack_folder(root, stack))
        return len(held)


def stacks_up(root: Path) -> list[str]:
    """The stacks that are up.

    Raises:
        UserError: the emulators ended by themselves.
    """
    folder = root / FOLDER
    if read_state(folder) is None:
        if words := last_words(folder):
            raise UserError(f"the emulators have ended by themselves, and what they held is lost: {words}")
        return []
    return sorted(path.parent.name for path in folder.glob(f"{STACKS}/*/{DEPLOYMENT}"))


def read_deployment(root: Path, stack: str | None = None) -> Deployment:
    """A stack that is up; without a name, the only one.

    Raises:
        UserError: it is not, or there are several.
    """
    found = stacks_up(root)
    if stack is None and len(found) > 1:
        raise UserError(f"several stacks are up, {' and '.join(found)}: say which by --stack")
    chosen = stack or (found[0] if found else "dev")
    if chosen not in found:
        up = command("localcloud", "up", "--stack", chosen)
        raise UserError(f"{f'the stack {chosen} is not up' if found else 'nothing is up'}; run: {up}")
    deployment = _recorded(stack_folder(root, chosen))
    assert deployment
    return deployment


def connect(root: Path, stack: str | None = None) -> tuple[Cloud, Deployment]:
    """The running cloud, and the stack as `read_deployment` chooses it.

    Raises:
        UserError: it is not up, or there are several.
    """
    deployment = read_deployment(root, stack)
    return _cloud(root, deployment.stack, deployment.region, read_state(root / FOLDER)), deployment


def environment_of(cloud: Cloud) -> dict[str, str]:
    """The environment of a command, with boto3 pointed at the emulators and the tools at the stack's outputs."""
    outputs = outputs_file(cloud.root, cloud.stack).resolve()
    return {**os.environ, **cloud.environment(), VARIABLE: str(outputs)}


def shut_down(root: Path, say: Callable[[str], None] = lambda line: None) -> bool:
    """End the emulators and forget what they held.

    Returns:
        Whether anything was up.
    """
    with at_work(root, "down", say):
        return stop_daemon(root / FOLDER)
