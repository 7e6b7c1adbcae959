"""IAM policies as pure functions: what each role may do, and nothing else.

One function for each grant, so that a new task can't forget what it needs, nor take more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from contract.names import ENDPOINT_LOG_GROUP, TRAINING_LOG_GROUP

Condition = Mapping[str, Mapping[str, str | list[str]]]


class Statement(TypedDict):
    """One statement of a policy document."""

    Sid: str
    Effect: str
    Action: list[str]
    Resource: NotRequired[list[str]]
    Principal: NotRequired[Mapping[str, str] | str]
    Condition: NotRequired[Condition]


def document(*statements: Statement) -> str:
    """A policy document as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition | None = None) -> Statement:
    """A statement that allows `actions` on `resources`.

    Raises:
        ValueError: an action or a resource is a bare wildcard.
    """
    if any("*" in action for action in actions):
        raise ValueError(f"{sid}: actions must be named one by one, got {list(actions)}")
    if "*" in resources:
        raise ValueError(f"{sid}: resources must be named; use allow_anywhere where AWS knows none")
    statement = Statement(Sid=sid, Effect="Allow", Action=list(actions), Resource=list(resources))
    if condition is not None:
        statement["Condition"] = condition
    return statement


def allow_anywhere(sid: str, actions: Sequence[str], condition: Condition | None = None) -> Statement:
    """For actions without resource-level permissions (Service Authorization Reference): resource `*`."""
    statement = allow(sid, actions, [], condition)
    statement["Resource"] = ["*"]
    return statement


def trust(service: str, account_id: str, source_arn: str | None = None) -> str:
    """A trust policy: `service` may assume the role, on behalf of this account (and of `source_arn`) alone.

    For the services that say on whose behalf they act; Lambda does not (`trust_lambda`).
    """
    condition: dict[str, dict[str, str | list[str]]] = {"StringEquals": {"aws:SourceAccount": account_id}}
    if source_arn is not None:
        condition["ArnLike"] = {"aws:SourceArn": source_arn}
    return document(_assume(service, condition))


def trust_lambda() -> str:
    """A trust policy for a function's role; Lambda assumes it without a source account or ARN to look at."""
    return document(_assume("lambda.amazonaws.com", None))


def _assume(service: str, condition: Condition | None) -> Statement:
    statement = Statement(Sid="Assume", Effect="Allow", Principal={"Service": service}, Action=["sts:AssumeRole"])
    if condition is not None:
        statement["Condition"] = condition
    return statement


def write_logs(log_group_arn: str) -> Statement:
    """Streams and events in one log group, which exists already."""
    return allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"])


def read_objects(bucket_arn: str, prefixes: Sequence[str], *, versions: bool = False) -> Statement:
    """The objects under `prefixes`; with `versions` also one that is asked for by its version."""
    actions = ["s3:GetObject", *(["s3:GetObjectVersion"] if versions else [])]
    return allow("ReadObjects", actions, [f"{bucket_arn}/{p}*" for p in prefixes])


def write_objects(bucket_arn: str, prefixes: Sequence[str]) -> Statement:
    """New objects under `prefixes`."""
    return allow("WriteObjects", ["s3:PutObject"], [f"{bucket_arn}/{p}*" for p in prefixes])


def list_bucket(bucket_arn: str) -> Statement:
    """Look for objects: without it, S3 answers 403 instead of 404 for an object that does not exist.

    No condition on the prefix, since a request for an object has none to check.
    """
    return allow("ListBucket", ["s3:ListBucket"], [bucket_arn])


def list_under(bucket_arn: str, prefixes: Sequence[str]) -> Statement:
    """List the objects under `prefixes`, and no others."""
    under = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    return allow("ListUnder", ["s3:ListBucket"], [bucket_arn], under)


