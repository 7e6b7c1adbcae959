"""`up` and `destroy` that are killed in the middle: the next one ends whole, and nothing is there twice or left."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.errors import UserError
from localcloud.cloud import Cloud
from localcloud.deployment import Listener, connect, deploy, destroy, shut_down
from localcloud.engine import Emulation, delete
from localcloud.places import stack_folder
from localcloud.planning import Planned
from localcloud.program import run_program
from localcloud.registration import Registration
from localcloud.state import FILE, Held, StackState, read_stack_state
from tests.assertions import at_least_one
from tests.faults.pretended import Killed, Pretended
from tests.localcloud.inventory import inventory
from tests.localcloud.local_stack import REPOSITORY, write_root
from tests.localcloud.processes import eventually

# every step, in process: what the program registers, on a cloud that is only pretended


@pytest.fixture(scope="module")
def registrations(tmp_path_factory: pytest.TempPathFactory) -> list[Registration]:
    """What the program registers, without hooks, and of its inputs only short texts: names are among them."""
    run = run_program(write_root(tmp_path_factory.mktemp("plan")), "dev", Planned())
    custom = at_least_one(each for each in run.registrations if each.custom)
    return [replace(each, hooks={}, inputs=short_texts(each.inputs)) for each in custom]


def short_texts(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in inputs.items() if isinstance(value, str) and len(value) < 80}


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretended:
    return Pretended(tmp_path, monkeypatch)


def test_killed_before_a_step_the_next_up_ends_whole(registrations: list[Registration], pretended: Pretended) -> None:
    for number in at_least_one(range(1, len(registrations))):
        pretended.step(registrations[:number])
        assert len(pretended.there) <= number
    pretended.up(registrations)
    pretended.is_whole(registrations)


def test_killed_after_a_step_that_nobody_noted_the_next_up_ends_whole(
    registrations: list[Registration], pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in at_least_one(range(len(registrations))):
        # each of them finds what the one before has left, undoes it, makes it anew, and comes one step further
        with monkeypatch.context() as patches, pytest.raises(Killed):
            pretended.notes(patches, most=min(number, 1))
            pretended.up(registrations)
        assert len(pretended.noted()) == number
    pretended.up(registrations)
    pretended.is_whole(registrations)


def test_killed_during_any_deletion_the_next_one_leaves_nothing(
    registrations: list[Registration], pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended.up([replace(each, retained=False) for each in registrations])
    for number in at_least_one(range(len(registrations))):
        with monkeypatch.context() as patches, pytest.raises(Killed):
            pretended.forgets(patches, most=min(number, 1))
            pretended.up([])
        assert len(pretended.noted()) == len(registrations) - number
    pretended.up([])
    pretended.is_whole([])


def test_a_creation_that_was_refused_since_the_name_is_somebody_elses_is_not_undone(
    registrations: list[Registration], pretended: Pretended
) -> None:
    (job,) = [each for each in registrations if each.type.endswith(":TrainingJob")]
    theirs = pretended.make(job.type, job.inputs["trainingJobName"])
    for _ in range(2):
        with pytest.raises(UserError, match="already exists"):
            pretended.up([job])
    assert pretended.there == {theirs: 1}


def test_a_full_disk_is_told_in_a_sentence_and_the_next_up_goes_on(
    registrations: list[Registration], pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, text: str, *words: Any) -> int:
        if FILE in path.name and text.count('"urn"') > 30:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
        return write(path, text, *words)

    with monkeypatch.context() as patches:
        patches.setattr(Path, "write_text", full)
        with pytest.raises(UserError, match=f"No space left on device: .*{FILE}"):
            pretended.up(registrations)
    assert pretended.there
    pretended.up(registrations)
    pretended.is_whole(registrations)


# the same with the adapters themselves, on the emulators


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = write_root(tmp_path)
    try:
        yield root
    finally:
        shut_down(root)


def each_killed_once(patches: pytest.MonkeyPatch) -> set[str]:
    """Every creation is killed after it was made and before it is noted, and made again, as by the next `up`."""
    create, put, killed, of_thread = Emulation.create, StackState.put, set[str](), threading.local()

    def noted(state: StackState, held: Held, **more: Any) -> None:
        if getattr(of_thread, "killing", False):
            raise Killed
        put(state, held, **more)

    def twice(engine: Emulation, registration: Registration) -> Any:
        of_thread.killing = True
        with pytest.raises(Killed):
            create(engine, registration)
        of_thread.killing = False
        killed.add(registration.urn)
        return create(engine, registration)

    patches.setattr(StackState, "put", noted)
    patches.setattr(Emulation, "create", twice)
    return killed


def each_deleted_twice(patches: pytest.MonkeyPatch, cloud: Cloud) -> set[str]:
    """Every deletion is killed after it was made and before it is noted, and made again."""
    forget, killed = StackState.forget, set[str]()

    def forgets(state: StackState, held: Held) -> None:
        if held.urn in killed:
            forget(state, held)
            return
        killed.add(held.urn)
        delete(cloud, state, [held], lambda line: None)

    patches.setattr(StackState, "forget", forgets)
    return killed


OF_THE_EMULATORS = ("default", "/aws/sagemaker/TrainingJobs")
"""The account's own bus, and the log group in which SageMaker writes."""


