"""What the model register holds of a model, and how that fits into a version of SageMaker's Model Registry.

A stack has one group of versions, and a version is one model that the stack trained or served. What AWS has no field
for stands in the version's customer metadata: at most 50 properties, whose values are 1 to 256 letters, digits, spaces
and `_ . : / = + - @` (API reference of CreateModelPackage); anything else is escaped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from contract.errors import UserError
from contract.evidence import Evidence
from contract.promotion import lowest_named

MOST_PROPERTIES = 50
LONGEST_VALUE = 256
PLAIN = "_.:/+-@ "
"""What stands for itself in a property, beside letters and digits; `=` begins an escape."""
HYPERPARAMETER = "hyperparameter."
SERVED = "served."
FIGURES = (
    *("evidence", "evidence.sha256", "evaluated", "photos", "right", "target"),
    *("threshold.supported", "threshold.accepts", "threshold.recommended"),
)
"""The properties that an evaluation replaces."""
APPROVED, PENDING = "Approved", "PendingManualApproval"


@dataclass(frozen=True, slots=True)
class Measured:
    """The headline figures of an evaluation; the rest is in its evidence."""

    evidence: str
    """`s3://` address of the evidence.json."""
    digest: str
    """SHA-256 of that file, in hex."""
    at: datetime
    photos: int
    """Held-out photos of the classes."""
    right: int
    """Among them: those whose most probable label is the true one."""
    target: float
    """The share of accepted photos that may be wrong."""
    supported: float | None
    """The lowest threshold that the evidence supports at the target; None when there is none."""
    accepts: int
    """The photos that it accepts."""
    recommended: float | None
    """The threshold that the evaluation itself recommends."""

    @property
    def accuracy(self) -> float:
        """Share of photos between the classes that is right."""
        return self.right / self.photos


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model: what it was made of, and what is known of how good it is."""

    job: str
    """The training job's name, by which a model is known everywhere."""
    image: str
    """The algorithm's image, which serves it."""
    artifact: str
    """`s3://` address of its model.tar.gz."""
    dataset: str = ""
    """The identity of the dataset that it was trained with; empty when nobody knows it any more."""
    trained: datetime | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict[str, str])
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """That a stack's endpoint began to serve a model."""

    stack: str
    at: datetime
    by: str
    """Who deployed: the ARN that AWS knew them by."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the register."""

    number: int
    arn: str
    created: datetime
    status: str
    """SageMaker's: PendingManualApproval, Approved or Rejected."""
    note: str
    """Why it is approved or rejected."""
    model: RegisteredModel
    served: tuple[Serving, ...] = ()
    """By stack: the last time that it began to serve there."""


def group_name(project: str, stack: str) -> str:
    """The register's name for a stack: 1 to 63 letters, digits and hyphens, as its endpoint's is."""
    return f"{project}-{stack}"


def region_of(group: str) -> str:
    """The region of a group's ARN."""
    return group.split(":")[3] if group.startswith("arn:") else ""


def measured_by(evidence: Evidence, content: bytes, address: str, target: float) -> Measured:
    """The headline figures of some evidence.

    Args:
        evidence: what `content` holds.
        content: the evidence.json as it is kept.
        address: where it is, `s3://`.
        target: the share of accepted photos that may be wrong.
    """
    named = lowest_named(evidence, target)
    # every right photo is accepted by the lowest threshold, and none whose best label is neither
    first = evidence.rows[0] if evidence.rows else None
    return Measured(
        evidence=address,
        digest=hashlib.sha256(content).hexdigest(),
        at=evidence.created,
        photos=evidence.photos,
        right=first.accepted - first.wrong if first else 0,
        target=target,
        supported=named,
        accepts=0 if named is None else evidence.at(named).accepted,
        recommended=evidence.recommended,
    )


