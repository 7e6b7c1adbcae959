"""What goes wrong in a day: a policy that is taken away, a rule that does not deliver, an execution that is aborted."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from contract import prefixes
from contract.errors import UserError
from contract.photos import StoredObject
from localcloud.cloud import Cloud
from localcloud.deployment import Deployment

TRIES = 30
"""Executions that are started until one is slow enough to be aborted."""


@dataclass(frozen=True, slots=True)
class Incidents:
    """Those of a stack that is up."""

    cloud: Cloud
    deployment: Deployment

    @contextmanager
    def serializer_without_policy(self) -> Generator[None]:
        """Somebody takes its policy from the function that reads photos, and gives it back."""
        iam, role = self.cloud.client("iam"), self._role()
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        policy = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)

    def _role(self) -> str:
        function = self.deployment.outputs["functions"]["serialize"]
        return self.cloud.client("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]

    @contextmanager
    def without_rule(self, said: str) -> Generator[str]:
        """The rule whose pattern says this of the stack's uploads or executions delivers nothing; its ARN."""
        events = self.cloud.client("events")
        own = (str(self.deployment.outputs["bucket"]), str(self.deployment.outputs["stateMachineArn"]))
        rules = [
            rule
            for page in events.get_paginator("list_rules").paginate()
            for rule in page["Rules"]
            if f'"{said}"' in (pattern := rule.get("EventPattern", "")) and any(name in pattern for name in own)
        ]
        if len(rules) != 1:
            raise UserError(f"one rule should speak of {said}, got {len(rules)}")
        name = rules[0].get("Name", "")
        events.disable_rule(Name=name)
        try:
            yield rules[0].get("Arn", "")
        finally:
            events.enable_rule(Name=name)

    def upload(self, key: str, data: bytes) -> StoredObject:
        """Put a photo where drivers' photos arrive."""
        bucket = str(self.deployment.outputs["bucket"])
        version = self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=data)["VersionId"]
        return StoredObject(bucket, key, version)

    def undelivered(self, key: str, data: bytes) -> StoredObject:
        """A photo whose event ends in the dead-letter queue.

        The emulator has none, so that the letter is written here as EventBridge writes it: the event as it came, and
        in attributes why (its User Guide, "Using dead-letter queues to process undelivered events").
        """
        with self.without_rule(prefixes.INCOMING) as rule:
            photo = self.upload(key, data)
        item = {"key": key, "size": len(data), "version-id": photo.version}
        event = {
            "version": "0", "detail-type": "Object Created", "source": "aws.s3",
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "region": self.cloud.region,
            "detail": {"version": "0", "bucket": {"name": photo.bucket}, "object": item, "reason": "PutObject"},
        }  # fmt: skip
        texts = {
            "RULE_ARN": rule, "TARGET_ARN": str(self.deployment.outputs["stateMachineArn"]),
            "ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "the rule's role may not start executions",
        }  # fmt: skip
        self.cloud.client("sqs").send_message(
            QueueUrl=str(self.deployment.outputs["deadLetterQueueUrl"]),
            MessageBody=json.dumps(event),
            MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in texts.items()},
        )
        return photo

    def aborted(self, key: str, data: bytes) -> tuple[list[StoredObject], str]:
        """Start executions until one can be aborted; those that were faster have decided their photos.

        Returns:
            The photos, of which the last one's execution was aborted, and that execution's ARN.
        """
        states, photos = self.cloud.client("stepfunctions"), list[StoredObject]()
        for number in range(TRIES):
            with self.without_rule(prefixes.INCOMING):
                photo = self.upload(f"{prefixes.INCOMING}{number}-{key}", data)
            photos.append(photo)
            given = {"s3_bucket": photo.bucket, "s3_key": photo.key, "s3_version": photo.version, "image_data": ""}
            machine = str(self.deployment.outputs["stateMachineArn"])
            arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
            try:
                states.stop_execution(executionArn=arn)
            except states.exceptions.ClientError:
                continue
            if states.describe_execution(executionArn=arn)["status"] == "ABORTED":
                return photos, arn
        raise UserError(f"of {TRIES} executions none was slow enough to be aborted")
