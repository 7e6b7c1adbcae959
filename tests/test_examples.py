"""The example is a program that another team could run: it registers, with its own classes and endpoint."""

from __future__ import annotations

import json

import pytest

from localcloud.planning import ACCOUNT
from tests.components.stack import ROOT, Found, run

WAREHOUSE = ROOT / "examples/warehouse"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Found:
    layer = tmp_path_factory.mktemp("layer") / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    return run("dev", folder=WAREHOUSE, layerPath=str(layer))


def test_it_takes_three_components_and_trains_nothing(warehouse: Found) -> None:
    kinds = {resource.type for resource in warehouse.resources}
    taken = {kind.rpartition(":")[2] for kind in kinds if kind.startswith("scones:components:")}
    assert taken == {"DataBucket", "ClassificationWorkflow", "BatchClassification"}
    assert not [kind for kind in kinds if "sagemaker" in kind or kind == "scones:components:TrainingEndpoint"]


def test_its_functions_know_its_classes_its_ramps_and_its_threshold(warehouse: Found) -> None:
    variables = warehouse.named("ramp-filter").inputs["environment"]["variables"]
    assert json.loads(variables["CLASSES"]) == ["parcel", "pallet", "roll_container"]
    assert json.loads(variables["LOADING_BAYS"])["pallet"] == "ramp B"
    assert float(variables["CONFIDENCE_THRESHOLD"]) == 0.9


def test_its_classify_function_may_ask_its_endpoint_and_about_it_and_no_other(warehouse: Found) -> None:
    policies = {r.name: json.loads(r.inputs["policy"]) for r in warehouse.of("RolePolicy")}
    allowed = [
        (name, action, resource)
        for name, policy in policies.items()
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith("sagemaker:")
    ]
    endpoint = f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:endpoint/ramp-camera"
    assert allowed == [
        ("ramp-classify-policy", "sagemaker:InvokeEndpoint", endpoint),
        ("ramp-classify-policy", "sagemaker:DescribeEndpoint", endpoint),
    ]


def test_its_archive_is_classified_by_its_own_functions(warehouse: Found) -> None:
    machine = warehouse.named("archive-machine").inputs
    (state,) = json.loads(machine["definition"])["States"].values()
    assert state["MaxConcurrency"] == 50
    invoked = state["ItemProcessor"]["States"]["Serialize"]["Arguments"]["FunctionName"]
    assert invoked.startswith(f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:ramp-serialize")


def test_no_policy_names_something_unknown(warehouse: Found) -> None:
    policies = [r.inputs["policy"] for r in warehouse.resources if "policy" in r.inputs]
    assert len(policies) >= 6
    assert not [policy for policy in policies if "None" in str(policy)]


def test_its_resources_are_tagged_as_its_own(warehouse: Found) -> None:
    tags = warehouse.named("photos-bucket").inputs["tags"]
    assert tags == {"project": "warehouse", "stack": "dev", "component": "DataBucket"}
