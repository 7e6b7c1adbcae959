"""Which SageMaker instances can train and host the built-in image classification algorithm.

Training needs a GPU; hosting runs on a CPU or on the same GPUs, on x86 only, since the image is built for
x86 (https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html#IC-instances). The burstable
families t2 and t3 are left out: their credits run dry under a steady load.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

TRAINING_INSTANCE_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "p2": ("xlarge", "8xlarge", "16xlarge"),
    "p3": ("2xlarge", "8xlarge", "16xlarge"),
    "g4dn": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
    "g5": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"),
}
"""The sizes of each family that the algorithm trains on."""

_INTEL_6 = (
    "large",
    "xlarge",
    "2xlarge",
    "4xlarge",
    "8xlarge",
    "12xlarge",
    "16xlarge",
    "24xlarge",
    "32xlarge",
)
_INTEL_7 = (*_INTEL_6[:-1], "48xlarge")

HOSTING_INSTANCE_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "m4": ("xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge"),
    "m5": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "m5d": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "m6i": _INTEL_6,
    "m7i": _INTEL_7,
    "c4": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge"),
    "c5": ("large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"),
    "c5d": ("large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"),
    "c6i": _INTEL_6,
    "c7i": _INTEL_7,
    "r5": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "r5d": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "r6i": _INTEL_6,
    "r7i": _INTEL_7,
    **TRAINING_INSTANCE_FAMILIES,
}
"""The sizes of each x86 family that hosts models and keeps its speed under a steady load."""
LOCAL_STORAGE_FAMILIES = ("m5d", "c5d", "r5d", "g4dn", "g5")
"""Families with disks in the instance (Amazon EC2 User Guide, "Instance store volumes")."""


def has_local_storage(instance_type: str) -> bool:
    """Whether the instance writes to disks of its own, which its hardware encrypts and no key of KMS.

    SageMaker refuses a key for the volume of a training on such an instance, and says of an endpoint's that it does not
    encrypt them (API reference, ResourceConfig and CreateEndpointConfig).
    """
    return instance_type.split(".")[1:2] in [[family] for family in LOCAL_STORAGE_FAMILIES]


def check_training_instance(instance_type: str) -> str | None:
    """What is wrong with `instance_type` for training, as one sentence, or None."""
    return _check(
        "trainingInstanceType",
        instance_type,
        TRAINING_INSTANCE_FAMILIES,
        "image classification trains on GPUs only",
    )


def check_hosting_instance(instance_type: str) -> str | None:
    """What is wrong with `instance_type` for an endpoint, as one sentence, or None."""
    return _check(
        "endpointInstanceType",
        instance_type,
        HOSTING_INSTANCE_FAMILIES,
        "the image is built for x86, and burstable instances can't carry an endpoint",
    )


def _check(key: str, instance_type: str, families: Mapping[str, tuple[str, ...]], reason: str) -> str | None:
    prefix, _, rest = instance_type.partition(".")
    family, _, size = rest.partition(".")
    if prefix == "ml" and size in families.get(family, ()):
        return None
    if prefix == "ml" and family in families:
        return f"{key} must be one of {_names(family, families[family])}, got {instance_type!r}"
    known = [f"ml.{name}.{each}" for name, sizes in families.items() for each in sizes]
    near = difflib.get_close_matches(instance_type, known, n=2, cutoff=0.85)
    hint = f": did you mean {' or '.join(near)}?" if near else ""
    return (
        f"{key} must be an instance of the families {', '.join(f'ml.{name}' for name in families)} "
        f"({reason}), got {instance_type!r}{hint}"
    )


def _names(family: str, sizes: tuple[str, ...]) -> str:
    return ", ".join(f"ml.{family}.{size}" for size in sizes)
