"""Where an endpoint's model comes from: dataset -> training job -> model, addressed by content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pulumi
from pulumi_aws import iam as aws_iam
from pulumi_aws import s3, sagemaker

from components.parts import iam
from components.parts.encryption import key_grant
from components.parts.training_job import training_job_name
from components.parts.training_wait import require_unused, wait_until_completed
from contract import prefixes
from training.dataset.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from components.training_endpoint import TrainingEndpointArgs

QUEUEING_MINUTES = 60
"""What a job may wait for spot capacity."""
PREPARING_MINUTES = 30
"""What a job may take beside training and waiting for capacity: instances, image, data, artifact."""
CREATE_TIMEOUT = "15m"
"""What the provider may take to get a job accepted: it retries while a new role is not known everywhere."""
CHECKPOINTS = "/opt/ml/checkpoints"
"""SageMaker's own default: left out, the API's answer would look like a change that needs another job."""
VOLUME_GB = 30
NEVER_REPLACES_A_JOB = (
    *("algorithmSpecification", "checkpointConfig", "enableManagedSpotTraining", "hyperParameters"),
    *("inputDataConfigs", "outputDataConfig", "resourceConfig", "roleArn", "stoppingCondition", "timeouts"),
)
"""Inputs of a training job whose change the provider answers with another job."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model, the job that trained it, and where the job left it; `evidence` is where its evaluation goes."""

    model: sagemaker.Model
    job_name: pulumi.Output[str]
    artifact: pulumi.Output[str]
    evidence: pulumi.Output[str]


def trained_model(name: str, args: TrainingEndpointArgs, parent: pulumi.Resource) -> TrainedModel:
    """Make a model of a dataset: its objects, the execution role, the training job and, when that is done, the model.

    Args:
        name: what the resources' names begin with.
        args: the component's.
        parent: the component.
    """
    child = pulumi.ResourceOptions(parent=parent)
    dataset = read_manifest(Path(args["dataset_dir"]))
    job_name = training_job_name(
        f"{pulumi.get_project()}-{pulumi.get_stack()}",
        dataset=dataset.identity,
        image_uri=args["image_uri"],
        hyperparameters=args["hyperparameters"],
        instance_type=args["training_instance_type"],
        spot=args["training_spot"],
        attempt=args["training_attempt"],
    )
    role_arn = _role_arn(name, args, child)
    job = _job(name, job_name, args, dataset, role_arn, child)
    folder = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS, job.training_job_name, "/")
    artifact = pulumi.Output.concat(folder, prefixes.ARTIFACT_FILE)
    region, attempt = args["region"], args["training_attempt"]
    limit = (args["training_max_minutes"] + QUEUEING_MINUTES + PREPARING_MINUTES) * 60

    async def job_completed(_: pulumi.ResourceHookArgs) -> None:
        sagemaker_client = boto3.client("sagemaker", region_name=region)
        logs = boto3.client("logs", region_name=region)
        await wait_until_completed(
            job_name, sagemaker_client, logs, attempt=attempt, limit_seconds=limit, say=pulumi.log.info
        )

    model = sagemaker.Model(
        f"{name}-model",
        execution_role_arn=role_arn,
        primary_container={"image": args["image_uri"], "model_data_url": artifact},
        opts=pulumi.ResourceOptions(
            parent=parent,
            hooks=pulumi.ResourceHookBinding(
                before_create=[pulumi.ResourceHook(f"{name}-job-completed", job_completed)]
            ),
        ),
    )
    return TrainedModel(model, job.training_job_name, artifact, pulumi.Output.concat(folder, prefixes.EVIDENCE_FILE))


def _role_arn(name: str, args: TrainingEndpointArgs, child: pulumi.ResourceOptions) -> pulumi.Output[str]:
    role = aws_iam.Role(
        f"{name}-role",
        assume_role_policy=pulumi.Output.from_input(args["account_id"]).apply(
            lambda account: iam.trust("sagemaker.amazonaws.com", account)
        ),
        opts=child,
    )
    policy = aws_iam.RolePolicy(
        f"{name}-role-policy",
        role=role.name,
        policy=pulumi.Output.all(args["bucket_arn"], args["account_id"]).apply(
            lambda known: iam.document(
                iam.read_objects(known[0], [prefixes.DATASET, prefixes.MODELS]),
                iam.write_objects(known[0], [prefixes.MODELS, prefixes.CAPTURE]),
                iam.list_bucket(known[0]),
                iam.sagemaker_logs(args["region"], known[1]),
                iam.sagemaker_metrics(),
                *iam.pull_image(args["image_uri"]),
                *key_grant(args.get("kms_key_arn")),
            )
        ),
        opts=child,
    )
    # whoever takes the role from here takes it with its rights
    return pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0]))


def _job(
    name: str,
    job_name: str,
    args: TrainingEndpointArgs,
    dataset: Manifest,
    role_arn: pulumi.Output[str],
    child: pulumi.ResourceOptions,
) -> sagemaker.TrainingJob:
    folder = f"{prefixes.DATASET}{dataset.identity[:12]}/"
    objects = [
        s3.BucketObject(
            f"{name}-dataset-{channel}-{Path(file).name}",
            bucket=args["bucket"],
            key=f"{folder}{channel}/{Path(file).name}",
            source=pulumi.FileAsset(str(Path(args["dataset_dir"]) / file)),
            source_hash=dataset.files[file],
            content_type=content_type,
            opts=child,
        )
        for channel, content_type in dataset.channels.items()
        for file in dataset.channel_files(channel)
    ]
    models = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS)
    seconds = args["training_max_minutes"] * 60
    waiting = QUEUEING_MINUTES * 60 if args["training_spot"] else 0
    region, attempt = args["region"], args["training_attempt"]

    def name_unused(_: pulumi.ResourceHookArgs) -> None:
        require_unused(job_name, boto3.client("sagemaker", region_name=region), attempt=attempt)

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
        hyper_parameters=dict(args["hyperparameters"]),
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
            "instance_type": args["training_instance_type"],
            "volume_size_in_gb": VOLUME_GB,
        },
        enable_managed_spot_training=args["training_spot"],
        # an interrupted job goes on from its last epoch
        checkpoint_config=(
            {
                "s3_uri": pulumi.Output.concat(models, "checkpoints/", job_name, "/"),
                "local_path": CHECKPOINTS,
            }
            if args["training_spot"]
            else None
        ),
        stopping_condition={
            "max_runtime_in_seconds": seconds,
            "max_wait_time_in_seconds": seconds + waiting if args["training_spot"] else None,
        },
        # an input: the provider does not hear of Pulumi's custom_timeouts for this resource
        timeouts={"create": CREATE_TIMEOUT},
        opts=pulumi.ResourceOptions(
            parent=child.parent,
            depends_on=objects,
            ignore_changes=list(NEVER_REPLACES_A_JOB),
            hooks=pulumi.ResourceHookBinding(
                before_create=[pulumi.ResourceHook(f"{name}-job-name-unused", name_unused)]
            ),
        ),
    )
