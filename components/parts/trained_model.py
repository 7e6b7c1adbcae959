"""A model that the stack trains itself: dataset -> training job, addressed by content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import pulumi
from pulumi_aws import s3, sagemaker

from components.parts.encryption import volume_key
from components.parts.model_source import ModelSource
from components.parts.provider_client import provider_clients
from components.parts.training_wait import require_unused, wait_until_completed
from contract import prefixes
from training.dataset.manifest import FILE, Manifest, read_manifest
from training.job.naming import training_job_name
from training.job.request import (
    CHECKPOINTS,
    PREPARING_MINUTES,
    QUEUEING_MINUTES,
    VOLUME_GB,
    dataset_folder,
    is_isolated,
)

if TYPE_CHECKING:
    from components.training_endpoint import TrainingEndpointArgs

CREATE_TIMEOUT = "15m"
"""What the provider may take to get a job accepted: it retries while a new role is not known everywhere."""
NEVER_REPLACES_A_JOB = (
    *("algorithmSpecification", "checkpointConfig", "enableManagedSpotTraining", "enableNetworkIsolation"),
    *(
        "hyperParameters",
        "inputDataConfigs",
        "outputDataConfig",
        "resourceConfig",
        "roleArn",
        "stoppingCondition",
        "timeouts",
    ),
)
"""Inputs of a training job whose change the provider answers with another job."""


class TrainingArgs(TypedDict):
    """How a model is trained. All of it is plain: it must be known to name the job."""

    dataset_dir: str
    """A folder that `python -m training prepare` wrote."""
    hyperparameters: Mapping[str, str]
    """All hyperparameters of the algorithm, as texts; `training.job.hyperparameters.resolve` makes them."""
    instance_type: str
    """A GPU instance of the families P2, P3, G4dn, G5, such as ml.g4dn.xlarge."""
    spot: bool
    """Whether to train on spot capacity: cheaper, and it may wait and be interrupted."""
    max_minutes: int
    """After how many minutes of training a job is stopped, 5 or more."""
    attempt: int
    """Counted from 1, part of the job's name: the next one trains the same inputs anew, after a job that failed."""


def train(
    name: str, training: TrainingArgs, args: TrainingEndpointArgs, role_arn: pulumi.Input[str], parent: pulumi.Resource
) -> ModelSource:
    """Train a model: its dataset's objects and the training job, which whoever makes the model waits for.

    Args:
        name: what the resources' names begin with.
        training: how.
        args: the component's.
        role_arn: the role that the job takes.
        parent: the component.
    """
    dataset = read_manifest(Path(training["dataset_dir"]))
    job_name = training_job_name(
        f"{pulumi.get_project()}-{pulumi.get_stack()}",
        dataset=dataset.identity,
        image_uri=args["image_uri"],
        hyperparameters=training["hyperparameters"],
        instance_type=training["instance_type"],
        spot=training["spot"],
        attempt=training["attempt"],
    )
    job = _job(name, job_name, training, args, dataset, role_arn, parent)
    _materials(name, job_name, training, args, dataset, parent)
    folder = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS, job.training_job_name, "/")
    region, attempt = args["region"], training["attempt"]
    limit = (training["max_minutes"] + QUEUEING_MINUTES + PREPARING_MINUTES) * 60

    client = provider_clients(region)

    async def job_completed(_: pulumi.ResourceHookArgs) -> None:
        await wait_until_completed(
            job_name, client("sagemaker"), client("logs"), attempt=attempt, limit_seconds=limit, say=pulumi.log.info
        )

    return ModelSource(
        job_name=job.training_job_name,
        artifact=pulumi.Output.concat(folder, prefixes.ARTIFACT_FILE),
        evidence=pulumi.Output.concat(folder, prefixes.EVIDENCE_FILE),
        before_model=(pulumi.ResourceHook(f"{name}-job-completed", job_completed),),
        dataset=dataset.identity,
    )


