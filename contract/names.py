"""Names that more than one package uses of the project, and of AWS, each written once."""

from __future__ import annotations

PROJECT = "scones"
"""The project of Pulumi.yaml: the namespace of its configuration and of the components' types."""

TRAINING_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
"""Where SageMaker writes what training jobs print."""

ENDPOINT_LOG_GROUP = "/aws/sagemaker/Endpoints"
"""What the log groups of endpoints begin with; the endpoint's name follows after a slash."""


def component_type(name: str) -> str:
    """The type token of one of the project's components, such as `scones:components:DataBucket`."""
    return f"{PROJECT}:components:{name}"


def setting(key: str) -> str:
    """A setting by its full key, as `pulumi config` and stack files have it, such as `scones:classes`."""
    return f"{PROJECT}:{key}"
