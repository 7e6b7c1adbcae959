"""The register hears that a model serves, on the stand-in of SageMaker and moto's S3."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from components.parts.registered_model import RegisterError, ToRegister, tell
from contract.evidence import to_document
from contract.register import RegisteredModel, Serving
from contract.versions import find, listed, register
from localcloud.sagemaker.server import SageMakerServer
from tests.contract.evidence_builders import evidence_of

EVIDENCE = evidence_of([*[(0.9, True)] * 500, *[(0.6, False)] * 100])
PLACE = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group"
DEV, PROD = f"{PLACE}/scones-dev", f"{PLACE}/scones-prod"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ALICE = "arn:aws:iam::000000000000:user/alice"
SERVING = {
    "job": "job-1",
    "artifact": "s3://own/models/job-1/output/model.tar.gz",
    "evidence": "s3://own/models/job-1/evidence.json",
}
PROMOTED = ToRegister(PROD, "image:1", 0.02, Serving("prod", NOON, ALICE), approve=True, origin=DEV)
OWN = ToRegister(DEV, "image:1", 0.02, Serving("dev", NOON, ALICE), approve=False, dataset="1f" * 32)


@pytest.fixture
def clients(monkeypatch):
    """Clients by service; the registers are empty."""
    server = SageMakerServer(aws_endpoint_url="http://127.0.0.1:9")
    address = server.start()
    with mock_aws(config={"core": {"passthrough": {"urls": ["http://127.0.0.1"]}}}):
        made = {
            "sagemaker": boto3.client("sagemaker", "us-east-1", endpoint_url=address),
            "s3": boto3.client("s3", "us-east-1"),
        }
        made["s3"].create_bucket(Bucket="own")
        for name in ("scones-dev", "scones-prod"):
            made["sagemaker"].create_model_package_group(ModelPackageGroupName=name)
        yield made.__getitem__
    server.stop()


def measured(clients) -> None:
    clients("s3").put_object(Bucket="own", Key="models/job-1/evidence.json", Body=json.dumps(to_document(EVIDENCE)))


def told(clients, entry: ToRegister, elsewhere=None) -> list[str]:
    """Tell the register; what was warned of."""
    warnings: list[str] = []
    tell(SERVING, entry, clients, elsewhere or clients, warn=warnings.append)
    return warnings


def test_a_model_of_one_s_own_is_registered_before_it_is_measured_and_not_approved(clients):
    assert told(clients, OWN) == []
    (version,) = listed(clients("sagemaker"), DEV)
    assert version.model == RegisteredModel("job-1", "image:1", SERVING["artifact"], dataset="1f" * 32)
    assert version.served == (OWN.serving,) and version.status == "PendingManualApproval"


def test_a_promotion_is_approved_and_told_in_both_registers(clients):
    measured(clients)
    trained = RegisteredModel("job-1", "image:1", "s3://dev/model", "1f" * 32, NOON, {"epochs": "30"})
    register(clients("sagemaker"), DEV, trained)
    assert told(clients, PROMOTED) == []
    there, here = (find(clients("sagemaker"), group, "job-1") for group in (DEV, PROD))
    assert there and here
    for version in (there, here):
        assert version.status == "Approved" and version.served == (PROMOTED.serving,)
        assert version.note == f"promoted to the stack prod, 2026-11-25 12:00 UTC, by {ALICE}"
    assert here.model.artifact == SERVING["artifact"] and there.model.artifact == "s3://dev/model"
    assert here.model.measured and here.model.measured.photos == 600
    assert (here.model.trained, here.model.hyperparameters) == (NOON, {"epochs": "30"})


def test_the_figures_of_an_evaluation_stay_until_there_is_another_one(clients):
    measured(clients)
    told(clients, replace(OWN, target_risk=0.1))
    before = find(clients("sagemaker"), DEV, "job-1")
    told(clients, OWN)
    assert find(clients("sagemaker"), DEV, "job-1") == before
    other = evidence_of([*[(0.9, True)] * 100, *[(0.6, False)] * 100])
    clients("s3").put_object(Bucket="own", Key="models/job-1/evidence.json", Body=json.dumps(to_document(other)))
    told(clients, OWN)
    after = find(clients("sagemaker"), DEV, "job-1")
    assert before and before.model.measured and before.model.measured.target == 0.1
    assert after and after.model.measured and (after.model.measured.photos, after.model.measured.target) == (200, 0.02)


def test_what_serves_already_changes_nothing(clients):
    told(clients, OWN)
    later = replace(OWN, serving=Serving("dev", NOON.replace(hour=13), "somebody"))
    told(clients, later)
    (version,) = listed(clients("sagemaker"), DEV)
    assert version.served == (OWN.serving,)


def test_a_register_of_another_account_that_refuses_is_a_warning_and_one_s_own_is_told(clients):
    measured(clients)

    def refused(service: str):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "ListModelPackages")

    (warning,) = told(clients, PROMOTED, elsewhere=refused)
    assert warning.startswith(f"the register {DEV} is not told that job-1 serves in prod") and "not you" in warning
    assert [each.status for each in listed(clients("sagemaker"), PROD)] == ["Approved"]


def test_a_model_that_the_other_register_does_not_hold_is_a_warning(clients):
    measured(clients)
    (warning,) = told(clients, PROMOTED)
    assert warning == f"the register {DEV} does not hold job-1: it was evaluated before there was one"


def test_without_one_s_own_register_the_deployment_fails_and_says_why(clients):
    clients("sagemaker").delete_model_package_group(ModelPackageGroupName="scones-dev")
    with pytest.raises(
        RegisterError, match=r"serves job-1, but the register .* does not exist.* Run `pulumi up` again"
    ):
        told(clients, OWN)


def test_evidence_of_another_model_is_not_registered_as_this_one_s(clients):
    other = json.dumps(to_document(replace(EVIDENCE, model="job-2")))
    clients("s3").put_object(Bucket="own", Key="models/job-1/evidence.json", Body=other)
    with pytest.raises(RegisterError, match="must be of the model job-1, got job-2"):
        told(clients, OWN)