def _materials(
    name: str,
    job_name: str,
    training: TrainingArgs,
    args: TrainingEndpointArgs,
    dataset: Manifest,
    parent: pulumi.Resource,
) -> None:
    """What the job is made of, held-out photos included, beside what it makes: a retraining goes on from there."""
    folder = Path(training["dataset_dir"])
    files = {path: pulumi.FileAsset(str(folder / path)) for path in (FILE, *sorted(dataset.files))}
    hyperparameters = json.dumps(dict(training["hyperparameters"]), sort_keys=True)
    s3.BucketObject(
        f"{name}-materials-{job_name}",
        bucket=args["bucket"],
        key=f"{prefixes.MODELS}{job_name}/{prefixes.MATERIALS_FILE}",
        source=pulumi.AssetArchive(
            {
                **{f"{prefixes.MATERIALS_DATASET}{path}": asset for path, asset in files.items()},
                prefixes.MATERIALS_HYPERPARAMETERS: pulumi.StringAsset(hyperparameters),
            }
        ),
        content_type="application/zip",
        # kept as the artifact is, which a later stack may go back to
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )


def _job(
    name: str,
    job_name: str,
    training: TrainingArgs,
    args: TrainingEndpointArgs,
    dataset: Manifest,
    role_arn: pulumi.Input[str],
    parent: pulumi.Resource,
) -> sagemaker.TrainingJob:
    folder = dataset_folder(dataset.identity)
    objects = [
        s3.BucketObject(
            f"{name}-dataset-{channel}-{Path(file).name}",
            bucket=args["bucket"],
            key=f"{folder}{channel}/{Path(file).name}",
            source=pulumi.FileAsset(str(Path(training["dataset_dir"]) / file)),
            source_hash=dataset.files[file],
            content_type=content_type,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for channel, content_type in dataset.channels.items()
        for file in dataset.channel_files(channel)
    ]
    models = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS)
    seconds = training["max_minutes"] * 60
    waiting = QUEUEING_MINUTES * 60 if training["spot"] else 0
    client, attempt = provider_clients(args["region"]), training["attempt"]

    def name_unused(_: pulumi.ResourceHookArgs) -> None:
        require_unused(job_name, client("sagemaker"), attempt=attempt)

    # All that makes the model is in the job's name, and so in the resource's name: other content is another
    # resource, and no other difference (a limit, a key, what the API fills in) may replace a job that is done.
    return sagemaker.TrainingJob(
        f"{name}-job-{job_name}",
        training_job_name=job_name,
        role_arn=role_arn,
        algorithm_specification={
            "training_image": args["image_uri"],
            "training_input_mode": "File",
        },
        hyper_parameters=dict(training["hyperparameters"]),
        input_data_configs=[
            {
                "channel_name": channel,
                "content_type": content_type,
                "data_source": {
                    "s3_data_source": {
                        "s3_data_type": "S3Prefix",
                        "s3_uri": pulumi.Output.concat("s3://", args["bucket"], f"/{folder}{channel}/"),
                        "s3_data_distribution_type": "FullyReplicated",
                    }
                },
            }
            for channel, content_type in dataset.channels.items()
        ],
        output_data_config={"s3_output_path": models, "kms_key_id": args.get("kms_key_arn")},
        resource_config={
            "instance_count": 1,
            "instance_type": training["instance_type"],
            "volume_size_in_gb": VOLUME_GB,
            "volume_kms_key_id": volume_key(args.get("kms_key_arn"), training["instance_type"]),
        },
        enable_network_isolation=is_isolated(training["hyperparameters"]),
        enable_managed_spot_training=training["spot"],
        # an interrupted job goes on from its last epoch
        checkpoint_config=(
            {
                "s3_uri": pulumi.Output.concat(models, "checkpoints/", job_name, "/"),
                "local_path": CHECKPOINTS,
            }
            if training["spot"]
            else None
        ),
        stopping_condition={
            "max_runtime_in_seconds": seconds,
            "max_wait_time_in_seconds": seconds + waiting if training["spot"] else None,
        },
        # an input: the provider does not hear of Pulumi's custom_timeouts for this resource
        timeouts={"create": CREATE_TIMEOUT},
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=objects,
            ignore_changes=list(NEVER_REPLACES_A_JOB),
            hooks=pulumi.ResourceHookBinding(
                before_create=[pulumi.ResourceHook(f"{name}-job-name-unused", name_unused)]
            ),
        ),
    )