def write_results(bucket_arn: str, prefix: str) -> Statement:
    """What a ResultWriter does under a prefix (Step Functions, "IAM policies for using Distributed Map states")."""
    actions = ["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    return allow("WriteResults", actions, [f"{bucket_arn}/{prefix}*"])


def use_key(key_arn: str, *, writes: bool) -> Statement:
    """Decrypt with a customer's key, and encrypt where something is left that it encrypts."""
    return allow("UseKey", ["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])], [key_arn])


def write_with_key(key_arn: str) -> Statement:
    """Leave a model and captures that the key encrypts (SageMaker Developer Guide, "Execution roles")."""
    return allow("WriteWithKey", ["kms:Encrypt"], [key_arn])


def grant_key(key_arn: str) -> Statement:
    """Let the volumes of SageMaker's instances use the key ("Execution roles"); grants for AWS's services alone."""
    return allow("GrantKey", ["kms:CreateGrant"], [key_arn], {"Bool": {"kms:GrantIsForAWSResource": "true"}})


def invoke_endpoint(endpoint_arn: str) -> Statement:
    """Ask one model."""
    return allow("InvokeEndpoint", ["sagemaker:InvokeEndpoint"], [endpoint_arn])


def describe_endpoint(endpoint_arn: str) -> Statement:
    """See what one endpoint serves, and whether that is about to change."""
    return allow("DescribeEndpoint", ["sagemaker:DescribeEndpoint"], [endpoint_arn])


def invoke_functions(function_arns: Sequence[str]) -> Statement:
    """Invoke exactly these functions (versions, when the ARNs are qualified)."""
    return allow("InvokeFunctions", ["lambda:InvokeFunction"], function_arns)


def put_items(table_arn: str) -> Statement:
    """Write into one table; a condition of PutItem needs no right to read."""
    return allow("PutItems", ["dynamodb:PutItem"], [table_arn])


def put_events(bus_arn: str) -> Statement:
    """Publish on one event bus."""
    return allow("PutEvents", ["events:PutEvents"], [bus_arn])


def send_messages(queue_arn: str) -> Statement:
    """Send to one queue."""
    return allow("SendMessages", ["sqs:SendMessage"], [queue_arn])


def publish_alerts(topic_arn: str) -> Statement:
    """Publish to one topic."""
    return allow("PublishAlerts", ["sns:Publish"], [topic_arn])


def start_executions(state_machine_arn: str) -> Statement:
    """Start executions of one state machine."""
    return allow("StartExecutions", ["states:StartExecution"], [state_machine_arn])


def run_map(state_machine_arn: str) -> list[Statement]:
    """What a state machine with a Distributed Map does with itself: a child is an execution of its own."""
    executions = state_machine_arn.replace(":stateMachine:", ":execution:", 1)
    return [
        start_executions(state_machine_arn),
        allow("FollowChildren", ["states:DescribeExecution", "states:StopExecution"], [f"{executions}:*"]),
    ]


def list_versions(region: str) -> Statement:
    """See which model packages there are; with no resource, as AWS documents none for this action."""
    return allow_anywhere(
        "ListVersions", ["sagemaker:ListModelPackages"], {"StringEquals": {"aws:RequestedRegion": region}}
    )


def delete_versions(region: str, account_id: str, group: str) -> Statement:
    """Delete the versions of one group of the model registry, whose ARNs are in small letters."""
    place = f"arn:{partition(region)}:sagemaker:{region}:{account_id}:model-package"
    return allow(
        "DeleteVersions",
        ["sagemaker:DeleteModelPackage"],
        sorted({f"{place}/{each}/*" for each in (group, group.lower())}),
    )


def start_builds(project_arn: str) -> Statement:
    """Start builds of one project."""
    return allow("StartBuilds", ["codebuild:StartBuild"], [project_arn])


def sagemaker_logs(region: str, account_id: str, endpoint: str, *, trains: bool) -> Statement:
    """The log groups of an endpoint, and of training jobs."""
    groups = [f"{ENDPOINT_LOG_GROUP}/{endpoint}", *([TRAINING_LOG_GROUP] if trains else [])]
    arns = [f"arn:{partition(region)}:logs:{region}:{account_id}:log-group:{group}" for group in groups]
    return allow(
        "SageMakerLogs",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        # a group has an ARN of its own, and its streams one that goes on
        [each for arn in arns for each in (arn, f"{arn}:*")],
    )


def sagemaker_metrics(*, trains: bool) -> Statement:
    """Metrics of endpoints, and of training jobs.

    PutMetricData has no resource-level permissions: the namespace is what can be limited.
    """
    namespaces: list[str] = ["AWS/SageMaker", ENDPOINT_LOG_GROUP, *([TRAINING_LOG_GROUP] if trains else [])]
    return allow_anywhere(
        "SageMakerMetrics",
        ["cloudwatch:PutMetricData"],
        {"StringEquals": {"cloudwatch:namespace": namespaces}},
    )


def describe_alarms(region: str, account_id: str, prefix: str) -> Statement:
    """See the state of alarms whose names begin with `prefix`: SageMaker looks, with the endpoint's role."""
    alarms = f"arn:{partition(region)}:cloudwatch:{region}:{account_id}:alarm:{prefix}*"
    return allow("DescribeAlarms", ["cloudwatch:DescribeAlarms"], [alarms])


def pull_image(image_uri: str) -> list[Statement]:
    """Pull one repository's images.

    GetAuthorizationToken has no resource-level permissions.
    """
    registry, _, repository = image_uri.partition("/")
    account, _, _, region, *_ = registry.split(".")
    arn = f"arn:{partition(region)}:ecr:{region}:{account}:repository/{repository.rpartition(':')[0]}"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    return [
        allow("PullImage", pull, [arn]),
        allow_anywhere("LogInToRegistry", ["ecr:GetAuthorizationToken"]),
    ]


def tls_only(action: str, *resources: str) -> Statement:
    """Refuse requests that are not encrypted on the way, in the policy of a bucket, a queue or a topic.

    It denies, so its `*` (everybody, and every action of S3 and SQS) takes rights away and gives none.

    Args:
        action: `s3:*`, `sqs:*` or `sns:Publish` (a topic's policy takes no `sns:*`).
        resources: what is guarded.
    """
    return Statement(
        Sid="TlsOnly",
        Effect="Deny",
        Principal="*",
        Action=[action],
        Resource=[*resources],
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    )


def queue_for_rules(queue_arn: str, rule_arns: Sequence[str]) -> Statement:
    """A queue's permission for some EventBridge rules to leave something there."""
    source = {"ArnEquals": {"aws:SourceArn": list(rule_arns)}}
    statement = allow("Rules", ["sqs:SendMessage"], [queue_arn], source)
    statement["Principal"] = {"Service": "events.amazonaws.com"}
    return statement


def topic_for_alarms(topic_arn: str, account_id: str) -> Statement:
    """A topic's permission for this account's CloudWatch alarms; the account's own roles need none here."""
    statement = allow("Alarms", ["sns:Publish"], [topic_arn], {"StringEquals": {"aws:SourceAccount": account_id}})
    statement["Principal"] = {"Service": "cloudwatch.amazonaws.com"}
    return statement


def topic_for_budgets(topic_arn: str, account_id: str) -> Statement:
    """A topic's permission for this account's budgets (Cost Management User Guide, "Creating an SNS topic")."""
    condition: dict[str, dict[str, str | list[str]]] = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:{topic_arn.split(':')[1]}:budgets::{account_id}:*"},
    }
    statement = allow("Budgets", ["sns:Publish"], [topic_arn], condition)
    statement["Principal"] = {"Service": "budgets.amazonaws.com"}
    return statement


def partition(region: str) -> str:
    """The partition of ARNs in a region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
