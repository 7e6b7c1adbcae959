"""dev trains and is evaluated, prod is refused and then serves the same model: the real program on the emulators."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from contract.errors import UserError
from contract.evidence import parse_evidence
from contract.prefixes import BASELINE_FILE, CARD_FILE, MODELS
from contract.promotion import lowest_named
from contract.versions import find
from localcloud.cloud import Cloud
from localcloud.deployment import Deployment, Listener, connect, deploy, environment_of, shut_down
from localcloud.photos import Classification, Photo
from localcloud.promotion import artifact_of
from tests.localcloud.local_stack import REPOSITORY, write_root


def up(root: Path, stack: str, **settings: str) -> Deployment:
    return deploy(root, stack, settings, Listener())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = write_root(tmp_path_factory.mktemp("promotion"), train=150, test=400)
    up(made, "dev")
    yield made
    shut_down(made)


def _read(cloud: Cloud, bucket: str, key: str) -> bytes:
    return cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def test_prod_serves_dev_s_model_only_once_it_is_measured_and_at_a_threshold_that_is_supported(root: Path) -> None:
    with pytest.raises(UserError, match=r"scones:requireEvidence: the model .* has no evidence"):
        up(root, "prod")
    cloud, dev = connect(root, "dev")
    words = ["training", "evaluate", "--dataset", "build/dataset", "--output", "build/evaluation", "--upload-evidence"]
    environment = {**environment_of(cloud), "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-m", *words], cwd=root, env=environment, check=True, capture_output=True)
    evidence = (root / "build/evaluation/evidence.json").read_bytes()
    measured = parse_evidence(evidence)
    named = lowest_named(measured, 0.05)
    assert named is not None, "the drawn photos should support some threshold for 5 %"

    with pytest.raises(UserError, match=f"scones:confidenceThreshold must be {named:g} or more"):
        up(root, "prod", targetRiskPercent="5", confidenceThreshold="0.34")
    bays = json.dumps({"motorcycle": "1", "bicycle": "2"})
    with pytest.raises(UserError, match="scones:classes must be the classes of the model of stack dev"):
        up(root, "prod", classes='["motorcycle", "bicycle"]', loadingBays=bays)
    with pytest.raises(UserError, match="the stack prod is not up"):
        connect(root, "prod")

    prod = up(root, "prod", targetRiskPercent="5", confidenceThreshold=f"{named:g}")
    there, _ = connect(root, "prod")
    assert not [kind for kind in prod.resources if "TrainingJob" in kind]
    # what names the model that serves, and what a retraining runs from: no dataset
    assert prod.resources["aws:s3/bucketObject:BucketObject"] == 3
    assert prod.outputs["trainingJobName"] == dev.outputs["trainingJobName"]
    assert prod.outputs["bucket"] != dev.outputs["bucket"]
    assert artifact_of(there, prod) == artifact_of(cloud, dev)
    sagemaker, job = cloud.client("sagemaker"), dev.outputs["trainingJobName"]
    trained, promoted = (find(sagemaker, each.outputs["modelPackageGroup"], job) for each in (dev, prod))
    assert trained and promoted and trained.status == promoted.status == "Approved"
    assert [each.stack for each in trained.served] == ["dev", "prod"]
    assert [(each.stack, each.by) for each in promoted.served] == [("prod", "arn:aws:iam::000000000000:root")]
    assert trained.model.measured and trained.model.measured.digest == sha256(evidence).hexdigest()
    assert promoted.model.hyperparameters == trained.model.hyperparameters and "epochs" in trained.model.hyperparameters
    left = {
        key: _read(cloud, str(prod.outputs["bucket"]), key) for key in (BASELINE_FILE, f"{MODELS}{job}/{CARD_FILE}")
    }
    assert left == {key: (root / "build/evaluation" / key.rpartition("/")[2]).read_bytes() for key in left}
    photo = next((root / "build/dataset/test").glob("bicycle/*.png"))
    (result,) = Classification(there, prod).run([Photo(photo)], lambda _: None)
    assert result.decision != "fault" and result.confidence is not None
