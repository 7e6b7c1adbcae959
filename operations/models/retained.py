"""What is kept of models that serve nothing: their folders in the bucket, their versions in the register, and
endpoint configurations and models of SageMaker that a roll-out left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from contract import prefixes
from contract.errors import UserError
from contract.outputs import StackOutputs
from contract.register import Version, serving_now
from contract.versions import listed, remove
from operations.forget.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

KEEP = 3
"""Models that serve nothing and are kept all the same, to be gone back to without training."""
CHECKPOINTS = "checkpoints/"
CONFIGURATION, MODEL = "-configuration", "-model"
"""What the names of the program's own have in them."""


@dataclass(slots=True)
class Kept:
    """Something that serves nothing."""

    kind: str
    """`model`, `endpoint configuration` or `SageMaker model`."""
    name: str
    at: datetime
    """When it was made: a later evaluation makes a model no newer."""
    size: int = 0
    """Bytes, all versions of all objects."""
    why: str = ""
    """Why it stays; empty for what may go."""
    holds: list[str] = field(default_factory=list[str])
    """What there is of it, in words."""
    parts: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])
    """What removes it, in order."""

    def remove(self) -> None:
        """Remove it for good."""
        for part in self.parts:
            part()


def find_kept(bucket: Bucket, sagemaker: SageMakerClient, outputs: StackOutputs, keep: int = KEEP) -> list[Kept]:
    """All that serves nothing, the newest first; what has `why` stays.

    Args:
        bucket: the stack's.
        sagemaker: in the register's region.
        outputs: the stack's.
        keep: how many models stay, the newest.

    Raises:
        UserError: the endpoint is being changed, so that nobody can say what is needed.
    """
    versions = listed(sagemaker, outputs.model_package_group) if outputs.model_package_group else []
    models = _models(bucket, sagemaker, versions, outputs.training_job_name)
    for place, each in enumerate([each for each in models if not each.why]):
        if place < keep:
            each.why = f"one of the newest {keep}"
    return [*models, *_hosting(sagemaker, outputs.endpoint_name)]


def _models(bucket: Bucket, sagemaker: SageMakerClient, versions: Sequence[Version], serving: str) -> list[Kept]:
    found: dict[str, Kept] = {}
    objects: dict[str, list[Any]] = {}
    for each in bucket.versions(prefixes.MODELS):
        rest = str(each["Key"]).removeprefix(prefixes.MODELS).removeprefix(CHECKPOINTS)
        job, slash, file = rest.partition("/")
        if not slash:
            continue
        kept = found.setdefault(job, Kept("model", job, each["LastModified"]))
        kept.at, kept.size = min(kept.at, each["LastModified"]), kept.size + each.get("Size", 0)
        objects.setdefault(job, []).append({"Key": each["Key"], "VersionId": each["VersionId"]})
        what = WORDS.get(file, "checkpoints" if CHECKPOINTS in each["Key"] else "other files")
        if what not in kept.holds:
            kept.holds.append(what)
    for job, which in objects.items():
        found[job].parts.append(partial(bucket.delete, which))
    numbers = {version.model.job: version.number for version in versions}
    for version in versions:
        kept = found.setdefault(version.model.job, Kept("model", version.model.job, version.created))
        kept.holds.append(f"version {version.number}")
        # last, so that what an interruption leaves is still listed
        kept.parts.append(partial(remove, sagemaker, version))
    for stack, version in serving_now(versions).items():
        if kept := found.get(version.model.job):
            kept.why = f"serves in {stack}"
    for job in _training(sagemaker):
        if kept := found.get(job):
            kept.why = "is being trained"
    found.pop(serving, None)
    # S3 tells whole seconds
    return sorted(found.values(), key=lambda each: (each.at, numbers.get(each.name, 0)), reverse=True)


WORDS = {
    prefixes.ARTIFACT_FILE: "artifact",
    prefixes.EVIDENCE_FILE: "evidence",
    prefixes.MODEL_BASELINE_FILE: "baseline",
    prefixes.CARD_FILE: "card",
    prefixes.PREDICTIONS_FILE: "predictions",
    prefixes.MATERIALS_FILE: "materials",
}
"""What the files of a model's folder are called."""


def _training(sagemaker: SageMakerClient) -> Iterator[str]:
    for page in sagemaker.get_paginator("list_training_jobs").paginate(StatusEquals="InProgress"):
        yield from (each["TrainingJobName"] for each in page["TrainingJobSummaries"])


def _hosting(sagemaker: SageMakerClient, endpoint: str) -> list[Kept]:
    """Configurations and models of the stack that are older than what serves, and that it does not use."""
    live = sagemaker.describe_endpoint(EndpointName=endpoint)
    if live["EndpointStatus"] != "InService":
        raise UserError(f"the endpoint {endpoint} is {live['EndpointStatus']}: ask again when it is InService")
    serving = live.get("EndpointConfigName", "")
    described = sagemaker.describe_endpoint_config(EndpointConfigName=serving)
    since, used = described["CreationTime"], _models_of(described)
    stack = _stack(sagemaker, described["EndpointConfigArn"])
    found: list[Kept] = []
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=CONFIGURATION)
    for each in (one for page in pages for one in page["EndpointConfigs"]):
        name = each["EndpointConfigName"]
        if name == serving or _stack(sagemaker, each["EndpointConfigArn"]) != stack:
            continue
        kept = Kept("endpoint configuration", name, each["CreationTime"])
        if each["CreationTime"] >= since:
            # a roll-out that was taken back wants it still
            kept.why = "newer than what serves"
            used |= _models_of(sagemaker.describe_endpoint_config(EndpointConfigName=name))
        kept.parts.append(partial(sagemaker.delete_endpoint_config, EndpointConfigName=name))
        found.append(kept)
    for each in (
        one for page in sagemaker.get_paginator("list_models").paginate(NameContains=MODEL) for one in page["Models"]
    ):
        name = each["ModelName"]
        if name in used or _stack(sagemaker, each["ModelArn"]) != stack:
            continue
        kept = Kept("SageMaker model", name, each["CreationTime"])
        if each["CreationTime"] >= since:
            kept.why = "newer than what serves"
        kept.parts.append(partial(sagemaker.delete_model, ModelName=name))
        found.append(kept)
    return sorted(found, key=lambda each: each.at, reverse=True)


def _models_of(configuration: Any) -> set[str]:
    return {each["ModelName"] for each in configuration["ProductionVariants"] if "ModelName" in each}


def _stack(sagemaker: SageMakerClient, arn: str) -> tuple[str, str]:
    """The project and the stack that a resource is tagged with; empty ones for what the program did not make."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return tags.get("project", ""), tags.get("stack", "")
