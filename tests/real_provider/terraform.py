"""The program's graph as Terraform JSON, for the provider that pulumi-aws bridges.

The program is run with an engine whose outputs are marks. Each mark in an input says which resource's attribute
stands there, so that references come out exactly, wherever in a text they are.
"""

import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from contract.stacks import read_stack
from localcloud.cloud import ACCOUNT
from localcloud.functions import READ_OUTPUTS
from localcloud.planning import REGION, answer
from localcloud.program import run_program
from localcloud.registration import Registration

TYPES = {
    "aws:appautoscaling/policy:Policy": "aws_appautoscaling_policy",
    "aws:appautoscaling/target:Target": "aws_appautoscaling_target",
    "aws:budgets/budget:Budget": "aws_budgets_budget",
    "aws:cloudwatch/dashboard:Dashboard": "aws_cloudwatch_dashboard",
    "aws:cloudwatch/eventBus:EventBus": "aws_cloudwatch_event_bus",
    "aws:cloudwatch/eventRule:EventRule": "aws_cloudwatch_event_rule",
    "aws:cloudwatch/eventTarget:EventTarget": "aws_cloudwatch_event_target",
    "aws:cloudwatch/logGroup:LogGroup": "aws_cloudwatch_log_group",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "aws_cloudwatch_metric_alarm",
    "aws:codebuild/project:Project": "aws_codebuild_project",
    "aws:dynamodb/table:Table": "aws_dynamodb_table",
    "aws:iam/role:Role": "aws_iam_role",
    "aws:iam/rolePolicy:RolePolicy": "aws_iam_role_policy",
    "aws:lambda/function:Function": "aws_lambda_function",
    "aws:lambda/invocation:Invocation": "aws_lambda_invocation",
    "aws:lambda/layerVersion:LayerVersion": "aws_lambda_layer_version",
    "aws:lambda/permission:Permission": "aws_lambda_permission",
    "aws:s3/bucket:Bucket": "aws_s3_bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "aws_s3_bucket_lifecycle_configuration",
    "aws:s3/bucketNotification:BucketNotification": "aws_s3_bucket_notification",
    "aws:s3/bucketObject:BucketObject": "aws_s3_object",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "aws_s3_bucket_ownership_controls",
    "aws:s3/bucketPolicy:BucketPolicy": "aws_s3_bucket_policy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "aws_s3_bucket_public_access_block",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "aws_s3_bucket_server_side_encryption_configuration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "aws_s3_bucket_versioning",
    "aws:sagemaker/endpoint:Endpoint": "aws_sagemaker_endpoint",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": "aws_sagemaker_endpoint_configuration",
    "aws:sagemaker/model:Model": "aws_sagemaker_model",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": "aws_sagemaker_model_package_group",
    "aws:sagemaker/trainingJob:TrainingJob": "aws_sagemaker_training_job",
    "aws:sfn/stateMachine:StateMachine": "aws_sfn_state_machine",
    "aws:sns/topic:Topic": "aws_sns_topic",
    "aws:sns/topicPolicy:TopicPolicy": "aws_sns_topic_policy",
    "aws:sns/topicSubscription:TopicSubscription": "aws_sns_topic_subscription",
    "aws:sqs/queue:Queue": "aws_sqs_queue",
    "aws:sqs/queuePolicy:QueuePolicy": "aws_sqs_queue_policy",
}
NAMED_BY = {
    "aws_s3_bucket": "bucket",
    "aws_lambda_function": "function_name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
}
"""Where a resource's name is, if not in `name`; Pulumi makes one up where the program gives none."""
RENAMED = {
    ("aws_lambda_function", "code"): "filename",
    ("aws_lambda_layer_version", "code"): "filename",
    ("aws_lambda_permission", "function"): "function_name",
    ("aws_sns_topic_subscription", "topic"): "topic_arn",
    ("aws_s3_bucket", "tagsAll"): "tags",
}
MARKED = ("arn", "name", "url", "bucket", "qualifiedArn", "version", "id")
MARK = re.compile(r"arn:aws:mark:us-east-1:000000000000:<(aws_[\w.-]+)>|<(aws_[\w.-]+)>")


class Marks:
    """An engine whose outputs say where they are from; an ARN keeps its shape, since the program takes it apart."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], Mapping[str, Any]] = {}

    def create(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """Marks for outputs, and inputs where the program gives them."""
        if registration.type not in TYPES:
            raise AssertionError(f"{registration.type} has no name in Terraform here")
        at = f"{TYPES[registration.type]}.{label(registration)}"
        made = {
            each: f"arn:aws:mark:us-east-1:{ACCOUNT}:<{at}.{snake(each)}>"
            if each.lower().endswith("arn")
            else f"<{at}.{NAMED_BY.get(TYPES[registration.type], 'name') if each == 'name' else snake(each)}>"
            for each in MARKED
        }
        kept = {key: value for key, value in registration.inputs.items() if key not in ("name", "bucket")}
        own = {"trainingJobName": registration.inputs.get("trainingJobName")}
        told = {**made, **kept, **{key: value for key, value in own.items() if value}}
        self.made[registration.type, made["id"]] = told
        return made["id"], told

    def read(self, type_: str, identity: str) -> Mapping[str, Any]:
        """What is looked at is as it was made."""
        return self.made[type_, identity]

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who and where the emulators are; no stack has outputs yet."""
        return {"outputs": {}} if token == READ_OUTPUTS else answer(token, ACCOUNT, REGION)


