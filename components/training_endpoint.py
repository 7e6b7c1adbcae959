"""TrainingEndpoint: a trained or a promoted model -> configuration -> endpoint."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import pulumi

from components.parts import bounds
from components.parts.arguments import Arguments
from components.parts.hosting import (
    VARIANT,
    RealtimeHostingArgs,
    ServerlessHostingArgs,
    check_hosting,
    host_model,
    wanted_hosting,
)
from components.parts.model_source import execution_role, left_in, make_model
from components.parts.promoted_model import BaselineArgs, PromotedModelArgs, promote, put_baseline
from components.parts.registered_model import RegisterEntryArgs, register_serving
from components.parts.rollout import guarded
from components.parts.tags import tagged
from components.parts.trained_model import TrainingArgs, train
from contract.names import component_type


class TrainingEndpointArgs(TypedDict):
    """What a TrainingEndpoint takes."""

    bucket: pulumi.Input[str]
    """Name of the bucket that takes the dataset, the model artifact and the captures."""
    bucket_arn: pulumi.Input[str]
    """ARN of that bucket."""
    account_id: pulumi.Input[str]
    """The account's 12 digits; only its SageMaker may take the role."""
    region: str
    """The region of the endpoint and of the logs, such as us-east-1."""
    image_uri: str
    """The algorithm's image in the region, which trains and serves."""
    training: NotRequired[TrainingArgs | None]
    """Train a model. Exactly one of `training`, `promoted` and `trained_job` must be given."""
    promoted: NotRequired[PromotedModelArgs | None]
    """Serve a model that another stack has trained."""
    trained_job: NotRequired[str | None]
    """Serve the model that this finished training job left in the bucket."""
    retrains: NotRequired[bool]
    """Whether jobs beside this component train with its role, which may then read datasets and write models; and
    whether what a promoted model was made of is copied with it. False without it."""
    baseline: NotRequired[BaselineArgs | None]
    """Put this where drift is measured against it; for a model that was measured before it serves here."""
    register: NotRequired[RegisterEntryArgs | None]
    """Register the model once it serves; nothing is registered without it."""
    endpoint_name: pulumi.Input[str]
    """The endpoint's own name, which stays the same when its model changes; up to 63 letters, digits, hyphens."""
    realtime: NotRequired[RealtimeHostingArgs | None]
    """Host the model on instances. Exactly one of `realtime` and `serverless` must be given."""
    serverless: NotRequired[ServerlessHostingArgs | None]
    """Host the model on memory that is there when it is asked."""
    log_retention_days: pulumi.Input[int]
    """Days after which the endpoint's log is deleted: one of the values that CloudWatch Logs takes."""
    kms_key_arn: NotRequired[str | None]
    """ARN of a customer's KMS key for artifact, captures, log, and the volumes of instances without disks of their own
    (those are encrypted by their hardware); AWS's own keys encrypt without it."""


class TrainingEndpoint(pulumi.ComponentResource):
    """A model, trained from a dataset or taken from another stack, and an endpoint that serves it."""

    endpoint_name: pulumi.Output[str]
    endpoint_arn: pulumi.Output[str]
    endpoint_configuration: pulumi.Output[str]
    """Name of the configuration that the endpoint serves."""
    variant_name = VARIANT
    training_job_name: pulumi.Output[str]
    model_artifact: pulumi.Output[str]
    role_arn: pulumi.Output[str]
    """Of the role that hosts the model."""
    evidence_uri: pulumi.Output[str]
    """`s3://` address where the model's evidence is, once it was evaluated."""

    def __init__(self, name: str, args: TrainingEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        realtime, serverless = args.get("realtime"), args.get("serverless")
        check_hosting(name, realtime, serverless)
        training, promoted, trained_job = args.get("training"), args.get("promoted"), args.get("trained_job")
        _check(name, args)
        guard = guarded(name, args["endpoint_name"], VARIANT, wanted_hosting(realtime), args["region"])
        opts = pulumi.ResourceOptions.merge(tagged("TrainingEndpoint", opts), guard)
        super().__init__(component_type("TrainingEndpoint"), name, None, opts)
        trains = training is not None or args.get("retrains", False)
        role_arn = execution_role(name, args, self, trains=trains)
        if training is not None:
            source = train(name, training, args, role_arn, self)
        elif promoted is not None:
            source = promote(name, promoted, args, self)
        else:
            assert trained_job is not None
            source = left_in(args["bucket"], trained_job)
        model = make_model(name, source, args, role_arn, self)
        hosted = host_model(
            name,
            model.name,
            endpoint_name=args["endpoint_name"],
            region=args["region"],
            bucket=args["bucket"],
            log_retention_days=args["log_retention_days"],
            kms_key_arn=args.get("kms_key_arn"),
            realtime=realtime,
            serverless=serverless,
            parent=self,
        )
        if baseline := args.get("baseline"):
            put_baseline(name, baseline, bucket=args["bucket"], parent=self)
        if entry := args.get("register"):
            register_serving(
                name,
                source,
                hosted,
                entry,
                bucket=args["bucket"],
                region=args["region"],
                image=args["image_uri"],
                parent=self,
            )
        self.endpoint_name, self.endpoint_arn = hosted.name, hosted.arn
        self.role_arn = role_arn
        # what names the model is not said of one that does not serve
        self.endpoint_configuration = hosted.once_serving(hosted.configuration)
        self.training_job_name = hosted.once_serving(source.job_name)
        self.model_artifact = hosted.once_serving(source.artifact)
        self.evidence_uri = hosted.once_serving(source.evidence)
        self.register_outputs(
            {
                "endpointName": self.endpoint_name,
                "trainingJobName": self.training_job_name,
                "modelArtifact": self.model_artifact,
            }
        )


def _check(name: str, args: TrainingEndpointArgs) -> None:
    given = Arguments("TrainingEndpoint", name, args)
    sources = {each: args.get(each) for each in ("training", "promoted", "trained_job")}
    given.exactly_one(**sources)
    given.required("bucket", bounds.BUCKET_NAME)
    given.required("bucket_arn", bounds.BUCKET_ARN)
    given.required("account_id", bounds.ACCOUNT_ID)
    given.required("region", bounds.REGION)
    given.given("image_uri")
    given.required("endpoint_name", bounds.ENDPOINT_NAME)
    given.required("log_retention_days", bounds.LOG_RETENTION_DAYS)
    given.optional("retrains", bounds.YES_OR_NO)
    given.optional("kms_key_arn", bounds.KMS_KEY)
    given.may_have(*sources, "baseline", "register", "realtime", "serverless")
    given.refuse()
