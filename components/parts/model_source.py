"""Where the model that an endpoint serves comes from, however that is, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_aws import iam as aws_iam
from pulumi_aws import sagemaker

from components.parts import iam
from components.parts.encryption import sagemaker_key_grant
from contract import prefixes

if TYPE_CHECKING:
    from components.training_endpoint import TrainingEndpointArgs


@dataclass(frozen=True, slots=True)
class ModelSource:
    """An artifact in the stack's own bucket, whose it is, and what must be so before a model is made of it."""

    job_name: pulumi.Output[str]
    """The training job."""
    artifact: pulumi.Output[str]
    """`s3://` address of the model.tar.gz."""
    evidence: pulumi.Output[str]
    """`s3://` address where the model's evidence is, once it was evaluated."""
    before_model: tuple[pulumi.ResourceHook, ...] = ()
    chosen: bool = False
    """Whether somebody chose this very model, instead of having one trained."""
    dataset: str = ""
    """The identity of the dataset that it was trained with, where that is known."""
    origin: str = ""
    """ARN of the register of the stack that it was taken from; empty for one's own."""


def left_in(bucket: pulumi.Input[str], job_name: str) -> ModelSource:
    """What a training job that is finished left in a bucket."""
    folder = pulumi.Output.concat("s3://", bucket, "/", prefixes.MODELS, job_name, "/")
    return ModelSource(
        job_name=pulumi.Output.from_input(job_name),
        artifact=pulumi.Output.concat(folder, prefixes.ARTIFACT_FILE),
        evidence=pulumi.Output.concat(folder, prefixes.EVIDENCE_FILE),
        chosen=True,
    )


def execution_role(
    name: str, args: TrainingEndpointArgs, parent: pulumi.Resource, *, trains: bool
) -> pulumi.Output[str]:
    """The ARN of the role that SageMaker takes to host a model, and to train one.

    Args:
        name: what the resources' names begin with.
        args: the component's.
        parent: the component.
        trains: whether it trains, and so reads the dataset and writes the model.
    """
    child = pulumi.ResourceOptions(parent=parent)
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
        policy=pulumi.Output.all(args["bucket_arn"], args["account_id"], args["endpoint_name"]).apply(
            lambda known: iam.document(*_rights(name, args, known[0], known[1], known[2], trains=trains))
        ),
        opts=child,
    )
    # whoever takes the role from here takes it with its rights
    return pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0]))


def _rights(
    name: str, args: TrainingEndpointArgs, bucket_arn: str, account_id: str, endpoint_name: str, *, trains: bool
) -> list[iam.Statement]:
    """What SageMaker does with the role: SageMaker Developer Guide, "Execution roles"."""
    realtime, training = args.get("realtime"), args.get("training")
    captures = realtime is not None and realtime.get("capture_percentage", 0) > 0
    written = [*([prefixes.MODELS] if trains else []), *([prefixes.CAPTURE] if captures else [])]
    instances = [each["instance_type"] for each in (realtime, training) if each is not None]
    return [
        iam.read_objects(bucket_arn, [*([prefixes.DATASET] if trains else []), prefixes.MODELS]),
        *([iam.write_objects(bucket_arn, written)] if written else []),
        iam.list_bucket(bucket_arn),
        iam.sagemaker_logs(args["region"], account_id, endpoint_name, trains=trains),
        iam.sagemaker_metrics(trains=trains),
        # a serverless endpoint is rolled out without them
        *([iam.describe_alarms(args["region"], account_id, f"{name}-rollback-")] if realtime else []),
        *iam.pull_image(args["image_uri"]),
        *sagemaker_key_grant(args.get("kms_key_arn"), writes=bool(written), volumes=instances),
    ]


def make_model(
    name: str, source: ModelSource, args: TrainingEndpointArgs, role_arn: pulumi.Input[str], parent: pulumi.Resource
) -> sagemaker.Model:
    """Make a model of an artifact, once that may be."""
    return sagemaker.Model(
        f"{name}-model",
        execution_role_arn=role_arn,
        primary_container={"image": args["image_uri"], "model_data_url": source.artifact},
        # the container sees photos and has no way out; a serverless endpoint takes no such model (SageMaker Developer
        # Guide, "Serverless Inference", feature exclusions)
        enable_network_isolation=args.get("realtime") is not None,
        opts=pulumi.ResourceOptions(
            parent=parent,
            hooks=pulumi.ResourceHookBinding(before_create=[*source.before_model]) if source.before_model else None,
        ),
    )
