"""An adapter takes what a program sends, and nothing that none does."""

from __future__ import annotations

from typing import cast

import pulumi
import pytest

import localcloud.adapters  # noqa: F401 (registers them)
from components.parts.promoted_model import PromotedModelArgs, promote
from components.parts.tags import tagged
from components.training_endpoint import TrainingEndpointArgs
from contract.errors import UserError
from localcloud.adapter import ADAPTERS
from localcloud.engine import adapter_of
from localcloud.registration import Registration
from tests.components.dataset import write_dataset
from tests.components.stack import ROOT, run, run_alone

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def promoted() -> None:
    """What a stack with `modelFrom` sends besides: its other stack need not be there."""
    above = pulumi.ComponentResource("test:index:Above", "model", None, tagged("TrainingEndpoint", None))
    model: PromotedModelArgs = {"job_name": "job", "artifact": "b/a", "evidence": "b/e", "evidence_etag": "e"}
    promote("model", model, cast("TrainingEndpointArgs", {"bucket": "bucket"}), above)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The inputs that any program sends, by resource type: both stacks, as their settings allow, and the example."""
    folder = tmp_path_factory.mktemp("sent")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    places = {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}
    runs = [
        run("dev", **places),
        run("prod", kmsKeyArn=KEY, **places),
        run("prod", endpointMode="serverless", capturePercentage=0, **places),
        run("dev", folder=ROOT / "examples/warehouse", layerPath=str(layer)),
        run_alone(promoted),
    ]
    found: dict[str, set[str]] = {}
    for resource in (each for one in runs for each in one.resources if each.custom):
        given = {key for key, value in resource.inputs.items() if value is not None}
        found.setdefault(resource.type, set()).update(given)
    return found


def test_there_is_an_adapter_for_every_type_that_a_program_registers_and_for_no_other(sent: dict[str, set[str]]):
    assert set(ADAPTERS) == set(sent)


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
def test_an_adapter_knows_the_inputs_that_a_program_sends_and_no_others(kind: str, sent: dict[str, set[str]]):
    assert {*ADAPTERS[kind].takes, *ADAPTERS[kind].ignores} == sent[kind]


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
def test_any_other_input_is_refused_by_name(kind: str):
    resource = Registration("urn::a", kind, "a", "", True, {"colour": "red", "name": None}, ())
    with pytest.raises(UserError, match=r"urn::a: the local cloud's adapter of .* does not know colour"):
        adapter_of(resource)


def test_what_an_adapter_leaves_out_it_says_why():
    reasons = [reason for each in ADAPTERS.values() for reason in each.ignores.values()]
    assert len(reasons) > 5 and all(len(reason.split()) > 3 for reason in reasons)
