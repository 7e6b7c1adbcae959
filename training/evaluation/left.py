"""What an evaluation leaves for others: its files beside the model, and the model's version in the register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.aws_errors import explained
from contract.errors import UserError
from contract.prefixes import CARD_FILE, EVIDENCE_FILE, MODEL_BASELINE_FILE, PREDICTIONS_FILE
from contract.promotion import s3_place
from contract.register import Version, region_of
from contract.versions import Done, model_of, register
from training.job.image import image_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

KINDS = {
    EVIDENCE_FILE: "application/json",
    MODEL_BASELINE_FILE: "application/json",
    CARD_FILE: "text/markdown; charset=utf-8",
    PREDICTIONS_FILE: "application/x-ndjson",
}
"""Content types: of JSON and text, a program that reads the object is told what is in it."""


def put(s3: S3Client, document: bytes, uri: str) -> None:
    """Put a file of an evaluation to an `s3://` address, whose name says what it is.

    Raises:
        UserError: it can't be put there.
    """
    bucket, key = s3_place(uri)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=document, ContentType=KINDS[key.rpartition("/")[2]])
    except (ClientError, BotoCoreError) as error:
        raise UserError(f"nothing can be put to {uri}: {explained(error)}") from error


def leave(s3: S3Client, files: Mapping[str, bytes], evidence_uri: str) -> None:
    """Put the files of an evaluation beside its model; the evidence last, since it is what says that all are there.

    Args:
        s3: the client.
        files: by name; the evidence among them.
        evidence_uri: where the evidence goes.

    Raises:
        UserError: one can't be put there.
    """
    folder = evidence_uri.removesuffix(EVIDENCE_FILE)
    for name in sorted(files, key=lambda name: name == EVIDENCE_FILE):
        put(s3, files[name], folder + name)


def register_evaluation(
    sagemaker: SageMakerClient, group: str, job: str, content: bytes, *, evidence_uri: str, artifact: str, target: float
) -> tuple[Version, Done]:
    """Put a model that was evaluated into the register, with what its training job says of it.

    Args:
        sagemaker: in the group's region.
        group: the register's ARN.
        job: the model's training job.
        content: its evidence.json.
        evidence_uri: where that is.
        artifact: `s3://` address of the model.tar.gz.
        target: the share of accepted photos that may be wrong.

    Returns:
        The model's version, and whether it is new.

    Raises:
        UserError: the register does not take it.
    """
    try:
        model = model_of(
            sagemaker,
            job,
            artifact=artifact,
            image=image_uri(region_of(group)),
            dataset="",
            evidence=content,
            evidence_uri=evidence_uri,
            target=target,
        )
        return register(sagemaker, group, model)
    except (ClientError, BotoCoreError) as error:
        raise UserError(f"the register {group} does not take {job}: {explained(error)}") from error
