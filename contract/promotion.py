"""What makes a model fit to be served: whose it is, and what its evidence must say of it.

A stack takes a model from another one by that stack's outputs, and `pulumi up` holds its evidence against the
stack's own settings before anything is created.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from contract.errors import UserError
from contract.evidence import LEVEL, Evidence
from contract.names import setting
from contract.outputs import OUTPUT_NAMES, StackOutputs
from contract.prefixes import ARTIFACT_FILE, EVIDENCE_FILE, MODELS
from contract.thresholds import is_threshold

DECIMALS = 4
"""Of a threshold that is named to people: what can be read and configured."""
NEEDED = ("training_job_name", "model_artifact", "evidence_uri", "labels", "image_size")
"""The outputs that say which model a stack serves."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model that a stack serves, as its outputs tell."""

    stack: str
    name: str
    """The training job."""
    artifact: str
    """`s3://` address of its model.tar.gz."""
    evidence: str
    """`s3://` address where its evidence is, once it was evaluated."""
    labels: tuple[str, ...]
    image_size: int
    """Pixels a side."""
    region: str
    """Of the bucket; empty when the stack does not say it."""
    register: str = ""
    """ARN of the stack's register; empty when it has none."""


def served_model(outputs: StackOutputs, stack: str) -> ServedModel:
    """The model that a stack serves.

    Raises:
        UserError: the outputs lack something, as those of a stack that never came up do; with all that they lack.
    """
    missing = [OUTPUT_NAMES[key] for key in NEEDED if not getattr(outputs, key)]
    size = outputs.image_size
    if missing or size is None:
        raise UserError(f"the stack {stack} does not export {', '.join(missing)}: bring it up first")
    return ServedModel(
        stack,
        outputs.training_job_name,
        outputs.model_artifact,
        outputs.evidence_uri,
        outputs.labels,
        size,
        outputs.region,
        outputs.model_package_group,
    )


def left_by(job: str, model: ServedModel) -> ServedModel:
    """The model that another training job left in the bucket in which a stack's model is."""
    bucket, _ = s3_place(model.artifact)
    folder = f"s3://{bucket}/{MODELS}{job}/"
    return replace(model, name=job, artifact=folder + ARTIFACT_FILE, evidence=folder + EVIDENCE_FILE)


def s3_place(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://BUCKET/KEY`.

    Raises:
        UserError: it is none.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise UserError(f"an address must be s3://BUCKET/KEY, got {uri!r}")
    return bucket, key


def problems_with_evidence(evidence: Evidence, model: ServedModel, *, threshold: float, target: float) -> list[str]:
    """What speaks against serving a model at a threshold; one sentence each, all of them, none when it is supported.

    Args:
        evidence: what was read at the model's address.
        model: what is to be served.
        threshold: the least confidence that is accepted.
        target: the share of accepted photos that may be wrong.
    """
    place = f"the evidence in {model.evidence}"
    found: list[str] = []
    if evidence.model != model.name:
        found.append(f"{place} must be of the model {model.name}, got {evidence.model}")
    if evidence.labels != model.labels:
        held, got = ", ".join(model.labels), ", ".join(evidence.labels)
        found.append(f"{place} must be of the labels {held} in this order, got {got}")
    if evidence.image_size != model.image_size:
        found.append(
            f"{place} must be of pictures of {model.image_size} pixels a side, got {evidence.image_size} pixels"
        )
    if not evidence.supports(threshold, target):
        found.append(_unsupported(evidence, threshold, target))
    return found


def lowest_named(evidence: Evidence, target: float) -> float | None:
    """The lowest supported threshold as people write it; None when there is none."""
    lowest = evidence.lowest_supported(target)
    if lowest is None:
        return None
    scale = 10**DECIMALS
    step = math.floor(lowest.threshold * scale)
    while step / scale < lowest.threshold or not is_threshold(step / scale, len(evidence.labels)):
        step += 1
    return step / scale


def _unsupported(evidence: Evidence, threshold: float, target: float) -> str:
    here, named = evidence.at(threshold), lowest_named(evidence, target)
    key, percent = setting("confidenceThreshold"), _percent(target)
    measured = (
        f"of the {here.accepted} of {evidence.photos} held-out photos that it accepts {here.wrong} "
        f"{'is' if here.wrong == 1 else 'are'} wrong, so up to {_percent(here.bound)} may be ({_percent(LEVEL)} sure)"
        if here.accepted
        else f"it accepts none of {evidence.photos} held-out photos"
    )
    got = f"got {threshold:g}: {measured}"
    if named is None:
        return (
            f"{key} can't be supported, as no threshold is shown to keep wrong answers at or below {percent} "
            f"(targetRiskPercent), {got}; it takes a better model, or more held-out photos"
        )
    share = math.floor(100 * evidence.at(named).accepted / evidence.photos)
    cautious = evidence.recommended
    advice = (
        f", and the evaluation recommends {cautious:g}"
        if cautious is not None and cautious > named and evidence.supports(cautious, target)
        else ""
    )
    return (
        f"{key} must be {named:g} or more to keep wrong answers at or below {percent} (targetRiskPercent), {got}; "
        f"{named:g} is the lowest that is supported and accepts {share} % of photos{advice}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
