"""The one choice about encryption: a customer's key where there is one, else what AWS manages."""

from __future__ import annotations

from collections.abc import Sequence

from components.parts.iam import Statement, grant_key, use_key, write_with_key
from training.job.instances import has_local_storage


def key_grant(key_arn: str | None, *, writes: bool) -> list[Statement]:
    """What a role needs beside its other rights when things are encrypted with a customer's key.

    Args:
        key_arn: the key, if there is one.
        writes: whether it also leaves something that the key encrypts: objects, messages, events.
    """
    return [use_key(key_arn, writes=writes)] if key_arn else []


def sagemaker_key_grant(key_arn: str | None, *, writes: bool, volumes: Sequence[str]) -> list[Statement]:
    """What SageMaker's role needs of a customer's key.

    Args:
        key_arn: the key, if there is one.
        writes: whether it leaves models or captures in S3.
        volumes: types of the instances that it trains and hosts on.
    """
    if not key_arn:
        return []
    statements = key_grant(key_arn, writes=writes)
    if writes:
        statements.append(write_with_key(key_arn))
    if any(volume_key(key_arn, kind) for kind in volumes):
        statements.append(grant_key(key_arn))
    return statements


def volume_key(key_arn: str | None, instance_type: str) -> str | None:
    """The key for the volumes of such instances; None without one, and where the instance's hardware encrypts."""
    return key_arn if key_arn and not has_local_storage(instance_type) else None
