"""What SageMaker is asked for to train a model: as the stack's program asks for it, for whoever trains beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract import prefixes
from training.dataset.manifest import Manifest
from training.job.instances import has_local_storage

QUEUEING_MINUTES = 60
"""What a job may wait for spot capacity."""
PREPARING_MINUTES = 30
"""What a job may take beside training and waiting for capacity: instances, image, data, artifact."""
CHECKPOINTS = "/opt/ml/checkpoints"
"""SageMaker's own default: left out, the API's answer would look like a change that needs another job."""
VOLUME_GB = 30
FOLDER_DIGITS = 12
"""Of a dataset's identity: what its folder in the bucket is named after."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """Where and on what a job trains."""

    bucket: str
    role_arn: str
    image_uri: str
    instance_type: str
    spot: bool
    max_minutes: int
    kms_key_arn: str
    """Empty for AWS's own keys."""


def dataset_folder(identity: str) -> str:
    """The folder of a dataset in the bucket, with a slash at its end."""
    return f"{prefixes.DATASET}{identity[:FOLDER_DIGITS]}/"


def is_isolated(hyperparameters: Mapping[str, str]) -> bool:
    """Whether a job has no way out.

    It sees the dataset, and SageMaker itself fetches and leaves data, model and checkpoints. Weights that the algorithm
    starts from it fetches itself: that it can without network was never seen.
    """
    return hyperparameters.get("use_pretrained_model") != "1"


def training_request(
    job_name: str, dataset: Manifest, hyperparameters: Mapping[str, str], plan: JobPlan, tags: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters of CreateTrainingJob.

    Args:
        job_name: `training.job.naming` makes it.
        dataset: lies in the bucket, in its folder.
        hyperparameters: all of them.
        plan: where and on what it trains.
        tags: whose it is.
    """
    models = f"s3://{plan.bucket}/{prefixes.MODELS}"
    folder = f"s3://{plan.bucket}/{dataset_folder(dataset.identity)}"
    seconds = plan.max_minutes * 60
    key = {"KmsKeyId": plan.kms_key_arn} if plan.kms_key_arn else {}
    volume = (
        {"VolumeKmsKeyId": plan.kms_key_arn} if plan.kms_key_arn and not has_local_storage(plan.instance_type) else {}
    )
    request: dict[str, Any] = {
        "TrainingJobName": job_name,
        "RoleArn": plan.role_arn,
        "AlgorithmSpecification": {"TrainingImage": plan.image_uri, "TrainingInputMode": "File"},
        "HyperParameters": dict(hyperparameters),
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "ContentType": content_type,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"{folder}{channel}/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel, content_type in dataset.channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": models, **key},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": plan.instance_type,
            "VolumeSizeInGB": VOLUME_GB,
            **volume,
        },
        "EnableNetworkIsolation": is_isolated(hyperparameters),
        "EnableManagedSpotTraining": plan.spot,
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    if plan.spot:
        # an interrupted job goes on from its last epoch
        request["CheckpointConfig"] = {"S3Uri": f"{models}checkpoints/{job_name}/", "LocalPath": CHECKPOINTS}
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = seconds + QUEUEING_MINUTES * 60
    return request
