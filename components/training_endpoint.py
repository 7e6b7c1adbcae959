"""TrainingEndpoint: dataset -> training job -> model -> configuration -> endpoint, addressed by content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from components.parts.hosting import VARIANT, RealtimeHostingArgs, ServerlessHostingArgs, check_hosting, host_model
from components.parts.tags import tagged
from components.parts.trained_model import trained_model
from contract.names import component_type


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


class TrainingEndpoint(pulumi.ComponentResource):
    """A model trained from a dataset, and an endpoint that serves it."""

    endpoint_name: pulumi.Output[str]
    endpoint_arn: pulumi.Output[str]
    variant_name = VARIANT
    training_job_name: pulumi.Output[str]
    model_artifact: pulumi.Output[str]
    evidence_uri: pulumi.Output[str]
    """`s3://` address where the model's evidence is, once it was evaluated."""

    def __init__(self, name: str, args: TrainingEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        realtime, serverless = args.get("realtime"), args.get("serverless")
        check_hosting(realtime, serverless)
        super().__init__(component_type("TrainingEndpoint"), name, None, tagged("TrainingEndpoint", opts))
        trained = trained_model(name, args, self)
        self.training_job_name, self.model_artifact = trained.job_name, trained.artifact
        self.evidence_uri = trained.evidence
        endpoint = host_model(
            name,
            trained.model.name,
            endpoint_name=args["endpoint_name"],
            bucket=args["bucket"],
            kms_key_arn=args.get("kms_key_arn"),
            realtime=realtime,
            serverless=serverless,
            parent=self,
        )
        self.endpoint_name, self.endpoint_arn = endpoint.name, endpoint.arn
        self.register_outputs(
            {
                "endpointName": self.endpoint_name,
                "trainingJobName": self.training_job_name,
                "modelArtifact": self.model_artifact,
            }
        )
