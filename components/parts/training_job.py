"""What identifies a training job, and whether one really ended well."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping

import pulumi

from contract.names import setting

HASH_DIGITS = 12
LONGEST_NAME = 63
"""Characters of a training job's name (SageMaker API reference, CreateTrainingJob)."""


class TrainingNotCompletedError(pulumi.RunError):
    """A training job ended otherwise than it should, so that no model may be made of it."""


def training_job_name(
    prefix: str,
    *,
    dataset: str,
    image_uri: str,
    hyperparameters: Mapping[str, str],
    instance_type: str,
    spot: bool,
) -> str:
    """A name that stands for everything that makes the model: the same inputs, the same name.

    Args:
        prefix: what people read, cut to fit.
        dataset: the manifest's identity.
        image_uri: the algorithm's image.
        hyperparameters: all of them.
        instance_type: what it trains on.
        spot: whether it may be interrupted.
    """
    inputs = {
        "dataset": dataset,
        "image_uri": image_uri,
        "hyperparameters": dict(hyperparameters),
        "instance_type": instance_type,
        "spot": spot,
    }
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:HASH_DIGITS]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", prefix)[: LONGEST_NAME - HASH_DIGITS - 1].strip("-")
    return f"{readable}-{digest}"


def require_completed(job_name: str, describe: Callable[[str], Mapping[str, object]]) -> None:
    """Refuse to go on with a job that is not Completed.

    The provider takes Stopped (by a person, or at its time limit) for a success, but what such a job
    leaves may be half a model.

    Raises:
        TrainingNotCompletedError: saying why, and what to do.
    """
    job = describe(job_name)
    status = job.get("TrainingJobStatus")
    if status != "Completed":
        why = job.get("FailureReason") or job.get("SecondaryStatus")
        raise TrainingNotCompletedError(
            f"training job {job_name} must be Completed to serve its model, got {status} ({why}). "
            f"If it ran out of time, raise {setting('trainingMaxMinutes')}; then remove the job with "
            f"`pulumi destroy --target '**{job_name}'` and deploy again."
        )
