"""The one choice about encryption: a customer's key where there is one, else what AWS manages."""

from __future__ import annotations

from components.parts.iam import Statement, grant_key, use_key, write_with_key
from training.job.instances import has_local_storage


def key_grant(key_arn: str | None) -> list[Statement]:
    """What a role needs beside its other rights when things are encrypted with a customer's key."""
    return [use_key(key_arn)] if key_arn else []


def sagemaker_key_grant(key_arn: str | None) -> list[Statement]:
    """What SageMaker's role needs beside that: for what it leaves in S3, and for the volumes of its instances."""
    return [write_with_key(key_arn), grant_key(key_arn)] if key_arn else []


def volume_key(key_arn: str | None, instance_type: str) -> str | None:
    """The key for the volumes of such instances; None without one, and where the instance's hardware encrypts."""
    return key_arn if key_arn and not has_local_storage(instance_type) else None
