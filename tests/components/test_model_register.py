"""The register of a stack's models, and what empties it."""

from __future__ import annotations

import json

import pytest

from components.model_register import ModelRegister, ModelRegisterArgs
from components.parts.arguments import ArgumentError
from tests.components.stack import run_alone

ARGS: ModelRegisterArgs = {
    "group_name": "scones-Dev",
    "account_id": "123456789012",
    "region": "eu-west-1",
    "log_retention_days": 7,
}


def made(**more):
    return run_alone(lambda: ModelRegister("register", {**ARGS, **more}))


def test_versions_are_deleted_before_the_group_since_what_deletes_them_depends_on_it():
    found = made()
    emptied, group = found.named("register-emptied"), found.named("register-group")
    assert group.urn in emptied.dependencies and found.named("register-empty").urn in emptied.dependencies
    assert emptied.inputs["lifecycleScope"] == "CRUD"


@pytest.mark.parametrize("given", [{}, {"protect": True}, {"protect": False}])
def test_group_and_versions_are_protected_together(given):
    found, protected = made(**given), given.get("protect", True)
    assert {found.named(f"register-{each}").protected for each in ("emptied", "group")} == {protected}


def test_the_function_may_delete_versions_of_this_group_alone():
    policy = made().named("register-empty-policy").inputs["policy"]
    (statement,) = [each for each in json.loads(policy)["Statement"] if each["Sid"] == "DeleteVersions"]
    place = "arn:aws:sagemaker:eu-west-1:123456789012:model-package"
    assert statement["Resource"] == [f"{place}/scones-Dev/*", f"{place}/scones-dev/*"]


def test_mistakes_come_out_together():
    with pytest.raises(ArgumentError) as caught:
        made(group_name="scones_dev", region="Ireland", log_retention_days=8)
    message = str(caught.value)
    assert all(f"{part} must be" in message for part in ("group_name", "region", "log_retention_days"))
    assert 'group_name must be 1 to 63 letters and digits with hyphens between them, got "scones_dev"' in message
