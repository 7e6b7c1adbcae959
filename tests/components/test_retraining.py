"""The build that a drift starts: what it may do, what starts it, and that its source runs by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.retraining import PACKAGES, Retraining, buildspec, source_archive
from components.settings import SettingsError
from contract.outputs import parse_outputs
from contract.retraining import parse_plan
from localcloud.archives import archive_files
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.stack import ROOT, Found, run
from tests.components.test_settings import settings

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DEPLOYS = ("CreateEndpoint", "UpdateEndpoint", "DeleteEndpoint", "CreateFunction", "UpdateFunction", "PutObjectAcl")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("retraining")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    return {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}


@pytest.fixture(scope="module")
def found(places: dict[str, str]) -> Found:
    return run("dev", retrainOnDrift=True, trainingMaxMinutes=90, kmsKeyArn=KEY, **places)


def rights(found: Found, role: str) -> dict[str, Mapping[str, Any]]:
    document = json.loads(found.named(f"{role}-policy").inputs["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_it_is_there_only_where_a_drift_retrains(places: dict[str, str]) -> None:
    without = run("dev", **places)
    assert not without.of("Project") and without.outputs["retraining"] == {}
    assert not [each for each in without.resources if each.name.startswith("retraining")]


def test_the_drift_event_starts_one_build_at_a_time_with_its_time_and_id(found: Found) -> None:
    rule, target = found.named("retraining-drift").inputs, found.named("retraining-drift-target").inputs
    assert json.loads(rule["eventPattern"]) == {"source": ["scones.monitoring"], "detail-type": ["DriftDetected"]}
    assert rule["eventBusName"] == target["eventBusName"] == found.outputs["eventBusName"]
    (project,) = found.of("Project")
    assert project.inputs["concurrentBuildLimit"] == 1 and project.inputs["buildTimeout"] == 90 + 180
    transformer = target["inputTransformer"]
    given = json.loads(transformer["inputTemplate"])["environmentVariablesOverride"]
    assert given == [{"name": "BECAUSE", "value": "the model drifted (<time>, event <id>)", "type": "PLAINTEXT"}]
    assert transformer["inputPaths"] == {"time": "$.detail.time", "id": "$.id"}


def test_the_rule_may_start_this_project_and_nothing_else(found: Found) -> None:
    (only,) = rights(found, "retraining-start-role").values()
    assert only["Action"] == ["codebuild:StartBuild"]
    assert only["Resource"] == ["arn:aws:codebuild:us-east-1:123456789012:project/scones-dev-retraining"]


def test_the_build_may_train_and_tell_and_deploy_nothing(found: Found) -> None:
    allowed = rights(found, "retraining-build-role")
    actions = {action for each in at_least_one(allowed.values()) for action in each["Action"]}
    assert not [action for action in actions if action.partition(":")[2].startswith(DEPLOYS)]
    assert allowed["PassRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    (role,) = allowed["PassRole"]["Resource"]
    assert role == found.outputs["retraining"]["role_arn"]
    assert allowed["Train"]["Resource"] == ["arn:aws:sagemaker:us-east-1:123456789012:training-job/scones-dev-*"]
    written = [arn.partition("/")[2] for arn in allowed["WriteObjects"]["Resource"]]
    assert written == ["dataset/*", "models/*"]
    assert not [arn for each in allowed.values() for arn in each["Resource"] if "incoming" in arn]


def test_what_it_runs_from_is_the_stack_s_outputs(found: Found) -> None:
    held = found.named("retraining-outputs").inputs
    assert held["key"] == "retraining/outputs.json"
    outputs = parse_outputs(json.loads(held["content"]))
    plan = parse_plan(outputs.retraining)
    assert (plan.stack, plan.max_minutes, plan.spot, plan.kms_key_arn) == ("dev", "90", "true", KEY)
    assert outputs.bucket == found.outputs["bucket"] and outputs.retraining == found.outputs["retraining"]


def test_its_log_has_a_period_and_a_customer_s_key_encrypts(found: Found) -> None:
    group, (project,) = found.named("retraining-logs").inputs, found.of("Project")
    assert group["retentionInDays"] == 7 and group["kmsKeyId"] == KEY == project.inputs["encryptionKey"]
    assert project.inputs["logsConfig"]["cloudwatchLogs"]["groupName"] == group["name"]
    assert project.inputs["environment"]["privilegedMode"] is False


def test_the_source_holds_the_command_and_runs_without_the_rest_of_the_repository(tmp_path: Path) -> None:
    files = archive_files(source_archive(), ROOT)
    assert {path.partition("/")[0] for path in files} == {*PACKAGES, "requirements.txt"}
    assert not [path for path in files if "__pycache__" in path or path.endswith(".pyc")]
    for path, data in files.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    program = "import operations.retrain.command, operations.retrain.steps, sys; print(operations.__file__)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(tmp_path / "operations/__init__.py")


def test_packages_are_installed_by_hash_and_a_failure_before_the_command_is_told() -> None:
    phases = json.loads(buildspec())["phases"]
    assert phases["install"]["commands"] == ["python -m pip install --require-hashes -r requirements.txt"]
    (finally_,) = phases["install"]["finally"]
    assert "aws sns publish" in finally_ and phases["install"]["on-failure"] == "ABORT"
    (command,) = phases["build"]["commands"]
    assert command == 'python -m operations retrain --outputs "$OUTPUTS" --because "$BECAUSE"'


def test_a_training_that_lasts_longer_than_a_build_may_is_refused() -> None:
    with pytest.raises(SettingsError, match="trainingMaxMinutes must be at most 1980 where retrainOnDrift is true"):
        settings("dev", trainingMaxMinutes=2000, retrainOnDrift="true")
    assert settings("dev", trainingMaxMinutes=2000, retrainOnDrift="false").retraining == {}
    with pytest.raises(ValueError, match="max_minutes must be a whole number from 5 to 1980"):
        Retraining("retraining", {"max_minutes": 2000})  # type: ignore[typeddict-item]
