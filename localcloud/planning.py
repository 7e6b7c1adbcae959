"""An engine that makes nothing: it answers with ids and outputs in the provider's shape, or knows none in a preview."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from contract.errors import UserError
from contract.evidence import Evidence, Row, to_document
from contract.prefixes import EVIDENCE_FILE, MEASURED_FILES, MODELS
from localcloud.functions import GET_OBJECT, READ_OUTPUTS, Refused
from localcloud.registration import Registration

ACCOUNT, REGION = "123456789012", "us-east-1"
SUFFIX = "-1a2b3c4"
"""What the provider would make up, behind the name of a resource that is given none."""
Compute = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""What AWS tells of a resource, from its name in the program and its inputs."""

ARNS: Mapping[str, str] = {
    "aws:s3/bucket:Bucket": "s3:::{name}",
    "aws:iam/role:Role": "iam::{account}:role/{name}",
    "aws:sagemaker/trainingJob:TrainingJob": "sagemaker:{place}:training-job/{name}",
    "aws:sagemaker/model:Model": "sagemaker:{place}:model/{name}",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": "sagemaker:{place}:endpoint-config/{name}",
    "aws:sagemaker/endpoint:Endpoint": "sagemaker:{place}:endpoint/{name}",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": "sagemaker:{place}:model-package-group/{name}",
    "aws:appautoscaling/policy:Policy": "autoscaling:{place}:scalingPolicy:1:policyName/{name}",
    "aws:lambda/layerVersion:LayerVersion": "lambda:{place}:layer:{name}:1",
    "aws:lambda/function:Function": "lambda:{place}:function:{name}",
    "aws:cloudwatch/logGroup:LogGroup": "logs:{place}:log-group:{name}",
    "aws:codebuild/project:Project": "codebuild:{place}:project/{name}",
    "aws:cloudwatch/eventBus:EventBus": "events:{place}:event-bus/{name}",
    "aws:cloudwatch/eventRule:EventRule": "events:{place}:rule/{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:{place}:alarm:{name}",
    "aws:cloudwatch/dashboard:Dashboard": "cloudwatch::{account}:dashboard/{name}",
    "aws:budgets/budget:Budget": "budgets::{account}:budget/{name}",
    "aws:dynamodb/table:Table": "dynamodb:{place}:table/{name}",
    "aws:sqs/queue:Queue": "sqs:{place}:{name}",
    "aws:sns/topic:Topic": "sns:{place}:{name}",
    "aws:sns/topicSubscription:TopicSubscription": "sns:{place}:{name}",
    "aws:sfn/stateMachine:StateMachine": "states:{place}:stateMachine:{name}",
}
"""Types that have an ARN, behind `arn:aws:`; `place` is region and account."""
WITHOUT_ARN = frozenset({
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketNotification:BucketNotification",
    "aws:s3/bucketObject:BucketObject",
    "aws:s3/objectCopy:ObjectCopy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:appautoscaling/target:Target",
    "aws:lambda/invocation:Invocation",
    "aws:lambda/permission:Permission",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sns/topicPolicy:TopicPolicy",
})  # fmt: skip
NAMED_BY: Mapping[str, str] = {
    "aws:s3/bucket:Bucket": "bucket",
    "aws:sagemaker/trainingJob:TrainingJob": "trainingJobName",
    "aws:lambda/layerVersion:LayerVersion": "layerName",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": "modelPackageGroupName",
    "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
}
"""The input that names a resource, where it is not `name`."""
IDENTIFIED_BY: Mapping[str, str] = {
    "aws:lambda/layerVersion:LayerVersion": "arn",
    "aws:sfn/stateMachine:StateMachine": "arn",
    "aws:sns/topic:Topic": "arn",
    "aws:sns/topicSubscription:TopicSubscription": "arn",
    "aws:sqs/queue:Queue": "url",
}
"""The output that is a resource's id, where it is not its name."""


