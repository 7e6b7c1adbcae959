"""The state machine as written (by its structure) and as executed (by an emulator, on stub functions)."""

import json
import re
import time
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from components.parts.state_machine import (
    LAMBDA_TRANSIENT,
    TRANSIENT,
    Resources,
    definition,
)
from contract import errors
from contract.photos import StoredObject, read_photo
from tests.components.emulator import Emulator, emulator, zipped

NAMES = Resources("arn:s:1", "arn:c:1", "arn:f:1", "table", "bus", "https://queue", "arn:topic", 30)
STATES = definition(NAMES)["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}

STUB = """
import json
CODES = {"ThresholdNotMet": "THRESHOLD_CONFIDENCE_NOT_MET", "NoneOfTheClasses": "NONE_OF_THE_CLASSES"}
def handler(event, context):
    role, plan = "ROLE", json.loads(event.get("s3_key", "{}") or "{}")
    if role in plan:
        name, message = plan[role]
        if role == "filter" and name in CODES and not message:
            figures = dict(label="bicycle", confidence=0.6, margin=0.2, threshold=0.8, inferences=[0.6, 0.4])
            message = CODES[name] + " " + json.dumps(figures)
        raise type(name, (Exception,), {})(message)
    if role == "serialize":
        version = event.get("s3_version") or "v1"
        return {**event, "s3_version": version, "image_data": "PICTURE", "inferences": []}
    if role == "classify":
        return {**event, "inferences": [0.9, 0.1], "inference_id": "ab" * 16, "model": "job-1"}
    assert "image_data" not in event, sorted(event)
    return {**event, "label": "bicycle", "confidence": 0.9, "margin": 0.8, "threshold": 0.8,
            "decision": "accepted", "loading_bay": "bay 1"}
"""


@pytest.mark.parametrize("name", TASKS)
def test_every_task_ends_in_time_retries_what_is_transient_and_catches_the_rest(name):
    task = TASKS[name]
    assert 0 < task["TimeoutSeconds"] <= 60
    assert task["Retry"] and task["Catch"]
    *some, everything = [catch["ErrorEquals"] for catch in task["Catch"]]
    assert everything == ["States.ALL"] and everything not in some
    for retrier in task["Retry"]:
        assert retrier["JitterStrategy"] == "FULL" and retrier["BackoffRate"] > 1
        assert retrier["MaxDelaySeconds"] >= retrier["IntervalSeconds"] >= 1
        assert 1 <= retrier["MaxAttempts"] <= 5
        permanent = {error.__name__ for error in errors.PERMANENT}
        assert not permanent & set(retrier["ErrorEquals"])
        assert not {"States.ALL", "States.TaskFailed"} & set(retrier["ErrorEquals"])


def test_the_functions_retry_exactly_lambdas_faults_and_the_handlers_transient_ones():
    retried = {name for r in STATES["Classify"]["Retry"] for name in r["ErrorEquals"]}
    assert retried == {*LAMBDA_TRANSIENT, *TRANSIENT}
    assert set(TRANSIENT) == {error.__name__ for error in errors.TRANSIENT}


def test_every_state_leads_somewhere_and_failures_can_only_fail():
    targets = {s.get("Next") for s in STATES.values()} | {c["Next"] for s in TASKS.values() for c in s["Catch"]}
    assert targets - {None} <= set(STATES)
    for name in ("RecordReview", "SendToReview", "Alert"):
        onward = {STATES[name]["Next"], *(c["Next"] for c in STATES[name]["Catch"])}
        assert onward <= {"SendToReview", "Alert", "Failed"}
    assert [n for n, s in STATES.items() if s["Type"] == "Succeed"] == ["Routed", "AlreadyDecided"]


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if "Catch" in state])
def test_no_catch_calls_a_function_that_can_fail(name):
    for catch in STATES[name]["Catch"]:
        called = set(re.findall(r"\$(\w+)\(", catch["Output"]))
        assert called <= {"substring", "filter", "sift", "merge", "type"}


def test_nothing_ends_the_execution_behind_the_review_queues_back():
    assert "TimeoutSeconds" not in definition(NAMES)