def properties_of(model: RegisteredModel) -> dict[str, str]:
    """A model as customer metadata.

    Raises:
        UserError: a value is longer than AWS takes, or there are too many.
    """
    known: dict[str, str] = {"job": model.job, "dataset": model.dataset}
    if model.trained:
        known["trained"] = model.trained.isoformat(timespec="seconds")
    known |= {HYPERPARAMETER + name: value for name, value in model.hyperparameters.items()}
    if there := model.measured:
        numbers = {
            "threshold.supported": there.supported,
            "threshold.accepts": None if there.supported is None else there.accepts,
            "threshold.recommended": there.recommended,
        }
        known |= {
            "evidence": there.evidence,
            "evidence.sha256": there.digest,
            "evaluated": there.at.isoformat(timespec="seconds"),
            "photos": str(there.photos),
            "right": str(there.right),
            "target": f"{there.target:g}",
        }
        known |= {name: f"{value:g}" for name, value in numbers.items() if value is not None}
    return written(known)


def serving_property(serving: Serving) -> dict[str, str]:
    """The property that says since when, and by whom, a model serves in a stack."""
    when = serving.at.isoformat(timespec="seconds")
    room = LONGEST_VALUE - len(when) - 1
    who = serving.by if len(_escaped(serving.by)) <= room else serving.by.rpartition("/")[2]
    return written({SERVED + serving.stack: f"{when} {who}"})


def written(properties: Mapping[str, str]) -> dict[str, str]:
    """Properties as AWS takes them: escaped, without those that are empty.

    Raises:
        UserError: a value is longer than AWS takes, or there are too many.
    """
    found = {name: _escaped(value) for name, value in properties.items() if value}
    for name, value in found.items():
        if len(value) > LONGEST_VALUE:
            raise UserError(f"the register's {name} must have at most {LONGEST_VALUE} characters, got {len(value)}")
    if len(found) > MOST_PROPERTIES:
        raise UserError(f"a version of the register holds at most {MOST_PROPERTIES} properties, got {len(found)}")
    return found


def version_of(description: Mapping[str, Any]) -> Version:
    """A version as SageMaker's DescribeModelPackage tells it; of versions that others made, what there is."""
    found: dict[str, str] = description.get("CustomerMetadataProperties") or {}
    known = {name: unquote(value.replace("=", "%")) for name, value in found.items()}
    specification: Mapping[str, Any] = description.get("InferenceSpecification") or {"Containers": [{}]}
    container: Mapping[str, str] = specification["Containers"][0]
    return Version(
        number=int(description["ModelPackageVersion"]),
        arn=description["ModelPackageArn"],
        created=description["CreationTime"],
        status=description.get("ModelApprovalStatus") or PENDING,
        note=description.get("ApprovalDescription") or "",
        model=RegisteredModel(
            job=known.get("job", ""),
            image=container.get("Image", ""),
            artifact=container.get("ModelDataUrl", ""),
            dataset=known.get("dataset", ""),
            trained=datetime.fromisoformat(known["trained"]) if "trained" in known else None,
            hyperparameters={
                name.removeprefix(HYPERPARAMETER): value
                for name, value in sorted(known.items())
                if name.startswith(HYPERPARAMETER)
            },
            measured=_measured(known),
        ),
        served=tuple(_serving(name, value) for name, value in sorted(known.items()) if name.startswith(SERVED)),
    )


def serving_now(versions: Iterable[Version]) -> dict[str, Version]:
    """Stack -> the version that began to serve there last."""
    began = [(serving, version) for version in versions for serving in version.served]
    return {serving.stack: version for serving, version in sorted(began, key=lambda each: each[0].at)}


def _measured(known: Mapping[str, str]) -> Measured | None:
    if "evidence" not in known:
        return None
    supported, recommended = known.get("threshold.supported"), known.get("threshold.recommended")
    return Measured(
        evidence=known["evidence"],
        digest=known["evidence.sha256"],
        at=datetime.fromisoformat(known["evaluated"]),
        photos=int(known["photos"]),
        right=int(known["right"]),
        target=float(known["target"]),
        supported=None if supported is None else float(supported),
        accepts=int(known.get("threshold.accepts", "0")),
        recommended=None if recommended is None else float(recommended),
    )


def _serving(name: str, value: str) -> Serving:
    when, _, who = value.partition(" ")
    return Serving(name.removeprefix(SERVED), datetime.fromisoformat(when), who)


def _escaped(value: str) -> str:
    return quote(value, safe=PLAIN).replace("~", "%7E").replace("%", "=")