class Planned:
    """Makes nothing, and answers as AWS would; a type or function that it was not told about is refused by name.

    `outputs` says more of a type, or of one beyond those above; `stacks` what other stacks export, by their names.
    """

    def __init__(
        self,
        *,
        preview: bool = False,
        region: str = REGION,
        outputs: Mapping[str, Compute] | None = None,
        stacks: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.preview, self.region, self.outputs, self.stacks = preview, region, outputs or {}, stacks or {}
        self.made: dict[tuple[str, str], Mapping[str, Any]] = {}

    def create(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """An id and outputs in the provider's shape; nothing but the inputs in a preview.

        Raises:
            UserError: nobody knows what AWS would answer for this type.
        """
        type_, inputs = registration.type, registration.inputs
        if type_ not in {*ARNS, *WITHOUT_ARN, *self.outputs}:
            raise UserError(f"{registration.urn}: the graph does not know the outputs of {type_}")
        if self.preview:
            return "", dict(inputs)
        key = NAMED_BY.get(type_, "name")
        name = inputs.get(key) or f"{registration.name}{SUFFIX}"
        made: dict[str, Any] = {}
        if type_ in ARNS:
            made = {key: name, "arn": self.arn(ARNS[type_], name)}
        if type_ == "aws:lambda/function:Function":
            made |= {"version": "7", "qualifiedArn": f"{made['arn']}:7"}
        elif type_ == "aws:sqs/queue:Queue":
            made |= {"url": f"https://sqs.{self.region}.amazonaws.com/{ACCOUNT}/{name}"}
        if type_ in self.outputs:
            made |= self.outputs[type_](registration.name, inputs)
        identity = str(made.get(IDENTIFIED_BY.get(type_, ""), name))
        self.made[type_, identity] = {**made, **inputs}
        return identity, self.made[type_, identity]

    def read(self, type_: str, identity: str) -> Mapping[str, Any]:
        """What was registered under this id, as if it were there."""
        return self.made.get((type_, identity), {})

    def arn(self, rest: str, name: str) -> str:
        """An ARN of this account, from a template as in `ARNS`."""
        filled = rest.format(place=f"{self.region}:{ACCOUNT}", account=ACCOUNT, name=name)
        return f"arn:aws:{filled}"

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who and where we would be, and what other stacks would export.

        Raises:
            UserError: nobody knows this function.
            Refused: it would read what is not there.
        """
        if token == READ_OUTPUTS:
            return {"outputs": self.stacks.get(arguments["name"], {})}
        if token == GET_OBJECT:
            return self._evidence(arguments["bucket"], arguments["key"])
        return answer(token, ACCOUNT, self.region)

    def _evidence(self, bucket: str, key: str) -> Mapping[str, Any]:
        """What would be measured of another stack's model, if the model were perfect: a plan judges no model."""
        for outputs in self.stacks.values():
            if outputs["bucket"] != bucket or not key.startswith(MODELS):
                continue
            if key.endswith(tuple(f"/{name}" for name in MEASURED_FILES if name != EVIDENCE_FILE)):
                return {"body": "", "etag": "0" * 32}
            if key.endswith(f"/{EVIDENCE_FILE}"):
                evidence = Evidence(
                    model=key.removeprefix(MODELS).removesuffix(f"/{EVIDENCE_FILE}"),
                    labels=tuple(outputs["labels"]),
                    image_size=outputs["imageSize"],
                    dataset="",
                    created=datetime.fromtimestamp(0, UTC),
                    photos=1,
                    rows=(Row(threshold=1.0, accepted=1, wrong=0, bound=0.0),),
                    strangers={},
                    recommended=None,
                )
                return {"body": json.dumps(to_document(evidence)), "etag": "0" * 32}
        raise Refused("key", f"reading S3 Bucket ({bucket}) Object ({key}): couldn't find resource")


def answer(token: str, account: str, region: str) -> Mapping[str, Any]:
    """The answer of a provider's function.

    Raises:
        UserError: nobody knows it.
    """
    answers = {
        "aws:index/getCallerIdentity:getCallerIdentity": {
            "accountId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "userId": account,
        },
        "aws:index/getRegion:getRegion": {"region": region, "name": region},
        "aws:index/getPartition:getPartition": {"partition": "aws"},
    }
    if token not in answers:
        raise UserError(f"nobody here has an answer to the function {token}")
    return answers[token]
