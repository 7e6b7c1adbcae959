"""TrainingEndpoint: dataset -> training job -> model -> configuration -> endpoint, addressed by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import boto3
import pulumi
from pulumi_aws import appautoscaling, s3, sagemaker
from pulumi_aws import iam as aws_iam

from components.parts import iam
from components.parts.encryption import key_grant
from components.parts.tags import tagged
from components.parts.training_job import training_job_name
from components.parts.training_wait import require_unused, wait_until_completed
from contract import prefixes
from contract.names import component_type
from training.dataset.manifest import Manifest, read_manifest

VARIANT = "AllTraffic"
"""The variant's name must stay the same, or an endpoint can't be updated blue/green."""
INVOCATIONS_PER_INSTANCE = 300
"""A minute: five photos a second keep an ml.m5.large about half busy with a small network."""
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


class RealtimeHostingArgs(TypedDict):
    """Instances that are always there."""

    instance_type: pulumi.Input[str]
    """A CPU instance that SageMaker hosts on, such as ml.m5.large."""
    min_instances: int
    """The fewest instances, 1 or more; each roll-out begins with as many."""
    max_instances: int
    """The most instances, `min_instances` or more; equal ones mean no scaling."""
    capture_percentage: NotRequired[int]
    """The share of inferences that is captured, in percent from 0 to 100; 0 without it."""
    rollback_alarms: NotRequired[Sequence[pulumi.Input[str]]]
    """Names of up to 10 alarms that take a new model back while it is rolled out; none without it."""


class ServerlessHostingArgs(TypedDict):
    """Memory that is there when it is asked; AWS captures nothing of what such an endpoint answers."""

    memory_mb: pulumi.Input[int]
    """Megabytes: 1024, 2048, 3072, 4096, 5120 or 6144."""
    max_concurrency: pulumi.Input[int]
    """The most invocations at once, from 1 to 200."""


class TrainingEndpointArgs(TypedDict):
    """What a TrainingEndpoint takes. What makes the model is plain: it must be known to name the job."""

    bucket: pulumi.Input[str]
    """Name of the bucket that takes the dataset, the model artifact and the captures."""
    bucket_arn: pulumi.Input[str]
    """ARN of that bucket."""
    account_id: pulumi.Input[str]
    """The account's 12 digits; only its SageMaker may take the role."""
    region: str
    """The region of the endpoint and of the logs, such as us-east-1."""
    dataset_dir: str
    """A folder that `python -m training prepare` wrote."""
    hyperparameters: Mapping[str, str]
    """All hyperparameters of the algorithm, as texts; `training.job.hyperparameters.resolve` makes them."""
    image_uri: str
    """The algorithm's image in the region."""
    training_instance_type: str
    """A GPU instance of the families P2, P3, G4dn, G5, such as ml.g4dn.xlarge."""
    training_spot: bool
    """Whether to train on spot capacity: cheaper, and it may wait and be interrupted."""
    training_max_minutes: int
    """After how many minutes of training a job is stopped, 5 or more."""
    training_attempt: int
    """Counted from 1, part of the job's name: the next one trains the same inputs anew, after a job that failed."""
    endpoint_name: pulumi.Input[str]
    """The endpoint's own name, which stays the same when its model changes; up to 63 letters, digits, hyphens."""
    realtime: NotRequired[RealtimeHostingArgs | None]
    """Host the model on instances. Exactly one of `realtime` and `serverless` must be given."""
    serverless: NotRequired[ServerlessHostingArgs | None]
    """Host the model on memory that is there when it is asked."""
    kms_key_arn: NotRequired[str | None]
    """ARN of a customer's KMS key for artifact and captures; AWS's own keys encrypt without it."""


