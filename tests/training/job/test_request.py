"""A job beside the program's is asked for as the program asks for its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.adapter import pascal
from localcloud.adapters.sagemaker import NAMES
from tests.components.dataset import write_dataset
from tests.components.stack import run
from training.dataset.manifest import read_manifest
from training.job.request import JobPlan, training_request

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, ""),
        ({"trainingSpot": False, "trainingInstanceType": "ml.p3.2xlarge", "kmsKeyArn": KEY}, KEY),
        ({"trainingRecipe": "transfer", "kmsKeyArn": KEY, "trainingMaxMinutes": 90}, KEY),
    ],
)
@pytest.mark.parametrize("format", ["recordio", "image"])
def test_it_is_the_request_of_the_program(tmp_path: Path, settings: dict[str, object], key: str, format: str) -> None:
    folder = write_dataset(tmp_path / "dataset", format=format)
    layer = tmp_path / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    found = run("dev", datasetDir=str(folder), layerPath=str(layer), **settings)
    (job,) = found.of("TrainingJob")
    inputs = {key: value for key, value in job.inputs.items() if value is not None and key != "timeouts"}
    hyperparameters, tags = inputs.pop("hyperParameters"), inputs.pop("tags")
    wanted = pascal(inputs, NAMES) | {"HyperParameters": hyperparameters}
    wanted["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    plan = JobPlan(
        bucket=found.outputs["bucket"],
        role_arn=inputs["roleArn"],
        image_uri=inputs["algorithmSpecification"]["trainingImage"],
        instance_type=inputs["resourceConfig"]["instanceType"],
        spot=inputs["enableManagedSpotTraining"],
        max_minutes=int(inputs["stoppingCondition"]["maxRuntimeInSeconds"]) // 60,
        kms_key_arn=key,
    )
    made = training_request(job.inputs["trainingJobName"], read_manifest(folder), hyperparameters, plan, tags)
    assert json.loads(json.dumps(made)) == json.loads(json.dumps(wanted))
