"""TrainingEndpoint: dataset -> training job -> model -> configuration -> endpoint, addressed by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict, cast

import boto3
import pulumi
from pulumi_aws import appautoscaling, s3, sagemaker
from pulumi_aws import iam as aws_iam

from components.parts import iam
from components.parts.encryption import key_grant
from components.parts.tags import tags
from components.parts.training_job import require_completed, training_job_name
from contract import prefixes
from contract.names import component_type
from training.dataset.manifest import Manifest, read_manifest

VARIANT = "AllTraffic"
"""The variant's name must stay the same, or an endpoint can't be updated blue/green."""
INVOCATIONS_PER_INSTANCE = 300
"""A minute: five photos a second keep an ml.m5.large about half busy with a small network."""
QUEUEING_MINUTES = 60
"""What a job may wait for spot capacity, and the provider for everything that is not training."""
VOLUME_GB = 30


class TrainingEndpointArgs(TypedDict):
    """What a TrainingEndpoint takes. What makes the model is plain: it must be known to name the job."""

    bucket: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    region: str
    dataset_dir: str
    """A folder that `python -m training prepare` wrote."""
    hyperparameters: Mapping[str, str]
    image_uri: str
    training_instance_type: str
    training_spot: bool
    training_max_minutes: int
    endpoint_name: pulumi.Input[str]
    mode: str
    """`realtime` (instances, scaling, capture) or `serverless` (memory, concurrency)."""
    instance_type: NotRequired[pulumi.Input[str]]
    min_instances: NotRequired[int]
    max_instances: NotRequired[int]
    capture_percentage: NotRequired[int]
    memory_mb: NotRequired[pulumi.Input[int]]
    max_concurrency: NotRequired[pulumi.Input[int]]
    rollback_alarms: NotRequired[Sequence[pulumi.Input[str]]]
    """Names of alarms that take a new model back while it is rolled out."""
    kms_key_arn: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Realtime:
    """Instances that are always there."""

    instance_type: pulumi.Input[str]
    min_instances: int
    max_instances: int
    capture_percentage: int
    rollback_alarms: Sequence[pulumi.Input[str]]


@dataclass(frozen=True, slots=True)
class Serverless:
    """Memory on demand, and no capture."""

    memory_mb: pulumi.Input[int]
    max_concurrency: pulumi.Input[int]


def hosting(args: TrainingEndpointArgs) -> Realtime | Serverless:
    """How the model is hosted, when `args` hold all that its mode needs and nothing that it knows not of.

    Raises:
        ValueError: naming what is too much or missing.
    """
    realtime = ("instance_type", "min_instances", "max_instances", "capture_percentage", "rollback_alarms")
    serverless = ("memory_mb", "max_concurrency")
    mode = args["mode"]
    if mode not in ("realtime", "serverless"):
        raise ValueError(f"mode must be realtime or serverless, got {mode!r}")
    foreign = [key for key in (serverless if mode == "realtime" else realtime) if key in args]
    if foreign:
        raise ValueError(f"a {mode} endpoint must not be given {', '.join(foreign)}")
    needed = realtime[:3] if mode == "realtime" else serverless
    missing = [key for key in needed if key not in args]
    if missing:
        raise ValueError(f"a {mode} endpoint must be given {', '.join(missing)}")
    if mode == "serverless":
        return Serverless(args.get("memory_mb", 0), args.get("max_concurrency", 0))
    return Realtime(
        args.get("instance_type", ""),
        args.get("min_instances", 0),
        args.get("max_instances", 0),
        args.get("capture_percentage", 0),
        args.get("rollback_alarms", ()),
    )


class TrainingEndpoint(pulumi.ComponentResource):
    """A model trained from a dataset, and an endpoint that serves it."""

    endpoint_name: pulumi.Output[str]
    endpoint_arn: pulumi.Output[str]
    training_job_name: pulumi.Output[str]
    model_artifact: pulumi.Output[str]

    def __init__(self, name: str, args: TrainingEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        host = hosting(args)
        super().__init__(component_type("TrainingEndpoint"), name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags("TrainingEndpoint")
        dataset = read_manifest(Path(args["dataset_dir"]))
        job_name = training_job_name(
            f"{pulumi.get_project()}-{pulumi.get_stack()}",
            dataset=dataset.identity,
            image_uri=args["image_uri"],
            hyperparameters=args["hyperparameters"],
            instance_type=args["training_instance_type"],
            spot=args["training_spot"],
        )
        role_arn = self._role_arn(name, args)
        job = self._job(name, job_name, args, dataset, role_arn)
        output = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS)
        self.training_job_name = job.training_job_name
        self.model_artifact = pulumi.Output.concat(output, job.training_job_name, "/output/model.tar.gz")
        region = args["region"]

        def job_completed(_: pulumi.ResourceHookArgs) -> None:
            client = boto3.client("sagemaker", region_name=region)
            require_completed(
                job_name,
                lambda job: cast("Mapping[str, object]", client.describe_training_job(TrainingJobName=job)),
            )

        model = sagemaker.Model(
            f"{name}-model",
            execution_role_arn=role_arn,
            primary_container={"image": args["image_uri"], "model_data_url": self.model_artifact},
            tags=self._tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                hooks=pulumi.ResourceHookBinding(
                    before_create=[pulumi.ResourceHook(f"{name}-job-completed", job_completed)]
                ),
            ),
        )
        endpoint = self._endpoint(name, args, host, model)
        self.endpoint_name, self.endpoint_arn = endpoint.name, endpoint.arn
        if isinstance(host, Realtime) and host.max_instances > host.min_instances:
            self._scaling(name, host, endpoint)
        self.register_outputs(
            {
                "endpointName": self.endpoint_name,
                "trainingJobName": self.training_job_name,
                "modelArtifact": self.model_artifact,
            }
        )

    def _role_arn(self, name: str, args: TrainingEndpointArgs) -> pulumi.Output[str]:
        role = aws_iam.Role(
            f"{name}-role",
            assume_role_policy=pulumi.Output.from_input(args["account_id"]).apply(
                lambda account: iam.trust("sagemaker.amazonaws.com", account)
            ),
            tags=self._tags,
            opts=self._child,
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
            opts=self._child,
        )
        # whoever takes the role from here takes it with its rights
        return pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0]))

    def _job(
        self,
        name: str,
        job_name: str,
        args: TrainingEndpointArgs,
        dataset: Manifest,
        role_arn: pulumi.Output[str],
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
                tags=self._tags,
                opts=self._child,
            )
            for channel, content_type in dataset.channels.items()
            for file in dataset.channel_files(channel)
        ]
        models = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS)
        seconds = args["training_max_minutes"] * 60
        waiting = QUEUEING_MINUTES * 60 if args["training_spot"] else 0
        minutes = args["training_max_minutes"] + QUEUEING_MINUTES
        # The job's name, hence its content, is in the resource's name: other content is another resource, and
        # what does not make the model (limits, key, role) leaves a job that is done alone.
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
                {"s3_uri": pulumi.Output.concat(models, "checkpoints/", job_name, "/")}
                if args["training_spot"]
                else None
            ),
            stopping_condition={
                "max_runtime_in_seconds": seconds,
                "max_wait_time_in_seconds": seconds + waiting if args["training_spot"] else None,
            },
            tags=self._tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=objects,
                custom_timeouts=pulumi.CustomTimeouts(create=f"{minutes}m"),
                ignore_changes=["roleArn", "outputDataConfig", "stoppingCondition"],
            ),
        )

    def _endpoint(
        self, name: str, args: TrainingEndpointArgs, host: Realtime | Serverless, model: sagemaker.Model
    ) -> sagemaker.Endpoint:
        variant: sagemaker.EndpointConfigurationProductionVariantArgsDict = {
            "variant_name": VARIANT,
            "model_name": model.name,
        }
        if isinstance(host, Realtime):
            variant["instance_type"] = host.instance_type
            variant["initial_instance_count"] = host.min_instances
        else:
            variant["serverless_config"] = {
                "memory_size_in_mb": host.memory_mb,
                "max_concurrency": host.max_concurrency,
            }
        capture = host.capture_percentage if isinstance(host, Realtime) else 0
        # No name of our own, so that a change makes another one; and kept when it is replaced, since the
        # provider would delete it under an endpoint that was rolled back to it.
        configuration = sagemaker.EndpointConfiguration(
            f"{name}-configuration",
            production_variants=[variant],
            data_capture_config=(
                {
                    "enable_capture": True,
                    "initial_sampling_percentage": capture,
                    "destination_s3_uri": pulumi.Output.concat(
                        "s3://", args["bucket"], "/", prefixes.CAPTURE.rstrip("/")
                    ),
                    "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
                    # else the answers are captured in base64 too
                    "capture_content_type_header": {"json_content_types": ["application/json"]},
                    "kms_key_id": args.get("kms_key_arn"),
                }
                if capture
                else None
            ),
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        alarms = host.rollback_alarms if isinstance(host, Realtime) else ()
        return sagemaker.Endpoint(
            f"{name}-endpoint",
            name=args["endpoint_name"],
            endpoint_config_name=configuration.name,
            deployment_config=(
                {
                    "blue_green_update_policy": {
                        "traffic_routing_configuration": {
                            "type": "ALL_AT_ONCE",
                            "wait_interval_in_seconds": 300,
                        },
                        "termination_wait_in_seconds": 60,
                    },
                    "auto_rollback_configuration": (
                        {"alarms": [{"alarm_name": alarm} for alarm in alarms]} if alarms else None
                    ),
                }
                if isinstance(host, Realtime)
                else None
            ),
            tags=self._tags,
            opts=self._child,
        )

    def _scaling(self, name: str, host: Realtime, endpoint: sagemaker.Endpoint) -> None:
        target = appautoscaling.Target(
            f"{name}-scaling-target",
            service_namespace="sagemaker",
            resource_id=pulumi.Output.concat("endpoint/", endpoint.name, f"/variant/{VARIANT}"),
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=host.min_instances,
            max_capacity=host.max_instances,
            tags=self._tags,
            opts=self._child,
        )
        appautoscaling.Policy(
            f"{name}-scaling-policy",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            policy_type="TargetTrackingScaling",
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"},
                "target_value": INVOCATIONS_PER_INSTANCE,
            },
            opts=self._child,
        )
