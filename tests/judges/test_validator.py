"""asl-validator, which did not come from us, takes both stacks' machines, and refuses every way of breaking one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.parts.state_machine import definition
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.stack import run
from tests.judges.machine import DEFINITION, NAMES
from tests.judges.process import Judge


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("program")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    return {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_machines_that_a_stack_registers_are_valid(judge: Judge, places: dict[str, str], stack: str):
    machines = run(stack, **places).of("StateMachine")
    assert {machine.name for machine in machines} == {"workflow-machine", "batch-machine"}
    for machine in at_least_one(machines):
        assert judge.faults_of(json.loads(machine.inputs["definition"])) == []


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_it_is_valid_in_every_partition(judge: Judge, partition: str):
    assert judge.faults_of(definition(replace(NAMES, partition=partition))) == []


def dangling_next(machine: dict[str, Any]) -> None:
    machine["States"]["Classify"]["Next"] = "Nowhere"


def dangling_catch(machine: dict[str, Any]) -> None:
    machine["States"]["Classify"]["Catch"][0]["Next"] = "Nowhere"


def dangling_choice(machine: dict[str, Any]) -> None:
    machine["States"]["ForAPerson"]["Choices"][0]["Next"] = "Nowhere"


def dangling_default(machine: dict[str, Any]) -> None:
    machine["States"]["ForAPerson"]["Default"] = "Nowhere"


def dangling_next_in_a_branch(machine: dict[str, Any]) -> None:
    state = machine["States"]["ReadCause"]["Branches"][0]["States"]["ParseCause"]
    del state["End"]
    state["Next"] = "Nowhere"


def next_out_of_a_branch(machine: dict[str, Any]) -> None:
    state = machine["States"]["ReadCause"]["Branches"][0]["States"]["ParseCause"]
    del state["End"]
    state["Next"] = "SendToReview"


def missing_start(machine: dict[str, Any]) -> None:
    del machine["StartAt"]


def start_at_nothing(machine: dict[str, Any]) -> None:
    machine["StartAt"] = "Nowhere"


def unreachable_state(machine: dict[str, Any]) -> None:
    machine["States"]["Island"] = {"Type": "Succeed"}


def no_way_on(machine: dict[str, Any]) -> None:
    del machine["States"]["Classify"]["Next"]


def unknown_type(machine: dict[str, Any]) -> None:
    machine["States"]["Routed"]["Type"] = "Success"


def task_without_a_resource(machine: dict[str, Any]) -> None:
    del machine["States"]["Classify"]["Resource"]


def field_of_the_other_query_language(machine: dict[str, Any]) -> None:
    machine["States"]["Classify"]["ResultPath"] = "$.result"


def way_on_after_the_end(machine: dict[str, Any]) -> None:
    machine["States"]["Failed"]["Next"] = "Alert"


def expression_that_is_none(machine: dict[str, Any]) -> None:
    machine["States"]["Classify"]["Output"] = "{% $sift($states.result.Payload, %}"


MUTILATIONS = (
    *(dangling_next, dangling_catch, dangling_choice, dangling_default, dangling_next_in_a_branch),
    *(next_out_of_a_branch, missing_start, start_at_nothing, unreachable_state, no_way_on, unknown_type),
    *(task_without_a_resource, field_of_the_other_query_language, way_on_after_the_end),
    expression_that_is_none,
)


@pytest.mark.parametrize("mutilate", MUTILATIONS)
def test_a_mutilated_machine_is_refused(judge: Judge, mutilate: Callable[[dict[str, Any]], None]):
    machine = copy.deepcopy(DEFINITION)
    mutilate(machine)
    assert machine != DEFINITION
    assert judge.faults_of(machine)
