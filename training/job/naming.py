"""What identifies a training job: the name that stands for everything that makes its model."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

HASH_DIGITS = 12
LONGEST_NAME = 63
"""Characters of a training job's name (SageMaker API reference, CreateTrainingJob)."""


def training_job_name(
    prefix: str,
    *,
    dataset: str,
    image_uri: str,
    hyperparameters: Mapping[str, str],
    instance_type: str,
    spot: bool,
    attempt: int,
) -> str:
    """A name that stands for everything that makes the model: the same inputs, the same name.

    Args:
        prefix: what people read, cut to fit.
        dataset: the manifest's identity.
        image_uri: the algorithm's image.
        hyperparameters: all of them.
        instance_type: what it trains on.
        spot: whether it may be interrupted.
        attempt: counted from 1; a job that failed keeps its name for ever, so the same inputs need another.
    """
    inputs = {
        "dataset": dataset,
        "image_uri": image_uri,
        "hyperparameters": dict(hyperparameters),
        "instance_type": instance_type,
        "spot": spot,
        "attempt": attempt,
    }
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:HASH_DIGITS]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", prefix)[: LONGEST_NAME - HASH_DIGITS - 1].strip("-")
    return f"{readable}-{digest}"
