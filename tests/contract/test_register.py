"""A model in the register, as SageMaker keeps it."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from contract.errors import UserError
from contract.evidence import to_document
from contract.register import (
    LONGEST_VALUE,
    MOST_PROPERTIES,
    PLAIN,
    RegisteredModel,
    Serving,
    measured_by,
    properties_of,
    region_of,
    serving_now,
    version_of,
)
from contract.versions import find, listed, note_serving, register
from tests.assertions import at_least_one
from tests.contract.evidence_builders import evidence_of, photo_lists

GROUP = "scones-dev"
EVIDENCE = evidence_of([*[(0.9, True)] * 500, *[(0.6, False)] * 100])
CONTENT = json.dumps(to_document(EVIDENCE)).encode()
MEASURED = measured_by(EVIDENCE, CONTENT, "s3://b/models/job-1/evidence.json", 0.02)
TRAINED = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
MODEL = RegisteredModel(
    job="job-1",
    image="811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
    artifact="s3://b/models/job-1/output/model.tar.gz",
    dataset="0" * 64,
    trained=TRAINED,
    hyperparameters={"image_shape": "3,32,32", "num_layers": "18"},
    measured=MEASURED,
)
ALICE = "arn:aws:sts::123456789012:assumed-role/Deployer/alice"
TAKEN = set(string.ascii_letters + string.digits + PLAIN + "=")


def described(model: RegisteredModel) -> dict[str, object]:
    """What SageMaker tells of a version of a model."""
    return {
        "ModelPackageVersion": 1,
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/scones-dev/1",
        "CreationTime": TRAINED,
        "InferenceSpecification": {"Containers": [{"Image": model.image, "ModelDataUrl": model.artifact}]},
        "CustomerMetadataProperties": properties_of(model),
    }


def serving(stack: str, day: int, by: str = ALICE) -> Serving:
    return Serving(stack, datetime(2026, 11, day, 12, tzinfo=UTC), by)


@pytest.fixture
def client():
    with mock_aws():
        made = boto3.client("sagemaker", region_name="us-east-1")
        made.create_model_package_group(ModelPackageGroupName=GROUP)
        yield made


def test_the_headline_figures_are_those_of_the_evidence():
    assert (MEASURED.photos, MEASURED.right, MEASURED.accuracy) == (600, 500, 500 / 600)
    assert (MEASURED.supported, MEASURED.accepts, MEASURED.recommended) == (0.9, 500, 0.9)
    assert measured_by(EVIDENCE, CONTENT, MEASURED.evidence, 0.0001).supported is None


@given(photo_lists)
def test_as_many_are_right_as_were(photos):
    measured = measured_by(evidence_of(photos), b"", "s3://b/k", 0.02)
    assert (measured.right, measured.photos) == (sum(right for _, right in photos), len(photos))


def test_a_model_comes_back_from_its_version_as_it_was():
    assert version_of(described(MODEL)).model == MODEL
    bare = RegisteredModel("job-2", "image", "s3://b/k")
    assert version_of(described(bare)).model == bare


def test_a_version_that_somebody_made_by_hand_is_listed_with_what_is_known():
    version = version_of({**described(MODEL), "CustomerMetadataProperties": None, "InferenceSpecification": None})
    assert version.model == RegisteredModel("", "", "") and version.served == ()


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(min_size=1, max_size=20)))
def test_no_text_of_a_hyperparameter_is_lost_or_refused_by_aws(texts):
    model = RegisteredModel("job-1", "image", "s3://b/k", hyperparameters=texts)
    assert all(set(value) <= TAKEN for value in at_least_one(properties_of(model).values()))
    assert version_of(described(model)).model.hyperparameters == texts


def test_what_is_longer_than_aws_takes_is_refused_by_name_and_who_deployed_is_shortened():
    with pytest.raises(UserError, match=r"hyperparameter\.x must have at most 256 characters, got 300"):
        properties_of(RegisteredModel("j", "i", "a", hyperparameters={"x": "y" * 300}))
    many = {str(number): "1" for number in range(MOST_PROPERTIES)}
    with pytest.raises(UserError, match="at most 50 properties, got 51"):
        properties_of(RegisteredModel("j", "i", "a", hyperparameters=many))


def test_a_model_is_registered_once_and_waits_for_approval(client):
    version, done = register(client, GROUP, MODEL)
    assert (version.number, version.status, version.model, done) == (1, "PendingManualApproval", MODEL, "registered")
    again, done = register(client, GROUP, MODEL)
    assert (again, done) == (version, "unchanged")
    assert [each.number for each in listed(client, GROUP)] == [1]


def test_an_evaluation_that_says_something_else_replaces_the_figures_and_keeps_the_rest(client):
    register(client, GROUP, MODEL)
    stricter = measured_by(EVIDENCE, CONTENT, MEASURED.evidence, 0.0001)
    version, done = register(client, GROUP, RegisteredModel("job-1", MODEL.image, MODEL.artifact, measured=stricter))
    assert done == "updated" and version.model.measured == stricter
    assert version.model.hyperparameters == MODEL.hyperparameters and version.model.trained == TRAINED
    unmeasured, done = register(client, GROUP, RegisteredModel("job-1", MODEL.image, MODEL.artifact))
    assert done == "unchanged" and unmeasured.model.measured == stricter


def test_a_model_registered_before_it_was_measured_gets_its_figures_later(client):
    register(client, GROUP, RegisteredModel("job-1", MODEL.image, MODEL.artifact, hyperparameters={"epochs": "3"}))
    version, done = register(client, GROUP, RegisteredModel("job-1", "", "", measured=MEASURED))
    assert done == "updated" and version.model.measured == MEASURED
    assert version.model.hyperparameters == {"epochs": "3"} and version.model.image == MODEL.image


def test_a_promotion_approves_the_version_and_says_where_when_and_by_whom(client):
    register(client, GROUP, MODEL)
    version = note_serving(client, GROUP, "job-1", serving("prod", 25), approve=True)
    assert version and version.status == "Approved" and version.served == (serving("prod", 25),)
    assert version.note == f"promoted to the stack prod, 2026-11-25 12:00 UTC, by {ALICE}"
    assert version.model == MODEL
    assert find(client, GROUP, "job-1") == version


def test_a_deployment_of_the_stack_s_own_is_noted_and_approves_nothing(client):
    register(client, GROUP, MODEL)
    version = note_serving(client, GROUP, "job-1", serving("dev", 25))
    assert version and version.status == "PendingManualApproval" and version.served == (serving("dev", 25),)


def test_a_model_that_serves_already_keeps_the_time_at_which_it_began(client):
    register(client, GROUP, MODEL)
    note_serving(client, GROUP, "job-1", serving("prod", 25), approve=True)
    again = note_serving(client, GROUP, "job-1", serving("prod", 26, "somebody"), approve=True)
    assert again and again.served == (serving("prod", 25),) and ALICE in again.note


def test_a_model_to_which_a_stack_goes_back_serves_there_again(client):
    for job in ("job-1", "job-2"):
        register(client, GROUP, RegisteredModel(job, MODEL.image, f"s3://b/models/{job}/output/model.tar.gz"))
    for day, job in ((23, "job-1"), (24, "job-2")):
        note_serving(client, GROUP, job, serving("dev", day))
    assert serving_now(listed(client, GROUP))["dev"].model.job == "job-2"
    note_serving(client, GROUP, "job-1", serving("dev", 25))
    assert serving_now(listed(client, GROUP))["dev"].model.job == "job-1"


def test_an_evaluation_keeps_where_a_model_was_promoted_and_its_approval(client):
    register(client, GROUP, RegisteredModel("job-1", MODEL.image, MODEL.artifact))
    promoted = note_serving(client, GROUP, "job-1", serving("prod", 25), approve=True)
    version, _ = register(client, GROUP, MODEL)
    assert promoted and (version.status, version.note, version.served) == ("Approved", promoted.note, promoted.served)


def test_a_model_that_the_register_does_not_hold_is_no_error(client):
    assert note_serving(client, GROUP, "job-9", serving("prod", 25)) is None


def test_whoever_deploys_by_a_very_long_name_is_named_by_its_end(client):
    register(client, GROUP, MODEL)
    long = serving("prod", 25, f"arn:aws:iam::123456789012:user/{'division/' * 40}alice")
    version = note_serving(client, GROUP, "job-1", long)
    assert version and version.served[0].by == "alice"
    kept = client.describe_model_package(ModelPackageName=version.arn)["CustomerMetadataProperties"]
    assert max(map(len, kept.values())) <= LONGEST_VALUE


def test_a_group_s_region_is_told_by_its_arn():
    assert region_of("arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/scones-dev") == "eu-west-1"
    assert region_of("scones-dev") == ""
