"""For every rule a resource that keeps it and others that break it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ARN = "arn:aws:sqs:us-east-1:123456789012:queue"
BUCKET_ARN = "arn:aws:s3:::photos"


def statement(**keys: Any) -> dict[str, Any]:
    return {"Sid": "Example", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [ARN], **keys}


def document(**keys: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement(**keys)]})


TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [BUCKET_ARN, f"{BUCKET_ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ON_BEHALF = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
EVENTS = {"Service": "events.amazonaws.com"}
TAGS = {"project": "p", "stack": "s", "component": "c"}


@dataclass(frozen=True)
class Example:
    type: str
    keeps: dict[str, Any]
    breaks: tuple[dict[str, Any], ...]
    region: str = "us-east-1"


ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
CLOSED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
OLD = {"status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30}}
GONE = {"status": "Enabled", "expiration": {"expiredObjectDeleteMarker": True}}
EXPIRES = {"id": "photos", "status": "Enabled", "expiration": {"days": 75}}
BROKEN = {"status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 3}}
BUILD = "aws:codebuild/project:Project"
BUDGET = "aws:budgets/budget:Budget"
HEARD = {"notificationType": "FORECASTED", "subscriberSnsTopicArns": [ARN]}
TABLE, QUEUE, FUNCTION = "aws:dynamodb/table:Table", "aws:sqs/queue:Queue", "aws:lambda/function:Function"
MACHINE, JOB, MODEL = (
    "aws:sfn/stateMachine:StateMachine", "aws:sagemaker/trainingJob:TrainingJob", "aws:sagemaker/model:Model",
)  # fmt: skip
CONFIGURATION, ENDPOINT = "aws:sagemaker/endpointConfiguration:EndpointConfiguration", "aws:sagemaker/endpoint:Endpoint"
ALARM, ROLE_POLICY = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:iam/rolePolicy:RolePolicy"
QUEUE_POLICY, PERMISSION = "aws:sqs/queuePolicy:QueuePolicy", "aws:lambda/permission:Permission"
INSTANCES = {"productionVariants": [{"instanceType": "ml.m5.large"}]}
CAPTURED = {
    "enableCapture": True, "initialSamplingPercentage": 100,
    "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
    "captureContentTypeHeader": {"jsonContentTypes": ["application/json"]},
}  # fmt: skip
CANARY = {"trafficRoutingConfiguration": {"type": "CANARY"}}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"


def assumed(**keys: Any) -> dict[str, str]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}, **keys}
    return {"assumeRolePolicy": json.dumps({"Statement": [trust]})}


def distributed(**keys: Any) -> str:
    state = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}}, **keys}
    return json.dumps({"StartAt": "All", "States": {"All": state}})


def sse(**keys: Any) -> dict[str, Any]:
    by_default = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": keys.pop("algorithm")}}
    return {"rules": [{**by_default, **keys}]}


EXAMPLES: dict[str, Example] = {
    "bucket-closed": Example(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        CLOSED,
        (
            {**CLOSED, "blockPublicAcls": False},
            *({key: value for key, value in CLOSED.items() if key != left} for left in CLOSED),
        ),
    ),
    "bucket-owns-its-objects": Example(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        ({"rule": {"objectOwnership": "ObjectWriter"}}, {}),
    ),
    "bucket-versioned": Example(
        "aws:s3/bucketVersioning:BucketVersioning",
        {"versioningConfiguration": {"status": "Enabled"}},
        ({"versioningConfiguration": {"status": "Suspended"}}, {}),
    ),
    "bucket-encrypted": Example(
        ENCRYPTION,
        sse(algorithm="aws:kms", bucketKeyEnabled=True),
        ({"rules": []}, sse(algorithm="rot13"), sse(algorithm="aws:kms", bucketKeyEnabled=False)),
    ),
    "bucket-refuses-plain-http": Example(
        "aws:s3/bucketPolicy:BucketPolicy",
        {"policy": json.dumps({"Statement": [TLS]})},
        (
            {"policy": json.dumps({"Statement": []})},
            {"policy": json.dumps({"Statement": [{**TLS, "Effect": "Allow"}]})},
            {"policy": json.dumps({"Statement": [{**TLS, "Resource": [BUCKET_ARN]}]})},
            {"policy": json.dumps({"Statement": [{**TLS, "Action": "s3:PutObject"}]})},
        ),
    ),
    "bucket-tidied": Example(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {"rules": [OLD, BROKEN, GONE]},
        (
            {"rules": [OLD, GONE]}, {"rules": [BROKEN, GONE]}, {"rules": [OLD, BROKEN]},
            {"rules": [{**OLD, "status": "Disabled"}, BROKEN, GONE]},
        ),
    ),
    "bucket-forgets-photos": Example(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {"rules": [{**EXPIRES, **OLD}, GONE]},
        ({"rules": [EXPIRES]}, {"rules": [OLD, GONE]}, {"rules": [{**EXPIRES, **OLD, "status": "Disabled"}]}),
    ),
    "table-recoverable": Example(
        TABLE, {"pointInTimeRecovery": {"enabled": True}}, ({}, {"pointInTimeRecovery": {"enabled": False}})
    ),
    "table-encrypted": Example(
        TABLE, {"serverSideEncryption": {"enabled": True}}, ({}, {"serverSideEncryption": {"enabled": False}})
    ),
    "table-forgets": Example(
        TABLE, {"ttl": {"enabled": True, "attributeName": "expires_at"}}, ({}, {"ttl": {"enabled": False}})
    ),
    "actions-named": Example(
        ROLE_POLICY,
        {"policy": document()},
        ({"policy": document(Action="sqs:*")}, {"policy": document(Action=None, NotAction=["iam:*"])}),
    ),
    "resources-named": Example(
        ROLE_POLICY,
        {"policy": document(Resource="*", Condition={"StringEquals": {"cloudwatch:namespace": "Scones"}})},
        ({"policy": document(Resource="*")}, {"policy": document(Resource=None, NotResource=[ARN])}),
    ),
    "nobody-unnamed-allowed": Example(
        QUEUE_POLICY,
        {"policy": document(Principal=EVENTS, Condition=ON_BEHALF)},
        ({"policy": document(Principal="*")}, {"policy": document(Principal={"AWS": "*"}, Condition=ON_BEHALF)}),
    ),
    "role-trusts-on-behalf": Example(
        "aws:iam/role:Role",
        assumed(Condition=ON_BEHALF),
        (assumed(), assumed(Principal="*"), assumed(Condition={"StringEquals": {"aws:PrincipalOrgID": "o"}})),
    ),
    "service-acts-on-behalf": Example(
        QUEUE_POLICY,
        {"policy": document(Principal=EVENTS, Condition={"ArnEquals": {"aws:SourceArn": ARN}})},
        ({"policy": document(Principal=EVENTS)},),
    ),
    "invocation-on-behalf": Example(
        PERMISSION,
        {"principal": "events.amazonaws.com", "sourceArn": ARN},
        ({"principal": "events.amazonaws.com"}, {"principal": "*", "sourceArn": ARN}),
    ),
    "partition-of-the-region": Example(
        ROLE_POLICY,
        {"policy": document(Resource="arn:aws-cn:sqs:cn-north-1:123456789012:queue")},
        ({"policy": document()}, {"policy": [{"deep": "see arn:aws-us-gov:s3:::photos"}]}),
        region="cn-north-1",
    ),
    "logs-expire": Example("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 30}, ({}, {"retentionInDays": 0})),
    "function-logs-where-it-is-told": Example(
        FUNCTION, {"loggingConfig": {"logGroup": "logs"}}, ({}, {"loggingConfig": {"logFormat": "Text"}})
    ),
    "function-bounded": Example(
        FUNCTION,
        {"timeout": 30, "memorySize": 256},
        ({"timeout": 30}, {"memorySize": 256}, {"timeout": 900, "memorySize": 256}),
    ),
    "function-runtime-supported": Example(FUNCTION, {"runtime": "python3.13"}, ({"runtime": "python3.9"}, {})),
    "build-bounded": Example(
        BUILD, {"buildTimeout": 240, "concurrentBuildLimit": 1}, ({"buildTimeout": 240}, {"concurrentBuildLimit": 1})
    ),
    "build-unprivileged": Example(BUILD, {"environment": {}}, ({"environment": {"privilegedMode": True}},)),
    "build-logs-where-it-is-told": Example(
        BUILD, {"logsConfig": {"cloudwatchLogs": {"groupName": "/aws/codebuild/p"}}}, ({}, {"logsConfig": {}})
    ),
    "build-holds-no-secret": Example(
        BUILD,
        {"environment": {"environmentVariables": [{"name": "TOPIC", "value": "x"}]}},
        ({"environment": {"environmentVariables": [{"name": "API_TOKEN", "value": "x"}]}},),
    ),
    "function-holds-no-secret": Example(
        FUNCTION,
        {"environment": {"variables": {"BASELINE_KEY": "baseline.json"}}},
        ({"environment": {"variables": {"DB_PASSWORD": "x"}}},),
    ),
    "function-concurrency-reserved": Example(FUNCTION, {"reservedConcurrentExecutions": 10}, ({},)),
    "function-traced": Example(FUNCTION, {"tracingConfig": {"mode": "Active"}}, ({},)),
    "execution-leaves-a-history": Example(
        MACHINE, {"type": "STANDARD"}, ({"type": "EXPRESS", "loggingConfiguration": {"level": "OFF"}},)
    ),
    "execution-data-not-logged": Example(
        MACHINE,
        {"loggingConfiguration": {"level": "ERROR"}},
        ({"loggingConfiguration": {"level": "ERROR", "includeExecutionData": True}},),
    ),
    "execution-traced": Example(MACHINE, {"tracingConfiguration": {"enabled": True}}, ({},)),
    "batch-bounded": Example(
        MACHINE,
        {"definition": distributed(MaxConcurrency=10, ToleratedFailurePercentage=5)},
        (
            {"definition": distributed(ToleratedFailurePercentage=5)},
            {"definition": distributed(MaxConcurrency=0, ToleratedFailurePercentage=5)},
            {"definition": distributed(MaxConcurrency=10)},
            {"definition": distributed(MaxConcurrency=10, ToleratedFailurePercentage=100)},
        ),
    ),
    "machine-published": Example(MACHINE, {"publish": True}, ({"publish": False}, {})),
    "queue-encrypted": Example(QUEUE, {"sqsManagedSseEnabled": True}, ({}, {"sqsManagedSseEnabled": False})),
    "queue-keeps-its-messages": Example(
        QUEUE, {"messageRetentionSeconds": 1209600}, ({}, {"messageRetentionSeconds": 345600})
    ),
    "queue-redrives-to-another": Example(
        QUEUE,
        {"redrivePolicy": json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": 5})},
        (
            {"redrivePolicy": json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": 1})},
            {"redrivePolicy": json.dumps({"maxReceiveCount": 5})},
        ),
    ),
    "topic-encrypted": Example("aws:sns/topic:Topic", {"kmsMasterKeyId": KEY}, ({},)),
    "message-refuses-plain-http": Example(
        QUEUE_POLICY,
        {"policy": json.dumps({"Statement": [{**TLS, "Action": "sqs:*", "Resource": [ARN]}]})},
        (
            {"policy": json.dumps({"Statement": []})},
            {"policy": json.dumps({"Statement": [{**TLS, "Action": "sqs:SendMessage"}]})},
            {"policy": json.dumps({"Statement": [{**TLS, "Action": "sqs:*", "Condition": {}}]})},
        ),
    ),
    "event-rule-asks-for-something": Example(
        "aws:cloudwatch/eventRule:EventRule",
        {"eventPattern": json.dumps({"source": ["aws.s3"]})},
        ({"eventPattern": json.dumps({"account": ["123456789012"]})}, {}),
    ),
    "event-target-keeps-what-it-could-not-deliver": Example(
        "aws:cloudwatch/eventTarget:EventTarget", {"deadLetterConfig": {"arn": ARN}}, ({},)
    ),
    "training-bounded": Example(
        JOB,
        {"stoppingCondition": {"maxRuntimeInSeconds": 3600}},
        ({}, {"stoppingCondition": {"maxRuntimeInSeconds": 2419200}}),
    ),
    "spot-training-goes-on-where-it-was": Example(
        JOB,
        {
            "enableManagedSpotTraining": True, "checkpointConfig": {"s3Uri": "s3://photos/checkpoints"},
            "stoppingCondition": {"maxWaitTimeInSeconds": 7200},
        },
        (
            {"enableManagedSpotTraining": True, "stoppingCondition": {"maxWaitTimeInSeconds": 7200}},
            {"enableManagedSpotTraining": True, "checkpointConfig": {"s3Uri": "s3://photos/checkpoints"}},
        ),
    ),
    "training-isolated": Example(JOB, {"enableNetworkIsolation": True}, ({}, {"enableNetworkIsolation": False})),
    "model-isolated": Example(MODEL, {"vpcConfig": {"subnets": ["subnet-1"]}}, ({},)),
    "name-left-to-pulumi": Example(CONFIGURATION, {}, ({"name": "fixed"},)),
    "inferences-captured": Example(
        CONFIGURATION,
        {**INSTANCES, "dataCaptureConfig": CAPTURED},
        (INSTANCES, {**INSTANCES, "dataCaptureConfig": {**CAPTURED, "initialSamplingPercentage": 0}}),
    ),
    "captures-readable": Example(
        CONFIGURATION,
        {"dataCaptureConfig": CAPTURED},
        (
            {"dataCaptureConfig": {**CAPTURED, "captureOptions": [{"captureMode": "Output"}]}},
            {"dataCaptureConfig": {**CAPTURED, "captureContentTypeHeader": {"csvContentTypes": ["text/csv"]}}},
        ),
    ),
    "volumes-encrypted-as-the-captures": Example(
        CONFIGURATION,
        {"dataCaptureConfig": {"kmsKeyId": KEY}, "kmsKeyArn": KEY},
        ({"dataCaptureConfig": {"kmsKeyId": KEY}},),
    ),
    "training-volume-encrypted-as-the-model": Example(
        JOB,
        {"outputDataConfig": {"kmsKeyId": KEY}, "resourceConfig": {"instanceType": "ml.g4dn.xlarge"}},
        (
            {"outputDataConfig": {"kmsKeyId": KEY}, "resourceConfig": {"instanceType": "ml.p3.2xlarge"}},
            {"resourceConfig": {"instanceType": "ml.g5.xlarge", "volumeKmsKeyId": KEY}},
        ),
    ),
    "gradual-rollout-can-be-taken-back": Example(
        ENDPOINT,
        {
            "deploymentConfig": {
                "blueGreenUpdatePolicy": CANARY, "autoRollbackConfiguration": {"alarms": [{"alarmName": "a"}]},
            }
        },
        (
            {"deploymentConfig": {"blueGreenUpdatePolicy": CANARY}},
            {"deploymentConfig": {"rollingUpdatePolicy": {"maximumBatchSize": {"type": "CAPACITY_PERCENT"}}}},
        ),
    ),
    "scaling-bounded": Example(
        "aws:appautoscaling/target:Target",
        {"minCapacity": 1, "maxCapacity": 4},
        ({"minCapacity": 0, "maxCapacity": 4}, {"minCapacity": 1, "maxCapacity": 500}),
    ),
    "alarm-tells-somebody": Example(
        ALARM, {"alarmActions": [ARN]}, ({"alarmActions": []}, {"alarmActions": [ARN], "actionsEnabled": False})
    ),
    "alarm-says-what-to-do": Example(
        ALARM,
        {"alarmDescription": "It fails. Runbook: mend it."},
        ({"alarmDescription": "It fails."}, {"alarmDescription": "Runbook: " + "x" * 1024}, {}),
    ),
    "budget-tells-somebody": Example(
        BUDGET,
        {"notifications": [HEARD, {**HEARD, "notificationType": "ACTUAL"}]},
        ({}, {"notifications": [HEARD]}, {"notifications": [HEARD, {"notificationType": "ACTUAL"}]}),
    ),
    "budget-is-the-stack-s": Example(BUDGET, {"costFilters": [{"name": "TagKeyValue", "values": ["user:a$b"]}]}, ({},)),
    "alarm-knows-silence": Example(ALARM, {"treatMissingData": "notBreaching"}, ({},)),
    "tagged-as-the-stacks": Example(QUEUE, {"tags": TAGS}, ({}, {"tags": {"project": "p", "stack": "s"}})),
}  # fmt: skip
"""The rules about a resource."""


def entry(type_: str, name: str, *dependencies: str) -> dict[str, Any]:
    """A resource of a small stack; its URN is its name."""
    return {"type": type_, "name": name, "urn": name, "inputs": {}, "dependencies": list(dependencies)}


TOPIC = "aws:sns/topic:Topic"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
GUARDS = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketVersioning:BucketVersioning",
    ENCRYPTION,
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
)
BUCKET = entry("aws:s3/bucket:Bucket", "bucket")
GUARDED = [BUCKET, *(entry(type_, f"guard{index}", "bucket") for index, type_ in enumerate(GUARDS))]
OTHERS = [each if each is GUARDED[0] else {**each, "dependencies": ["another"]} for each in GUARDED]

STACK_EXAMPLES: dict[str, tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]] = {
    "bucket-guarded": (GUARDED, [OTHERS, *(GUARDED[:index] + GUARDED[index + 1 :] for index in range(1, 7))]),
    "queue-with-a-consumer-redrives": (
        [entry(QUEUE, "dead"), entry(QUEUE, "work", "dead"), entry(MAPPING, "mapping", "work")],
        [[entry(QUEUE, "dead"), entry(QUEUE, "work"), entry(MAPPING, "mapping", "work")]],
    ),
    "queue-and-topic-guarded": (
        [entry(QUEUE, "work"), entry(QUEUE_POLICY, "policy", "work")],
        [
            [entry(QUEUE, "work")],
            [entry(TOPIC, "alerts"), entry(QUEUE_POLICY, "policy", "alerts")],
            [entry(QUEUE, "work"), entry(QUEUE, "other"), entry(QUEUE_POLICY, "policy", "other")],
        ],
    ),
    "queue-watched": (
        [entry(QUEUE, "work"), entry(ALARM, "alarm", "work")],
        [[entry(QUEUE, "work"), entry(ALARM, "alarm")], [entry(QUEUE, "work")]],
    ),
}
"""The rules about a stack: one that keeps it, and others that break it."""
