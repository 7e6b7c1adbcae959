"""A model of another stack: its artifact, and the evidence of it, copied into the stack's own bucket.

The copy is what makes the stack stand alone: the other one may train anew, or go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict

import pulumi
from pulumi_aws import s3

from components.parts.model_source import ModelSource
from contract import prefixes

if TYPE_CHECKING:
    from components.training_endpoint import TrainingEndpointArgs


class PromotedModelArgs(TypedDict):
    """Which model of another stack is served; `contract.promotion` says whether it may be."""

    job_name: str
    """The training job that made it."""
    artifact: str
    """`BUCKET/KEY` of its model.tar.gz."""
    evidence: NotRequired[str | None]
    """`BUCKET/KEY` of its evidence; none is copied without it."""
    evidence_etag: NotRequired[str]
    """The evidence that was looked at: another one there is an error, and a new one is copied anew."""
    beside: NotRequired[Mapping[str, str]]
    """What else an evaluation left in the folder of the evidence, and is copied with it: file -> e-tag."""
    register: NotRequired[str]
    """ARN of the other stack's register, which is told where its model serves."""
    materials: NotRequired[str]
    """`BUCKET/KEY` of what it was made of; copied where models are trained beside it."""


class BaselineArgs(TypedDict):
    """The baseline of a model that was measured before it serves here."""

    source: str
    """`BUCKET/KEY`."""
    etag: str
    """Of the one that was looked at: another one there is an error, and a new one is copied anew."""


def promote(name: str, promoted: PromotedModelArgs, args: TrainingEndpointArgs, parent: pulumi.Resource) -> ModelSource:
    """Copy a model of another stack.

    Whoever deploys needs s3:GetObject on the other bucket (in another account also by that bucket's policy), and
    kms:Decrypt where a customer's key encrypts it. What is written is encrypted as the stack's own bucket says.

    Args:
        name: what the resources' names begin with.
        promoted: which one.
        args: the component's.
        parent: the component.
    """
    folder = f"{prefixes.MODELS}{promoted['job_name']}/"
    # kept, since the model that a roll-back returns to is made of it
    opts = pulumi.ResourceOptions(parent=parent, retain_on_delete=True)
    artifact = s3.ObjectCopy(
        f"{name}-artifact",
        bucket=args["bucket"],
        key=folder + prefixes.ARTIFACT_FILE,
        source=promoted["artifact"],
        # our own tags: those of the other stack are not copied, nor is the right to read them needed
        tagging_directive="REPLACE",
        opts=opts,
    )
    evidence = promoted.get("evidence")
    if evidence:
        s3.ObjectCopy(
            f"{name}-evidence",
            bucket=args["bucket"],
            key=folder + prefixes.EVIDENCE_FILE,
            source=evidence,
            copy_if_match=promoted.get("evidence_etag"),
            tagging_directive="REPLACE",
            opts=opts,
        )
        left = evidence.removesuffix(prefixes.EVIDENCE_FILE)
        for file, etag in promoted.get("beside", {}).items():
            s3.ObjectCopy(
                f"{name}-{file.partition('.')[0]}",
                bucket=args["bucket"],
                key=folder + file,
                source=left + file,
                copy_if_match=etag,
                tagging_directive="REPLACE",
                opts=opts,
            )
    materials = promoted.get("materials")
    if materials and args.get("retrains"):
        s3.ObjectCopy(
            f"{name}-materials",
            bucket=args["bucket"],
            key=folder + prefixes.MATERIALS_FILE,
            source=materials,
            tagging_directive="REPLACE",
            opts=opts,
        )
    place = pulumi.Output.concat("s3://", artifact.bucket, "/")
    return ModelSource(
        job_name=pulumi.Output.from_input(promoted["job_name"]),
        artifact=pulumi.Output.concat(place, artifact.key),
        evidence=pulumi.Output.concat(place, folder, prefixes.EVIDENCE_FILE),
        chosen=True,
        origin=promoted.get("register", ""),
    )


def put_baseline(name: str, baseline: BaselineArgs, *, bucket: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Copy the baseline of a model that was measured before it serves here, so that its drift is known at once.

    It stays when the model goes, or another one's, which is at the same place by then, would go with it.

    Args:
        name: what the resource's name begins with.
        baseline: what an evaluation left beside the model.
        bucket: the stack's own.
        parent: the component.
    """
    s3.ObjectCopy(
        f"{name}-baseline",
        bucket=bucket,
        key=prefixes.BASELINE_FILE,
        source=baseline["source"],
        copy_if_match=baseline["etag"],
        tagging_directive="REPLACE",
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )
