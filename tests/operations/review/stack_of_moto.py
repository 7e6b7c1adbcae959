"""What a desk needs of a stack, in moto: queue, table, bucket, and a bus whose events can be read."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from moto.sqs.models import sqs_backends
from PIL import Image

from contract.errors import NoneOfTheClasses, ThresholdNotMet

BUCKET, TABLE, BUS = "scones-dev-data", "decisions", "decisions"
LABELS = ("bicycle", "motorcycle", "neither")
BAYS = {"bicycle": "bay 1", "motorcycle": "bay 2"}
MACHINE_ROLE = "arn:aws:iam::123456789012:role/machine"


def picture(colour: str = "red", size: int = 32) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(output, "PNG")
    return output.getvalue()


@dataclass
class Stacked:
    """The clients, and the names of what they made."""

    clients: dict[str, Any]
    queue: str
    heard: str
    machine: str

    def __getattr__(self, name: str) -> Any:
        try:
            return self.clients[name]
        except KeyError:
            raise AttributeError(name) from None

    def outputs(self) -> dict[str, object]:
        return {
            "bucket": BUCKET, "reviewQueueUrl": self.queue, "decisionsTable": TABLE, "eventBusName": BUS,
            "stateMachineArn": self.machine, "labels": list(LABELS), "classes": list(BAYS), "loadingBays": BAYS,
            "endpointName": "scones-dev", "decisionRetentionDays": 30,
        }  # fmt: skip

    def photo(self, name: str, data: bytes | None = None) -> tuple[str, str]:
        """Key and version of a photo that arrives."""
        key = f"incoming/{name}"
        version = self.s3.put_object(Bucket=BUCKET, Key=key, Body=picture() if data is None else data)["VersionId"]
        return key, version

    def waits(
        self, name: str, *, data: bytes | None = None, error: str = ThresholdNotMet.__name__, **fields: Any
    ) -> str:
        """Put a photo, and what the state machine would say of it into the review queue; returns its key."""
        key, version = self.photo(name, data)
        message: dict[str, Any] = {
            "bucket": BUCKET, "key": key, "version": version, "error": error, "message": "not sure",
            "execution": f"arn:aws:states:us-east-1:123456789012:execution:machine:{name}",
        }  # fmt: skip
        if error in (ThresholdNotMet.__name__, NoneOfTheClasses.__name__):
            message |= {
                "label": "motorcycle", "confidence": 0.55, "margin": 0.2, "threshold": 0.8, "model": "job-1",
                "inferences": [0.35, 0.55, 0.1], "inference_id": "i" * 64,
            }  # fmt: skip
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(message | fields))
        return key

    def left(self) -> int:
        """Messages that are in the queue, whoever holds them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(
            int(each)
            for each in self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"].values()
        )

    def let_minutes_pass(self) -> None:
        """Let every message be seen again, and make every answer older; for moto in this process."""
        for row in self.rows():
            row["answered_at"] = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
            boto3.resource("dynamodb", **self.dynamodb_options()).Table(TABLE).put_item(Item=row)
        for message in sqs_backends["123456789012"]["us-east-1"].queues["review"]._messages:
            message.visible_at = 0

    def heard_events(self) -> list[dict[str, Any]]:
        """The details of the events on the bus since the last look."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.heard, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"])["detail"])
                self.sqs.delete_message(QueueUrl=self.heard, ReceiptHandle=message["ReceiptHandle"])
        return found

    def rows(self) -> list[dict[str, Any]]:
        return boto3.resource("dynamodb", **self.dynamodb_options()).Table(TABLE).scan()["Items"]

    def dynamodb_options(self) -> dict[str, Any]:
        return {"endpoint_url": self.clients["dynamodb"].meta.endpoint_url, "region_name": "us-east-1"}

    def corrections(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix="corrections/").get("Contents", [])
        return sorted(each["Key"] for each in found)


def make(endpoint: str | None = None) -> Stacked:
    """Create all of it, in moto's own process or in a server of it."""
    names = ("s3", "sqs", "events", "dynamodb", "stepfunctions")
    clients = {name: boto3.client(name, region_name="us-east-1", endpoint_url=endpoint) for name in names}
    clients["s3"].create_bucket(Bucket=BUCKET)
    clients["s3"].put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    queue = clients["sqs"].create_queue(QueueName="review")["QueueUrl"]
    heard = clients["sqs"].create_queue(QueueName="heard")["QueueUrl"]
    clients["events"].create_event_bus(Name=BUS)
    clients["events"].put_rule(
        Name="all", EventBusName=BUS, EventPattern=json.dumps({"source": ["scones.classification"]})
    )
    target = {"Id": "heard", "Arn": "arn:aws:sqs:us-east-1:123456789012:heard"}
    clients["events"].put_targets(Rule="all", EventBusName=BUS, Targets=[target])
    clients["dynamodb"].create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "object", "KeyType": "HASH"}, {"AttributeName": "version", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("object", "version")],
        BillingMode="PAY_PER_REQUEST",
    )
    machine = clients["stepfunctions"].create_state_machine(
        name="machine",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn=MACHINE_ROLE,
    )["stateMachineArn"]
    return Stacked(clients, queue, heard, machine)
