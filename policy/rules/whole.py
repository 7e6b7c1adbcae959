"""What holds for every resource."""

from __future__ import annotations

from pulumi_policy import ResourceValidationArgs

from policy.rule import Complaints, on
from policy.values import at

TAGS = ("project", "stack", "component")
TAGGABLE = (
    "aws:appautoscaling/target:Target",
    "aws:budgets/budget:Budget",
    "aws:cloudwatch/eventBus:EventBus",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:codebuild/project:Project",
    "aws:dynamodb/table:Table",
    "aws:iam/role:Role",
    "aws:lambda/function:Function",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketObject:BucketObject",
    "aws:s3/objectCopy:ObjectCopy",
    "aws:sagemaker/endpoint:Endpoint",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    "aws:sagemaker/model:Model",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    "aws:sagemaker/trainingJob:TrainingJob",
    "aws:sfn/stateMachine:StateMachine",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
)


@on(*TAGGABLE)
def tagged_as_the_stacks(args: ResourceValidationArgs) -> Complaints:
    """Who finds a resource in the account, or on the bill, sees whose it is."""
    missing = [tag for tag in TAGS if not at(args.props, "tags", tag)]
    if missing:
        yield f"tags must hold {', '.join(missing)}"
