"""Which inputs can't be changed in place, for every type that the program registers.

Neither pulumi-aws's Python package nor Terraform's schema in JSON says it. The table was checked with the provider
that pulumi-aws bridges (hashicorp/aws 5.100): `terraform plan` on a state that differs in one input from the
configuration, input by input, says "forces replacement" for these and for no others. Its source says the rest:
`type` of a state machine, and the training job, which 5.100 does not have (internal/service, November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping

BUCKET = "aws:s3/bucket:Bucket"
ROLE = "aws:iam/role:Role"
FUNCTION = "aws:lambda/function:Function"
RULE = "aws:cloudwatch/eventRule:EventRule"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"
TARGET = "aws:appautoscaling/target:Target"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
JOB = "aws:sagemaker/trainingJob:TrainingJob"
MODEL = "aws:sagemaker/model:Model"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"

_OF_A_BUCKET = {"bucket": (BUCKET,), "expectedBucketOwner": ()}

REPLACING: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    BUCKET: {"bucket": ()},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _OF_A_BUCKET,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _OF_A_BUCKET,
    "aws:s3/bucketVersioning:BucketVersioning": _OF_A_BUCKET,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _OF_A_BUCKET,
    "aws:s3/bucketPolicy:BucketPolicy": _OF_A_BUCKET,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _OF_A_BUCKET,
    "aws:s3/bucketNotification:BucketNotification": _OF_A_BUCKET,
    "aws:s3/bucketObject:BucketObject": {"bucket": (BUCKET,), "key": ()},
    "aws:s3/objectCopy:ObjectCopy": {"bucket": (BUCKET,), "key": (), "source": ()},
    ROLE: {"name": (), "path": ()},
    "aws:iam/rolePolicy:RolePolicy": {"name": (), "role": (ROLE,)},
    JOB: {"trainingJobName": ()},
    MODEL: {
        "name": (),
        "executionRoleArn": (ROLE,),
        "primaryContainer": (JOB,),
        "enableNetworkIsolation": (),
        "vpcConfig": (),
    },
    CONFIGURATION: {"name": (), "productionVariants": (MODEL,), "dataCaptureConfig": (BUCKET,), "kmsKeyArn": ()},
    ENDPOINT: {"name": ()},
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": {
        "modelPackageGroupName": (),
        "modelPackageGroupDescription": (),
    },
    TARGET: {"resourceId": (ENDPOINT,), "scalableDimension": (), "serviceNamespace": ()},
    "aws:appautoscaling/policy:Policy": {
        "name": (),
        "resourceId": (ENDPOINT, TARGET),
        "scalableDimension": (),
        "serviceNamespace": (),
    },
    "aws:lambda/layerVersion:LayerVersion": {
        "layerName": (),
        "code": (),
        "description": (),
        "compatibleRuntimes": (),
        "compatibleArchitectures": (),
    },
    FUNCTION: {"name": (), "packageType": ()},
    "aws:lambda/invocation:Invocation": {
        "functionName": (FUNCTION,),
        "qualifier": (),
        "triggers": (),
    },
    "aws:lambda/permission:Permission": {
        "action": (),
        "function": (FUNCTION,),
        "principal": (),
        "sourceArn": (RULE, ALARM),
        "sourceAccount": (),
        "statementId": (),
    },
    "aws:cloudwatch/logGroup:LogGroup": {"name": (), "logGroupClass": ()},
    "aws:cloudwatch/eventBus:EventBus": {"name": ()},
    RULE: {"name": (), "eventBusName": ("aws:cloudwatch/eventBus:EventBus",)},
    "aws:cloudwatch/eventTarget:EventTarget": {"rule": (RULE,), "eventBusName": (), "targetId": ()},
    ALARM: {"name": ()},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName": ()},
    "aws:codebuild/project:Project": {"name": ()},
    "aws:budgets/budget:Budget": {"name": (), "accountId": ()},
    "aws:dynamodb/table:Table": {"name": (), "hashKey": (), "rangeKey": ()},
    QUEUE: {"name": (), "fifoQueue": ()},
    "aws:sqs/queuePolicy:QueuePolicy": {"queueUrl": (QUEUE,)},
    TOPIC: {"name": (), "fifoTopic": ()},
    "aws:sns/topicPolicy:TopicPolicy": {"arn": (TOPIC,)},
    "aws:sns/topicSubscription:TopicSubscription": {"topic": (TOPIC,), "protocol": (), "endpoint": ()},
    "aws:sfn/stateMachine:StateMachine": {"name": (), "type": ()},
}
"""By type, the inputs, each with the types of the resources whose replacement changes it."""

MAKES_THE_MODEL = ("algorithmSpecification", "enableManagedSpotTraining", "hyperParameters", "resourceConfig")
"""Inputs of a training job that are in its name, and so in its URN: a change is another job, and another model."""