class Machine:
    """The definition in the emulator, with the places of its effects."""

    def __init__(self, running: Emulator) -> None:
        self._running = running
        iam, lambda_ = running.client("iam"), running.client("lambda")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = iam.create_role(
            RoleName="role",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        arns = {}
        for name in ("serialize", "classify", "filter"):
            arns[name] = lambda_.create_function(
                FunctionName=name,
                Runtime="provided.al2023",
                Role=role,
                Handler="stub.handler",
                Code={"ZipFile": zipped(STUB.replace("ROLE", name))},
                Publish=True,
                Timeout=20,
            )["FunctionArn"]
        self.arns, self.role = arns, role
        self.table = running.client("dynamodb").create_table(
            TableName="decisions",
            AttributeDefinitions=[
                {"AttributeName": "object", "AttributeType": "S"},
                {"AttributeName": "version", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "object", "KeyType": "HASH"},
                {"AttributeName": "version", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]["TableName"]
        self.sqs = running.client("sqs")
        self.queue, self.alerts, self.events = (
            self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("review", "alerts", "events")
        )
        self.topic = running.client("sns").create_topic(Name="alerts")["TopicArn"]
        running.client("sns").subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=self._arn(self.alerts),
            Attributes={"RawMessageDelivery": "true"},
        )
        events = running.client("events")
        events.create_event_bus(Name="orders")
        events.put_rule(
            Name="all", EventBusName="orders", EventPattern=json.dumps({"source": ["scones.classification"]})
        )
        events.put_targets(Rule="all", EventBusName="orders", Targets=[{"Id": "1", "Arn": self._arn(self.events)}])
        self.machine = self._create("machine", self.queue)
        self.failing = self.with_other("failing", serialize=arns["serialize"].replace("serialize", "gone"))

    def _arn(self, url: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def _create(
        self, name: str, queue: str, bus: str = "orders", table: str | None = None, serialize: str | None = None
    ) -> str:
        names = Resources(
            **(self.arns | ({"serialize": serialize} if serialize else {})),
            decisions_table=table or self.table,
            event_bus=bus,
            review_queue_url=queue,
            alert_topic=self.topic,
            retention_days=30,
        )
        answer = self._running.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition(names)), roleArn=self.role
        )
        return answer["stateMachineArn"]

    def with_other(self, name: str, **other: str) -> str:
        return self._create(name, **({"queue": self.queue} | other))

    def run(self, plan: dict[str, object], version: str = "", machine: str | None = None, event=None):
        steps = self._running.client("stepfunctions")
        payload = (
            event
            if event is not None
            else {
                "s3_bucket": "b",
                "s3_key": json.dumps(plan),
                "s3_version": version,
                "image_data": "",
            }
        )
        arn = steps.start_execution(stateMachineArn=machine or self.machine, input=json.dumps(payload))["executionArn"]
        for _ in range(300):
            answer = steps.describe_execution(executionArn=arn)
            if answer["status"] != "RUNNING":
                history = steps.get_execution_history(executionArn=arn, maxResults=1000)["events"]
                entered = [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e]
                return answer, entered, history
            time.sleep(0.05)
        raise AssertionError("still running")

    def messages(self, url: str) -> list[dict]:
        found = []
        while batch := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def alerts_of(self, execution: str) -> list[str]:
        """The alerts about one execution, which come a moment after it has ended; those about others are put away."""
        for _ in range(100):
            if found := [each for each in self.messages(self.alerts) if execution in each]:
                return found
            time.sleep(0.1)
        return []

    def told(self, event: dict[str, object]) -> dict[str, str]:
        """The photo that the review message names when Serialize fails on that event."""
        _, entered, _ = self.run({}, event=event, machine=self.failing)
        assert entered[0] == "Serialize" and entered[-3:] == ["SendToReview", "Alert", "Failed"]
        (body,) = self.messages(self.queue)
        self.messages(self.alerts)
        return {name: value for name, value in json.loads(body).items() if name in ("bucket", "key", "version")}

    def item(self, key: str, version: str) -> dict:
        name = {"object": {"S": f"b/{key}"}, "version": {"S": version}}
        return self._running.client("dynamodb").get_item(TableName=self.table, Key=name)["Item"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as running:
        yield Machine(running)


def test_an_accepted_photo_is_recorded_and_published(machine):
    answer, entered, _ = machine.run({}, version="accepted")
    assert answer["status"] == "SUCCEEDED", answer
    assert entered == ["Serialize", "Classify", "Filter", "Record", "Publish", "Routed"]
    output = json.loads(answer["output"])
    assert output["loading_bay"] == "bay 1" and "image_data" not in output
    item = machine.item("{}", "accepted")
    assert item["decision"] == {"S": "accepted"} and item["loading_bay"] == {"S": "bay 1"}
    assert item["inferences"] == {"L": [{"N": "0.9"}, {"N": "0.1"}]} and item["confidence"] == {"N": "0.9"}
    days = (int(item["expires_at"]["N"]) - time.time()) / 86400
    assert 29.9 < days <= 30
    time.sleep(0.5)
    (event,) = machine.messages(machine.events)
    event = json.loads(event)
    assert event["detail-type"] == "VehicleClassified"
    assert event["detail"] == {
        "bucket": "b",
        "key": "{}",
        "version": "accepted",
        "inference_id": "ab" * 16,
        "label": "bicycle",
        "confidence": 0.9,
        "margin": 0.8,
        "threshold": 0.8,
        "loading_bay": "bay 1",
        "model": "job-1",
        "execution": answer["executionArn"],
        "decided_by": "model",
    }
    assert machine.messages(machine.queue) == []


def test_a_duplicate_of_an_accepted_photo_succeeds_and_publishes_nothing(machine):
    machine.run({}, version="twice")
    time.sleep(0.5)
    machine.messages(machine.events)
    answer, entered, _ = machine.run({}, version="twice")
    assert answer["status"] == "SUCCEEDED" and entered[-1] == "AlreadyDecided"
    time.sleep(0.5)
    assert machine.messages(machine.events) == []


@pytest.mark.parametrize(
    ("error", "decision"), [(errors.ThresholdNotMet, "review"), (errors.NoneOfTheClasses, "neither")]
)
def test_a_photo_for_a_person_is_recorded_queued_alerted_and_fails_and_its_duplicate_only_fails(
    machine, error, decision
):
    plan = {"filter": [error.__name__, ""]}
    answer, entered, _ = machine.run(plan, version="unsure")
    assert answer["status"] == "FAILED" and answer["error"] == error.__name__
    assert answer["cause"].startswith(f"{error.CODE} ")
    assert entered[-4:] == ["RecordReview", "SendToReview", "Alert", "Failed"]
    (body,) = machine.messages(machine.queue)
    message = json.loads(body)
    assert message.pop("message").startswith(f"{error.CODE} ")
    assert message == {
        "bucket": "b",
        "key": json.dumps(plan),
        "version": "unsure",
        "error": error.__name__,
        "inferences": [0.6, 0.4],
        "inference_id": "ab" * 16,
        "label": "bicycle",
        "confidence": 0.6,
        "margin": 0.2,
        "threshold": 0.8,
        "model": "job-1",
        "execution": answer["executionArn"],
    }
    item = machine.item(json.dumps(plan), "unsure")
    assert item["decision"] == {"S": decision} and "loading_bay" not in item
    (alert,) = machine.alerts_of(answer["executionArn"])
    assert f"\n{error.__name__}: {error.CODE} " in alert

    again, entered, _ = machine.run(plan, version="unsure")
    assert again["status"] == "FAILED" and again["error"] == error.__name__
    assert entered[-2:] == ["RecordReview", "Failed"]
    time.sleep(0.5)
    assert machine.messages(machine.queue) == []
    assert not [each for each in machine.messages(machine.alerts) if again["executionArn"] in each]


@pytest.mark.parametrize("role", ["serialize", "classify", "filter"])
@pytest.mark.parametrize("error", [e.__name__ for e in errors.PERMANENT if not issubclass(e, errors.ForAPerson)])
def test_a_permanent_fault_is_not_retried_and_reaches_a_person(machine, role, error):
    answer, entered, history = machine.run({role: [error, 'a "quoted" é }']}, version=error)
    assert (answer["status"], answer["error"]) == ("FAILED", error)
    assert answer["cause"] == 'a "quoted" é }'
    assert entered[-3:] == ["SendToReview", "Alert", "Failed"]
    assert sum(e["type"] in ("TaskFailed", "LambdaFunctionFailed") for e in history) == 1
    (body,) = machine.messages(machine.queue)
    message = json.loads(body)
    assert message["error"] == error and message["bucket"] == "b" and "PICTURE" not in body
    machine.messages(machine.alerts)


@pytest.mark.parametrize(
    "said", [f"{errors.ThresholdNotMet.CODE} {{no: json}}", f"{errors.ThresholdNotMet.CODE} [1]", "{" * 20_000]
)
def test_a_message_that_cannot_be_read_keeps_no_photo_from_a_person(machine, said):
    answer, entered, _ = machine.run({"filter": ["ThresholdNotMet", said]}, version=said[-10:])
    assert (answer["status"], answer["error"]) == ("FAILED", "ThresholdNotMet")
    assert entered[-3:] == ["SendToReview", "Alert", "Failed"]
    (body,) = machine.messages(machine.queue)
    message = json.loads(body)
    assert (message["bucket"], message["error"]) == ("b", "ThresholdNotMet") and said[:8000] in message["message"]
    machine.messages(machine.alerts)


def test_a_transient_fault_is_retried_before_it_reaches_a_person(machine):
    answer, entered, history = machine.run({"classify": ["Throttled", "slow down"]}, version="t")
    assert answer["error"] == "Throttled" and entered[-1] == "Failed"
    assert sum(e["type"] in ("TaskFailed", "LambdaFunctionFailed") for e in history) == 6
    assert len(machine.messages(machine.queue)) == 1
    machine.messages(machine.alerts)


def test_when_the_review_queue_is_gone_the_alert_still_goes_out_and_says_so(machine):
    broken = machine.with_other("noqueue", queue=machine.queue.replace("review", "gone"))
    answer, entered, _ = machine.run({"classify": ["InvalidImage", "no"]}, machine=broken)
    assert answer["status"] == "FAILED" and answer["error"] == "InvalidImage"
    assert entered[-2:] == ["Alert", "Failed"]
    (alert,) = machine.alerts_of(answer["executionArn"])
    assert "not in the review queue" in alert and "InvalidImage" in alert


def test_a_decision_that_cannot_be_recorded_reaches_a_person(machine):
    broken = machine.with_other("notable", table="gone")
    answer, _, _ = machine.run({}, version="x", machine=broken)
    assert answer["status"] == "FAILED" and answer["error"].startswith("DynamoDB.")
    (body,) = machine.messages(machine.queue)
    assert json.loads(body)["inferences"] == [0.9, 0.1]


@pytest.mark.parametrize("event", [{"foo": 1}, [1], "text", {"s3_key": 3, "s3_bucket": [1, 2]}])
def test_an_input_of_any_shape_still_reaches_a_person(machine, event):
    answer, entered, _ = machine.run({}, event=event)
    assert answer["status"] == "FAILED" and entered[-1] == "Failed"
    (body,) = machine.messages(machine.queue)
    assert json.loads(body)["execution"] == answer["executionArn"]


KEYS = ["incoming/a b+c.jpg", "incoming/100 %.jpg", "incoming/%41.jpg", "incoming/Fahrräder/自車 🚲.jpg", "plain.jpg"]


@pytest.mark.parametrize("key", KEYS)
def test_the_key_in_the_message_is_the_objects_own_in_every_shape_of_event(machine, key):
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": quote_plus(key, safe="/"), "versionId": "v"}}}
    bridge = {"source": "aws.s3", "detail": {"bucket": {"name": "b"}, "object": {"key": key, "version-id": "v"}}}
    for event in ({"Records": [record]}, bridge, {"s3_bucket": "b", "s3_key": key, "s3_version": "v"}):
        assert machine.told(event) == {"bucket": "b", "key": key, "version": "v"}
        assert read_photo(event) == StoredObject("b", key, "v")


@pytest.mark.parametrize("key", ["100%", "%", "%zz", "a%FFb", "%C3", "%ED%A0%80", "%C0%80", "%F4%90%80%80"])
def test_a_key_that_no_one_can_decode_is_told_as_it_came(machine, key):
    assert machine.told({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]})["key"] == key


def test_no_state_after_classify_carries_the_picture(machine):
    _, _, history = machine.run({"filter": ["InvalidInference", "x"]}, version="p")
    seen = [e for e in history if "stateEnteredEventDetails" in e]
    late = [e["stateEnteredEventDetails"] for e in seen[2:]]
    assert late and all("PICTURE" not in str(e) for e in late)
    assert "PICTURE" in str(seen[1])
    machine.messages(machine.queue)


def test_every_integration_is_one_of_the_partition_that_the_stack_is_in():
    machine = definition(replace(NAMES, partition="aws-cn"))
    integrations = [state["Resource"] for state in machine["States"].values() if state["Type"] == "Task"]
    assert len(integrations) == 8 and all(each.startswith("arn:aws-cn:states:::") for each in integrations)