def label(registration: Registration) -> str:
    """A resource's name as Terraform takes it."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", registration.name)


def snake(name: str) -> str:
    """`destinationS3Uri` -> `destination_s3_uri`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def spellings(name: str) -> list[str]:
    """A name as it is, and in the singular: Pulumi pluralizes lists."""
    endings = (("ies", "y"), ("es", ""), ("s", ""))
    return [name, *(name[: -len(end)] + new for end, new in endings if name.endswith(end))]


class Translation:
    """A stack's resources as Terraform has them: `resources` by type and label; `left_out` what the provider lacks."""

    def __init__(self, root: Path, stack: str, overrides: Mapping[str, str], schemas: Mapping[str, Any], out: Path):
        self.root, self.schemas, self.out = root, schemas, out
        self.registrations = [
            each for each in run_program(root, stack, Marks(), overrides=overrides).registrations if each.custom
        ]
        self.by_urn = {each.urn: each for each in self.registrations}
        self.left_out = [each for each in self.registrations if TYPES[each.type] not in schemas]
        self.unknown: list[str] = []
        self.resources: dict[str, dict[str, Any]] = {}
        for each in self.registrations:
            if each not in self.left_out:
                self.resources.setdefault(TYPES[each.type], {})[label(each)] = self.resource(each)

    def resource(self, registration: Registration) -> dict[str, Any]:
        """One resource's arguments."""
        type_ = TYPES[registration.type]
        block = self.schemas[type_]["block"]
        inputs = {RENAMED.get((type_, key), key): value for key, value in registration.inputs.items()}
        body = self.block(registration, block, inputs)
        name = NAMED_BY.get(type_, "name")
        argument = block["attributes"].get(name, {})
        if name not in body and (argument.get("optional") or argument.get("required")):
            body[name] = f"{registration.name}-{hashlib.sha256(registration.name.encode()).hexdigest()[:7]}"
        body["depends_on"] = sorted(self.needed(registration))
        if registration.ignore_changes:
            body["lifecycle"] = {"ignore_changes": [snake(key) for key in registration.ignore_changes]}
        return body

    def addresses(self) -> set[str]:
        """Every resource, as terraform names it."""
        return {f"{type_}.{each}" for type_, labels in self.resources.items() for each in labels}

    def needed(self, registration: Registration) -> set[str]:
        """What a resource depends on, also through what the provider lacks."""
        found: set[str] = set()
        for urn in registration.dependencies:
            other = self.by_urn.get(urn)
            if other is not None:
                at = f"{TYPES[other.type]}.{label(other)}"
                found |= self.needed(other) if other in self.left_out else {at}
        return found

    def block(self, registration: Registration, block: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a block, and the blocks in it."""
        attributes, blocks = block.get("attributes", {}), block.get("block_types", {})
        body: dict[str, Any] = {}
        for key, value in inputs.items():
            if value is None:
                continue
            name = next((one for one in spellings(snake(key)) if one in attributes or one in blocks), None)
            if name is None:
                self.unknown.append(f"{registration.type} {registration.name}: {key}")
            elif name in blocks:
                items = value if isinstance(value, list) else [value]
                body[name] = [self.block(registration, blocks[name]["block"], item) for item in items]
            else:
                body[name] = self.value(registration, value)
        return body

    def value(self, registration: Registration, value: Any) -> Any:
        """An input, with files by their paths and marks as references."""
        if isinstance(value, pulumi.AssetArchive):
            return self.archive(registration, value)
        if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
            return str((self.root / value.path).resolve())
        if isinstance(value, Mapping):
            return {key: self.value(registration, item) for key, item in value.items() if item is not None}
        if isinstance(value, list):
            return [self.value(registration, item) for item in value]
        return text(value) if isinstance(value, str) else value

    def archive(self, registration: Registration, archive: pulumi.AssetArchive) -> str:
        """The path of a function's archive; the same files give the same bytes."""
        path = self.out / "archives" / f"{label(registration)}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as written:
            for name, asset in sorted(archive.assets.items()):
                is_text = isinstance(asset, pulumi.StringAsset)
                data = asset.text.encode() if is_text else (self.root / asset.path).read_bytes()
                written.writestr(zipfile.ZipInfo(name), data)
        return str(path.resolve())


def text(value: str) -> str:
    """A text as Terraform takes it: its own `${` quoted, marks as references."""
    quoted = value.replace("${", "$${").replace("%{", "%%{")
    return MARK.sub(lambda match: f"${{{match[1] or match[2]}}}", quoted)


def provider_of(root: Path, stack: str) -> dict[str, Any]:
    """The provider's block, of the `aws:` keys of a stack's file."""
    values = read_stack(root, stack).values
    return {snake(key.removeprefix("aws:")): value for key, value in values.items() if key.startswith("aws:")}