def hosting(args: TrainingEndpointArgs) -> tuple[RealtimeHostingArgs | None, ServerlessHostingArgs | None]:
    """`realtime` and `serverless`, of which one is given and the other None, its numbers checked.

    Raises:
        ValueError: none or both are given, or a number is out of its range; with every problem.
    """
    realtime, serverless = args.get("realtime"), args.get("serverless")
    if (realtime is None) == (serverless is None):
        given = "none" if realtime is None else "both"
        raise ValueError(f"exactly one of realtime and serverless must be given, got {given}")
    problems: list[str] = []
    if realtime is not None:
        least, most = realtime["min_instances"], realtime["max_instances"]
        capture = realtime.get("capture_percentage", 0)
        if least < 1:
            problems.append(f"realtime.min_instances must be 1 or more, got {least}")
        if most < least:
            problems.append(f"realtime.max_instances must be min_instances ({least}) or more, got {most}")
        if not 0 <= capture <= 100:
            problems.append(f"realtime.capture_percentage must be from 0 to 100, got {capture}")
    if problems:
        raise ValueError("; ".join(problems))
    return realtime, serverless


class TrainingEndpoint(pulumi.ComponentResource):
    """A model trained from a dataset, and an endpoint that serves it."""

    endpoint_name: pulumi.Output[str]
    endpoint_arn: pulumi.Output[str]
    training_job_name: pulumi.Output[str]
    model_artifact: pulumi.Output[str]

    def __init__(self, name: str, args: TrainingEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        realtime, serverless = hosting(args)
        super().__init__(component_type("TrainingEndpoint"), name, None, tagged("TrainingEndpoint", opts))
        self._child = pulumi.ResourceOptions(parent=self)
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
        role_arn = self._role_arn(name, args)
        job = self._job(name, job_name, args, dataset, role_arn)
        output = pulumi.Output.concat("s3://", args["bucket"], "/", prefixes.MODELS)
        self.training_job_name = job.training_job_name
        self.model_artifact = pulumi.Output.concat(output, job.training_job_name, "/output/model.tar.gz")
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
            primary_container={"image": args["image_uri"], "model_data_url": self.model_artifact},
            opts=pulumi.ResourceOptions(
                parent=self,
                hooks=pulumi.ResourceHookBinding(
                    before_create=[pulumi.ResourceHook(f"{name}-job-completed", job_completed)]
                ),
            ),
        )
        endpoint = self._endpoint(name, args, realtime, serverless, model)
        self.endpoint_name, self.endpoint_arn = endpoint.name, endpoint.arn
        if realtime is not None and realtime["max_instances"] > realtime["min_instances"]:
            self._scaling(name, realtime, endpoint)
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
                opts=self._child,
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
                parent=self,
                depends_on=objects,
                ignore_changes=list(NEVER_REPLACES_A_JOB),
                hooks=pulumi.ResourceHookBinding(
                    before_create=[pulumi.ResourceHook(f"{name}-job-name-unused", name_unused)]
                ),
            ),
        )

    def _endpoint(
        self,
        name: str,
        args: TrainingEndpointArgs,
        realtime: RealtimeHostingArgs | None,
        serverless: ServerlessHostingArgs | None,
        model: sagemaker.Model,
    ) -> sagemaker.Endpoint:
        variant: sagemaker.EndpointConfigurationProductionVariantArgsDict = {
            "variant_name": VARIANT,
            "model_name": model.name,
        }
        if realtime is not None:
            variant["instance_type"] = realtime["instance_type"]
            variant["initial_instance_count"] = realtime["min_instances"]
        if serverless is not None:
            variant["serverless_config"] = {
                "memory_size_in_mb": serverless["memory_mb"],
                "max_concurrency": serverless["max_concurrency"],
            }
        capture = realtime.get("capture_percentage", 0) if realtime is not None else 0
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
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        alarms = realtime.get("rollback_alarms", ()) if realtime is not None else ()
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
                if realtime is not None
                else None
            ),
            opts=self._child,
        )

    def _scaling(self, name: str, realtime: RealtimeHostingArgs, endpoint: sagemaker.Endpoint) -> None:
        target = appautoscaling.Target(
            f"{name}-scaling-target",
            service_namespace="sagemaker",
            resource_id=pulumi.Output.concat("endpoint/", endpoint.name, f"/variant/{VARIANT}"),
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=realtime["min_instances"],
            max_capacity=realtime["max_instances"],
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
