"""A candidate's answers, by a batch transform: nothing has to be put into service, and nothing is left that costs.

A transform's instance ends with the job, also when nobody waits for it any more; a temporary endpoint would go on until
somebody deletes it. One object goes in for each photo, and `NAME.out` comes out, `{"prediction": [a probability a
label]}` (SageMaker Developer Guide, "Image Classification", and its notebook of batch transforms).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from contract import prefixes
from contract.errors import InvalidInference, UserError
from contract.inferences import read_inferences
from contract.retraining import ANSWERED, ASKED, TRANSFORM_INSTANCE
from operations.retrain.bucket import StackBucket
from training.evaluation.scoring import CONTENT_TYPE, as_sent
from training.evaluation.statistics import Floats
from training.job.request import JobPlan

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

CONCURRENT = 4
PAYLOAD_MB = 6
SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.3, 15.0
"""Seconds between two looks: a tenth of the time waited so far, within these bounds."""
LIMIT_SECONDS = 3600
LONGEST_NAME = 63
ENDED = ("Completed", "Failed", "Stopped")


def transform(
    job: str,
    photos: Sequence[Path],
    *,
    labels: int,
    size: int,
    bucket: StackBucket,
    sagemaker: SageMakerClient,
    plan: JobPlan,
    tags: Mapping[str, str],
    say: Callable[[str], object],
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> tuple[Floats, Floats]:
    """Ask the model that a training job left about photos.

    The model, the pictures and the answers are gone afterwards, whatever happens.

    Args:
        job: the training job.
        photos: the files.
        labels: how many the model has.
        size: pixels a side of what it takes.
        bucket: the stack's.
        sagemaker: who is asked.
        plan: of the job.
        tags: whose it is.
        say: takes a line worth a person's while.
        sleep: waits for seconds.
        clock: seconds.

    Returns:
        A row of probabilities for each photo, and how long each took: 0, since nobody tells.

    Raises:
        UserError: the transform did not complete, or an answer is missing or no distribution.
    """
    folder = f"{prefixes.MODELS}{job}/"
    asked, answered = f"{folder}{ASKED}", f"{folder}{ANSWERED}"
    name = f"{job[: LONGEST_NAME - 11]}-{clock():.0f}"
    container = {"Image": plan.image_uri, "ModelDataUrl": bucket.uri(folder + prefixes.ARTIFACT_FILE)}
    tagged: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    bucket.delete_below(answered)
    try:
        bucket.write_all({f"{asked}{place:05d}.png": as_sent(path, size) for place, path in enumerate(photos)})
        sagemaker.create_model(
            ModelName=name,
            PrimaryContainer=cast("Any", container),
            ExecutionRoleArn=plan.role_arn,
            EnableNetworkIsolation=True,
            Tags=tagged,
        )
        say(f"{name}: asks the candidate about {len(photos):,} photos")
        sagemaker.create_transform_job(**_request(name, bucket.uri(asked), bucket.uri(answered), plan, tagged))
        _wait(name, sagemaker, sleep, clock)
        found = bucket.read_all(bucket.keys_below(answered))
    finally:
        _forget(name, sagemaker)
        bucket.delete_below(asked)
        bucket.delete_below(answered)
    by_name = {key.rpartition("/")[2]: data for key, data in found.items()}
    rows = [_answer(by_name, place, path, labels) for place, path in enumerate(photos)]
    return np.array(rows, dtype=np.float64), np.zeros(len(photos))


def _request(name: str, asked: str, answered: str, plan: JobPlan, tags: Any) -> Any:
    key = plan.kms_key_arn
    return {
        "TransformJobName": name,
        "ModelName": name,
        "MaxConcurrentTransforms": CONCURRENT,
        "MaxPayloadInMB": PAYLOAD_MB,
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": asked}},
            "ContentType": CONTENT_TYPE,
            "SplitType": "None",
            "CompressionType": "None",
        },
        "TransformOutput": {"S3OutputPath": answered, **({"KmsKeyId": key} if key else {})},
        "TransformResources": {
            "InstanceType": TRANSFORM_INSTANCE,
            "InstanceCount": 1,
            **({"VolumeKmsKeyId": key} if key else {}),
        },
        "Tags": tags,
    }


def _wait(name: str, sagemaker: SageMakerClient, sleep: Callable[[float], object], clock: Callable[[], float]) -> None:
    started = clock()
    while (job := sagemaker.describe_transform_job(TransformJobName=name))["TransformJobStatus"] not in ENDED:
        waited = clock() - started
        if waited > LIMIT_SECONDS:
            raise UserError(
                f"the transform job {name} is still {job['TransformJobStatus']} after {waited / 60:.0f} min"
            )
        sleep(min(max(waited / 10, SHORTEST_INTERVAL), LONGEST_INTERVAL))
    if job["TransformJobStatus"] != "Completed":
        raise UserError(
            f"the transform job {name} must be Completed, got {job['TransformJobStatus']}: {job.get('FailureReason')}"
        )


def _forget(name: str, sagemaker: SageMakerClient) -> None:
    try:
        sagemaker.delete_model(ModelName=name)
    except sagemaker.exceptions.ClientError:
        # it was not made, or costs nothing where it is
        return


def _answer(by_name: Mapping[str, bytes], place: int, path: Path, labels: int) -> Sequence[float]:
    data = by_name.get(f"{place:05d}.png.out")
    if data is None:
        raise UserError(f"the transform left no answer about {path.name}")
    try:
        parsed: object = json.loads(data)
        answer = cast("dict[str, object]", parsed).get("prediction") if isinstance(parsed, dict) else parsed
        return read_inferences(answer, labels)
    except (ValueError, InvalidInference) as error:
        raise UserError(f"the transform answered {path.name} with no distribution: {error}") from error
