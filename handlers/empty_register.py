"""Empties the model register of a stack that is destroyed: SageMaker deletes no group that holds versions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

import boto3

from contract.errors import ConfigurationError
from handlers import environment

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

PATIENCE_SECONDS = 60
"""What SageMaker may take until deleted versions are gone."""
POLL_SECONDS = 1.0


@cache
def sagemaker_client() -> SageMakerClient:
    """The process's client."""
    return boto3.client("sagemaker")


def empty(client: SageMakerClient, group: str, wait: Callable[[float], None] = time.sleep) -> int:
    """Delete every version of a group, and wait until they are gone.

    Args:
        client: SageMaker's.
        group: the group's name.
        wait: takes the seconds between two looks.

    Returns:
        How many were deleted.

    Raises:
        ConfigurationError: they are still there after PATIENCE_SECONDS.
    """
    deleted: set[str] = set()
    for _ in range(round(PATIENCE_SECONDS / POLL_SECONDS)):
        there = _versions(client, group)
        if not there:
            return len(deleted)
        for arn in there:
            if arn not in deleted:
                client.delete_model_package(ModelPackageName=arn)
                deleted.add(arn)
        wait(POLL_SECONDS)
    raise ConfigurationError(f"the register {group} still holds versions {PATIENCE_SECONDS} s after they were deleted")


def _versions(client: SageMakerClient, group: str) -> list[str]:
    try:
        pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        return [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    except client.exceptions.ClientError as error:
        # somebody deleted it by hand
        if "does not exist" in str(error):
            return []
        raise


def handler(event: Mapping[str, object], context: object) -> dict[str, int]:
    """Lambda's entry: does nothing until `tf.action`, which the provider adds to what it sends, is `delete`."""
    told = event.get("tf")
    action = cast("Mapping[str, object]", told).get("action") if isinstance(told, dict) else None
    return {"deleted": empty(sagemaker_client(), environment.text("REGISTER")) if action == "delete" else 0}