def listed(cloud: Cloud) -> Counter[str]:
    """What the emulators hold, by name."""
    names = Counter(name.rpartition(":")[2] for found in inventory(cloud).values() for name in found)
    return Counter({name: count for name, count in names.items() if name not in OF_THE_EMULATORS})


def held_by_name(root: Path) -> Counter[str]:
    """What the stack's state says that they hold, of what they list."""
    kinds = ("Bucket", "Table", "Queue", "Topic", "Function", "LayerVersion", "Role", "LogGroup", "MetricAlarm",
             "Dashboard", "EventBus", "EventRule", "StateMachine", "Endpoint", "EndpointConfiguration", "Model",
             "TrainingJob", "ModelPackageGroup", "Target")  # fmt: skip
    state = read_stack_state(stack_folder(root, "dev"))
    found = [each for each in state.resources.values() if each.type.rpartition(":")[2] in kinds]
    return Counter((each.inputs["layerName"] if "layer" in each.type else each.id.rpartition(":")[2]) for each in found)


@pytest.mark.long
def test_every_adapter_undoes_what_a_kill_left_and_deletes_what_is_gone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches:
        killed = each_killed_once(patches)
        deployment = deploy(root, "dev", {}, Listener())
    assert len(killed) == sum(deployment.resources.values()) > 50
    cloud, _ = connect(root)
    there = listed(cloud)
    assert deploy(root, "dev", {}, Listener()).resources == deployment.resources
    state = read_stack_state(stack_folder(root, "dev"))
    assert not state.begun and not state.replaced and len(state.resources) == len(killed)
    assert there == held_by_name(root)
    with monkeypatch.context() as patches:
        gone = each_deleted_twice(patches, cloud)
        destroy(root, "dev", Listener(confirm=lambda losses: True))
    assert len(gone) > 50 and listed(cloud) == Counter()


@pytest.mark.long
def test_a_real_kill_leaves_nothing_that_the_next_up_minds(root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    held = stack_folder(root, "dev") / FILE

    def steps() -> int:
        return len(json.loads(held.read_text())["resources"]) if held.is_file() else 0

    reached: list[int] = []
    for number in (10, 45):
        up = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "up"], cwd=root, env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            assert eventually(lambda wanted=number: steps() >= wanted, 60)
        finally:
            os.killpg(up.pid, signal.SIGKILL)
            up.wait()
        reached.append(steps())
    deployment = deploy(root, "dev", {}, Listener())
    assert reached == sorted(reached) and reached[-1] < sum(deployment.resources.values())
    state = read_stack_state(stack_folder(root, "dev"))
    assert len(state.resources) == sum(deployment.resources.values())
    assert not state.replaced and not state.begun and not state.leaving
    cloud, _ = connect(root)
    assert listed(cloud) == held_by_name(root)
