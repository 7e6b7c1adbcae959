"""A stack whose functions, endpoint and services fail for photos whose names say so; what is sent, and seen."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL import Image

from components.parts.code_package import code_archive
from contract import prefixes
from contract.photos import StoredObject, photo_in
from contract.pictures import to_model_image
from localcloud.archives import archive_files, zipped
from localcloud.deployment import Listener, connect, deploy
from operations.reconcile.places import undelivered_photo
from operations.review.queue import parse
from tests.faults.endpoint import Answer, Middleman
from tests.faults.seeing import Ended, Seen
from tests.localcloud.local_stack import REPOSITORY, write_root
from tests.localcloud.processes import eventually

SCALE = "0.02"
"""Of Step Functions' waits before another attempt, so that what fails for ever does so in a test's time."""
FUNCTIONS = ("serialize", "classify", "filter")
AT_ONCE = 8
"""Executions."""
GONE = {"table": "TableName", "queue": "QueueUrl", "topic": "TopicArn"}


@dataclass
class Plan:
    """Which names misbehave where: function -> name -> act; service -> names for which it is gone."""

    acts: dict[str, dict[str, str]] = field(default_factory=lambda: {each: {} for each in FUNCTIONS})
    services: dict[str, list[str]] = field(default_factory=dict)


class FaultyStack:
    """The real program on the emulators, with what goes wrong in it decided photo by photo."""

    def __init__(self, root: Path, plan: Plan) -> None:
        self.root, self.said = write_root(root), []
        with patch.dict(os.environ, {"SFN_WAIT_SCALE": SCALE}):
            self.deployment = deploy(self.root, "dev", {}, Listener(say=self.said.append))
        self.cloud, _ = connect(self.root)
        self.outputs = self.deployment.outputs
        self.bucket, self.machine = str(self.outputs["bucket"]), str(self.outputs["stateMachineArn"])
        self.middleman = Middleman(self.cloud.sagemaker_url)
        self.sure, self.unsure = self._photos()
        self.definition = self._misbehave(plan)
        self.orders = self._listen_to_orders()
        self.alerts = self._listen_to_alerts()

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def stop(self) -> None:
        self.middleman.stop()

    # what goes wrong

    def _misbehave(self, plan: Plan) -> dict[str, Any]:
        """Give the functions' clothes to new versions of them, and have the state machine call those."""
        states = self.client("stepfunctions")
        text = states.describe_state_machine(stateMachineArn=self.machine)["definition"]
        definition = json.loads(text)
        for role in FUNCTIONS:
            arn = self._dressed(role, plan.acts[role])
            arguments = definition["States"][role.capitalize()]["Arguments"]
            broken = {
                "unable to start": lambda role=role: self._dressed(role, {}, "broken", UNABLE_TO_START="yes"),
                "not let run": lambda role=role: self._refused(role),
                "gone": lambda arn=arn: arn.rpartition(":")[0] + "-gone:1",
            }
            for fault, make in broken.items():
                names = [name for name, act in plan.acts[role].items() if act == fault]
                if names:
                    arn = _if_named("s3_key", names, make(), arn)
            arguments["FunctionName"] = arn
        for state in definition["States"].values():
            for service, key in GONE.items():
                if key in state.get("Arguments", {}) and plan.services.get(service):
                    whose = "s3_key" if state is definition["States"]["Record"] else "key"
                    there = state["Arguments"][key]
                    state["Arguments"][key] = _if_named(whose, plan.services[service], there + "-gone", there)
        if plan.services.get("bus"):
            # what calls itself AWS is refused by every bus
            (entry,) = definition["States"]["Publish"]["Arguments"]["Entries"]
            entry["Source"] = _if_named("s3_key", plan.services["bus"], "aws.nobody", entry["Source"])
        self.define(definition)
        return definition

    def define(self, definition: Mapping[str, Any]) -> None:
        self.client("stepfunctions").update_state_machine(
            stateMachineArn=self.machine, definition=json.dumps(definition)
        )

    def _code(self, role: str) -> bytes:
        files = archive_files(code_archive(f"handlers.{role}"), REPOSITORY)
        return zipped({**files, "misbehaving.py": Path(__file__).with_name("misbehaving.py").read_bytes()})

    def _settings(self, role: str, acts: Mapping[str, str], **more: str) -> dict[str, Any]:
        function = str(self.outputs["functions"][role])
        found = self.client("lambda").get_function_configuration(FunctionName=function)
        variables = {
            **found["Environment"]["Variables"],
            "MISBEHAVING": f"handlers.{role}",
            "MISBEHAVES": json.dumps(acts),
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.middleman.url,
            **more,
        }
        return {
            "Handler": "misbehaving.handler", "Environment": {"Variables": variables}, "Timeout": found["Timeout"],
            "Runtime": found["Runtime"], "Role": found["Role"], "LoggingConfig": found["LoggingConfig"],
        }  # fmt: skip

    def _dressed(self, role: str, acts: Mapping[str, str], suffix: str = "faulty", **more: str) -> str:
        name = f"{self.outputs['functions'][role]}-{suffix}"
        made = self.client("lambda").create_function(
            FunctionName=name, Code={"ZipFile": self._code(role)}, Publish=True, **self._settings(role, acts, **more)
        )
        return made["FunctionArn"].removesuffix(f":{made['Version']}") + f":{made['Version']}"

    def _refused(self, role: str) -> str:
        # of a function as such: the emulator does not apply it to the versions, as AWS does
        arn = self._dressed(role, {}, "refused").rpartition(":")[0]
        self.client("lambda").put_function_concurrency(
            FunctionName=f"{self.outputs['functions'][role]}-refused", ReservedConcurrentExecutions=0
        )
        return arn

    # photos

    def _photos(self) -> tuple[Image.Image, Image.Image]:
        """The held-out photo of a class that the model is surest of, and one below the threshold."""
        vehicles, threshold = len(self.outputs["classes"]), float(self.outputs["confidenceThreshold"])
        found: list[tuple[float, Path]] = []
        for path in sorted((self.root / "build/dataset/test").glob("*/*.png")):
            scores = self.scores(path.read_bytes())
            if max(scores) == max(scores[:vehicles]):
                found.append((max(scores), path))
        found.sort()
        assert found[0][0] < threshold <= found[-1][0], found
        return Image.open(found[-1][1]).convert("RGB"), Image.open(found[0][1]).convert("RGB")

    def scores(self, png: bytes) -> list[float]:
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.outputs["endpointName"], ContentType="application/x-image", Body=png
        )
        return json.loads(answer["Body"].read())

    def photo(self, name: str, *, unsure: bool = False) -> bytes:
        """A photo of its own for each name, of which the model is sure, or not."""
        return marked(self.unsure if unsure else self.sure, name)

    def picture(self, photo: bytes) -> bytes:
        """What the endpoint is sent of it."""
        return to_model_image(photo, size=int(self.outputs["imageSize"]), max_pixels=50_000_000)

    def answers(self, photo: bytes, answers: Sequence[Answer]) -> None:
        self.middleman.tell(self.picture(photo), answers)

    def put(self, key: str, photo: bytes) -> StoredObject:
        """Upload; the event starts an execution."""
        version = self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=photo)["VersionId"]
        return StoredObject(self.bucket, key, version)

    def start(self, given: Mapping[str, object] | StoredObject) -> str:
        """Start an execution as an event does."""
        if isinstance(given, StoredObject):
            given = {"s3_bucket": given.bucket, "s3_key": given.key, "s3_version": given.version, "image_data": ""}
        states = self.client("stepfunctions")
        return states.start_execution(stateMachineArn=self.machine, input=json.dumps(given))["executionArn"]

    # what there is to see

    def _queue(self, name: str) -> tuple[str, str]:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def _listen_to_orders(self) -> str:
        url, arn = self._queue("orders")
        bus, events = self.outputs["eventBusName"], self.client("events")
        pattern = json.dumps({"detail-type": ["VehicleClassified"]})
        events.put_rule(Name="orders", EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule="orders", EventBusName=bus, Targets=[{"Id": "orders", "Arn": arn}])
        return url

    def _listen_to_alerts(self) -> str:
        url, arn = self._queue("told")
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                   "Resource": arn}  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.client("sns").subscribe(TopicArn=self.outputs["alertTopicArn"], Protocol="sqs", Endpoint=arn)
        return url

    def running(self) -> list[str]:
        pages = (
            self.client("stepfunctions")
            .get_paginator("list_executions")
            .paginate(stateMachineArn=self.machine, statusFilter="RUNNING")
        )
        return [each["executionArn"] for page in pages for each in page["executions"]]

    def has_entered_a_state(self, execution: str) -> bool:
        events = self.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        return any("stateEnteredEventDetails" in event for event in events)

    def make_room(self) -> None:
        """Wait until fewer run: each that runs beside others has a function of its own begin, which takes a second."""
        assert eventually(lambda: len(self.running()) < AT_ONCE, 120)

    def wait(self, seconds: float) -> None:
        assert eventually(lambda: not self.running(), seconds), f"still running: {len(self.running())}"

    def look(self) -> Seen:
        """Everything, once nothing runs."""
        states = self.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=self.machine)
        listed = [each["executionArn"] for page in pages for each in page["executions"]]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            described = list(pool.map(lambda arn: states.describe_execution(executionArn=arn), listed))
        ended = [
            Ended(each["executionArn"], photo_in(each["input"]), each["status"], each.get("error"), each.get("cause"))
            for each in described
        ]
        return Seen(
            ended,
            self._rows(),
            [parse(each) for each in self._all(str(self.outputs["reviewQueueUrl"]))],
            [json.loads(each["Body"])["detail"] for each in self._all(self.orders)],
            [json.loads(each["Body"])["Message"] for each in self._all(self.alerts)],
            self._letters(),
        )

    def _letters(self) -> list[StoredObject]:
        found = map(undelivered_photo, self._all(str(self.outputs["deadLetterQueueUrl"])))
        return [photo for photo in found if photo is not None]

    def letters_of(self, photos: Sequence[StoredObject]) -> bool:
        return {*photos} <= {*self._letters()}

    def _rows(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["decisionsTable"])
        return {(row["object"]["S"], row["version"]["S"]): row for page in pages for row in page["Items"]}

    def _all(self, url: str) -> list[Any]:
        """What a queue holds; it is given back."""
        sqs, found = self.client("sqs"), {}
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageSystemAttributeNames=["SentTimestamp"]
        ).get("Messages"):
            found |= {each["MessageId"]: each for each in messages}
        for each in found.values():
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0)
        return list(found.values())


def marked(picture: Image.Image, name: str) -> bytes:
    """A PNG of a picture with one pixel in a corner that tells it from others."""
    picture = picture.convert("RGB")
    picture.putpixel((0, 0), tuple(hashlib.sha256(name.encode()).digest()[:3]))
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _if_named(key: str, names: Sequence[str], then: str, otherwise: str) -> str:
    """An expression that chooses by the last part of the photo's key."""
    chosen = otherwise[2:-2].strip() if otherwise.startswith("{%") else json.dumps(otherwise)
    name = f"$split($split($states.input.{key}, '/')[-1], '.')[0]"
    return f"{{% {name} in {json.dumps(list(names))} ? {json.dumps(then)} : ({chosen}) %}}"


def key_of(name: str) -> str:
    """Where a fault's photo is put."""
    return f"{prefixes.INCOMING}faults/{name}.png"
