"""The calls to SageMaker's Model Registry: a version a model, however often it is registered.

A group is named by its ARN, which tells its account and region; a client must be of that region.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from contract.evidence import EvidenceError, parse_evidence
from contract.register import (
    APPROVED,
    FIGURES,
    PENDING,
    RegisteredModel,
    Serving,
    Version,
    measured_by,
    properties_of,
    serving_now,
    serving_property,
    version_of,
)

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

CONTENT_TYPES = ("image/png", "image/jpeg", "application/x-image")
ANSWER_TYPES = ("application/json",)
Done = Literal["registered", "updated", "unchanged"]


def listed(client: SageMakerClient, group: str) -> list[Version]:
    """Every version of a register, the newest first."""
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    found = [version_of(client.describe_model_package(ModelPackageName=arn)) for arn in arns]
    return sorted(found, key=lambda version: -version.number)


def find(client: SageMakerClient, group: str, job: str) -> Version | None:
    """The version of a model; None when it is not in the register."""
    return next((version for version in listed(client, group) if version.model.job == job), None)


def register(client: SageMakerClient, group: str, model: RegisteredModel) -> tuple[Version, Done]:
    """Put a model into the register, or what is new about it: a model has one version, whoever registers it.

    What the register knows and `model` leaves out stays; new figures replace the old ones as a whole.

    Args:
        client: SageMaker in the group's region.
        group: the group's ARN, or its name.
        model: what is known now.

    Raises:
        UserError: something of it is longer than AWS takes.
    """
    there, new = find(client, group, model.job), properties_of(model)
    if there is None:
        answer = client.create_model_package(
            ModelPackageGroupName=group,
            ModelPackageDescription=f"training job {model.job}",
            InferenceSpecification={
                "Containers": [{"Image": model.image, "ModelDataUrl": model.artifact}],
                "SupportedContentTypes": list(CONTENT_TYPES),
                "SupportedResponseMIMETypes": list(ANSWER_TYPES),
            },
            ModelApprovalStatus=PENDING,
            CustomerMetadataProperties=new,
        )
        return version_of(client.describe_model_package(ModelPackageName=answer["ModelPackageArn"])), "registered"
    before = _properties(client, there)
    kept = {name: value for name, value in before.items() if not (model.measured and name in FIGURES)}
    wanted = kept | new
    if wanted == before:
        return there, "unchanged"
    return _update(client, there, wanted, gone=before.keys() - wanted.keys()), "updated"


def note_serving(
    client: SageMakerClient, group: str, job: str, serving: Serving, *, approve: bool = False
) -> Version | None:
    """Note that a model began to serve in a stack, and by whom; nothing changes when it is said to serve already.

    Args:
        client: SageMaker in the group's region.
        group: the group's ARN, or its name.
        job: the model's training job.
        serving: where, since when, and by whom.
        approve: whether that approves the version, as a promotion does.

    Returns:
        The version; None when the register holds no such model.
    """
    versions = listed(client, group)
    there = next((version for version in versions if version.model.job == job), None)
    if there is None:
        return None
    told = serving_now(versions).get(serving.stack) is there
    if told and (there.status == APPROVED or not approve):
        return there
    wanted = {**_properties(client, there), **({} if told else serving_property(serving))}
    when = f"{serving.at:%Y-%m-%d %H:%M %Z}".strip()
    note = f"promoted to the stack {serving.stack}, {when}, by {serving.by}"[:1024] if approve else there.note
    return _update(client, replace(there, status=APPROVED if approve else there.status, note=note), wanted)


def model_of(
    client: SageMakerClient,
    job: str,
    *,
    artifact: str,
    image: str,
    dataset: str,
    evidence: bytes | None,
    evidence_uri: str,
    target: float,
) -> RegisteredModel:
    """A model as its training job and its evidence tell it.

    Args:
        client: SageMaker where the job ran.
        job: its name; one of another account, or that was deleted, says nothing.
        artifact: `s3://` address of the model.tar.gz.
        image: the algorithm's image, where the job does not say it.
        dataset: the identity of the dataset, where the evidence does not say it.
        evidence: the evidence.json; None before the model was evaluated.
        evidence_uri: where that is.
        target: the share of accepted photos that may be wrong.

    Raises:
        EvidenceError: it is of another version, or of another model.
    """
    described = _training_job(client, job)
    parsed = None if evidence is None else parse_evidence(evidence, evidence_uri)
    if parsed and parsed.model != job:
        raise EvidenceError(f"the evidence in {evidence_uri} must be of the model {job}, got {parsed.model}")
    return RegisteredModel(
        job=job,
        image=described.get("AlgorithmSpecification", {}).get("TrainingImage") or image,
        artifact=artifact,
        dataset=parsed.dataset if parsed and parsed.dataset else dataset,
        trained=described.get("TrainingEndTime"),
        hyperparameters=described.get("HyperParameters", {}),
        measured=measured_by(parsed, evidence, evidence_uri, target) if parsed and evidence else None,
    )


def _training_job(client: SageMakerClient, name: str) -> Mapping[str, Any]:
    try:
        return client.describe_training_job(TrainingJobName=name)
    except client.exceptions.ClientError as error:
        if "not found" in str(error) or "Could not find" in str(error):
            return {}
        raise


def remove(client: SageMakerClient, version: Version) -> None:
    """Delete a version."""
    client.delete_model_package(ModelPackageName=version.arn)


def _properties(client: SageMakerClient, version: Version) -> dict[str, str]:
    description: Mapping[str, Any] = client.describe_model_package(ModelPackageName=version.arn)
    return dict(description.get("CustomerMetadataProperties") or {})


def _update(
    client: SageMakerClient,
    version: Version,
    properties: Mapping[str, str],
    gone: Set[str] = frozenset(),
) -> Version:
    # all that is to stay is said again, so that it does not matter whether AWS merges
    said: dict[str, Any] = {"CustomerMetadataPropertiesToRemove": sorted(gone)} if gone else {}
    if version.note:
        said["ApprovalDescription"] = version.note
    client.update_model_package(
        ModelPackageArn=version.arn,
        ModelApprovalStatus=version.status,  # pyright: ignore[reportArgumentType]
        CustomerMetadataProperties=dict(properties),
        **said,
    )
    return version_of(client.describe_model_package(ModelPackageName=version.arn))
