"""What roles attempt beyond their task is denied, and their task is not: with IAM enforced, as the graph grants it.

The emulator has no SageMaker; about its actions, and about those of roles that only services take, its evaluator of
policies is asked (SimulatePrincipalPolicy).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.emulator import Emulator, emulator
from tests.components.stack import run
from tests.permissions.granted import statements_by_role

ACCOUNT, GRAPHS_ACCOUNT = "000000000000", "123456789012"
BUCKET, OTHER_BUCKET = "data-bucket-1a2b3c4", "other-bucket-1a2b3c4"
KEYS = ("incoming/a.jpg", "models/job/output/model.tar.gz", "dataset/1/train.rec", "capture/e/1.jsonl",
        "corrections/bicycle/1.png", "baseline/baseline.json", "batch-results/1/SUCCEEDED_0.jsonl")  # fmt: skip
SERIALIZE, CLASSIFY, FILTER = (f"workflow-{step}-role" for step in ("serialize", "classify", "filter"))
OBSERVE, MACHINE, BATCH = "observability-observe-role", "workflow-machine-role", "batch-machine-role"


class Enforced:
    """An emulator that enforces IAM, with the graph's roles and something for them to reach for."""

    def __init__(self, running: Emulator) -> None:
        self.running, self._sessions = running, dict[str, boto3.Session]()
        self._clients: dict[tuple[str, str], Any] = {}
        s3 = running.client("s3")
        for bucket in (BUCKET, OTHER_BUCKET):
            s3.create_bucket(Bucket=bucket)
            for key in KEYS:
                s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        sqs = running.client("sqs")
        self.queues = {
            name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("workflow-review-1a2b3c4", "other")
        }
        for table in ("workflow-decisions-1a2b3c4", "other"):
            running.client("dynamodb").create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "object", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "object", "AttributeType": "S"}],
            )
        for bus in ("workflow-decisions-1a2b3c4", "other"):
            running.client("events").create_event_bus(Name=bus)

    def add(self, role: str, statements: list[Any]) -> None:
        """A role that may do what the graph says."""
        iam = self.running.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        document = json.dumps({"Version": "2012-10-17", "Statement": statements}).replace(GRAPHS_ACCOUNT, ACCOUNT)
        iam.put_role_policy(RoleName=role, PolicyName="granted", PolicyDocument=document)

    def client(self, role: str, service: str) -> Any:
        """boto3's client of a service, as a session of the role."""
        if role not in self._sessions:
            arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
            given = self.running.client("sts").assume_role(RoleArn=arn, RoleSessionName="attempt")["Credentials"]
            self._sessions[role] = boto3.Session(
                given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1"
            )
        if (role, service) not in self._clients:
            make: Any = self._sessions[role].client
            self._clients[role, service] = make(service, endpoint_url=self.running.url)
        return self._clients[role, service]

    def decision(self, role: str, action: str, resource: str) -> str:
        """What the evaluator of policies says."""
        answer = self.running.client("iam").simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            ActionNames=[action],
            ResourceArns=[resource.replace(GRAPHS_ACCOUNT, ACCOUNT)],
        )
        (result,) = answer["EvaluationResults"]
        return result["EvalDecision"]


@pytest.fixture(scope="module")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    folder = tmp_path_factory.mktemp("attempts")
    (folder / "layer.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    files = {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(folder / "layer.zip")}
    granted = statements_by_role(run("dev", retrainOnDrift=True, **files))
    with emulator(folder / "log", enforced=True) as running:
        made = Enforced(running)
        for role, statements in granted.items():
            made.add(role, [statement for _, statement in statements])
        yield made


def read(key: str, bucket: str = BUCKET) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "s3").get_object(Bucket=bucket, Key=key)


def write(key: str, bucket: str = BUCKET) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def delete(key: str) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "s3").delete_object(Bucket=BUCKET, Key=key)


def send(queue: str) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "sqs").send_message(QueueUrl=it.queues[queue], MessageBody="{}")


def receive(queue: str) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "sqs").receive_message(QueueUrl=it.queues[queue])


def put(table: str) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "dynamodb").put_item(TableName=table, Item={"object": {"S": "x"}})


def scan(table: str) -> Callable[[Enforced, str], Any]:
    return lambda it, role: it.client(role, "dynamodb").scan(TableName=table)


def say(bus: str) -> Callable[[Enforced, str], Any]:
    entry = {"EventBusName": bus, "Source": "scones", "DetailType": "x", "Detail": "{}"}
    return lambda it, role: it.client(role, "events").put_events(Entries=[entry])


TABLE = BUS = "workflow-decisions-1a2b3c4"
REVIEW = "workflow-review-1a2b3c4"
TASKS = {
    "serialize reads a photo": (SERIALIZE, read("incoming/a.jpg")),
    "observe reads a capture": (OBSERVE, read("capture/e/1.jsonl")),
    "observe reads the baseline": (OBSERVE, read("baseline/baseline.json")),
    "observe announces a drift": (OBSERVE, say(BUS)),
    "the state machine asks a person": (MACHINE, send(REVIEW)),
    "the state machine records a decision": (MACHINE, put(TABLE)),
    "the state machine tells a decision": (MACHINE, say(BUS)),
    "a batch writes its results": (BATCH, write("batch-results/1/SUCCEEDED_1.jsonl")),
    "the model's role reads the model": ("model-role", read("models/job/output/model.tar.gz")),
    "the model's role writes a capture": ("model-role", write("capture/e/2.jsonl")),
}
ATTEMPTS = {
    **{f"serialize reads {key}": (SERIALIZE, read(key)) for key in KEYS[1:]},
    "serialize reads another bucket": (SERIALIZE, read("incoming/a.jpg", OTHER_BUCKET)),
    "serialize writes a photo": (SERIALIZE, write("incoming/b.jpg")),
    "serialize deletes a photo": (SERIALIZE, delete("incoming/a.jpg")),
    "serialize asks a person": (SERIALIZE, send(REVIEW)),
    **{f"classify reads {key}": (CLASSIFY, read(key)) for key in KEYS},
    "classify records a decision": (CLASSIFY, put(TABLE)),
    **{f"filter reads {key}": (FILTER, read(key)) for key in KEYS[:2]},
    "filter tells a decision": (FILTER, say(BUS)),
    "observe reads a photo": (OBSERVE, read("incoming/a.jpg")),
    "observe reads a sample": (OBSERVE, read("corrections/bicycle/1.png")),
    "observe writes a baseline": (OBSERVE, write("baseline/baseline.json")),
    "observe deletes a capture": (OBSERVE, delete("capture/e/1.jsonl")),
    "observe tells another bus": (OBSERVE, say("other")),
    "the state machine reads a photo": (MACHINE, read("incoming/a.jpg")),
    "the state machine takes a message": (MACHINE, receive(REVIEW)),
    "the state machine sends to another queue": (MACHINE, send("other")),
    "the state machine reads decisions": (MACHINE, scan(TABLE)),
    "the state machine writes another table": (MACHINE, put("other")),
    "the state machine tells another bus": (MACHINE, say("other")),
    "a batch writes a photo": (BATCH, write("incoming/b.jpg")),
    "a batch reads a photo": (BATCH, read("incoming/a.jpg")),
    "the model's role reads a photo": ("model-role", read("incoming/a.jpg")),
    "the model's role reads a sample": ("model-role", read("corrections/bicycle/1.png")),
    "the model's role changes the dataset": ("model-role", write("dataset/1/train.rec")),
}


@pytest.mark.parametrize("what", TASKS)
def test_a_role_s_task_is_allowed(enforced: Enforced, what: str) -> None:
    role, act = TASKS[what]
    answer = act(enforced, role)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200 and not answer.get("FailedEntryCount")


@pytest.mark.parametrize("what", ATTEMPTS)
def test_what_is_beyond_a_role_s_task_is_denied(enforced: Enforced, what: str) -> None:
    role, act = ATTEMPTS[what]
    with pytest.raises(ClientError) as caught:
        act(enforced, role)
    assert "AccessDenied" in caught.value.response["Error"]["Code"], caught.value


SAGEMAKER = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:"
LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"
DECISIONS = [
    (CLASSIFY, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/scones-dev", True),
    (CLASSIFY, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/scones-prod", False),
    (CLASSIFY, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/scones-dev-2", False),
    (CLASSIFY, "sagemaker:DeleteEndpoint", f"{SAGEMAKER}endpoint/scones-dev", False),
    (SERIALIZE, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/scones-dev", False),
    (FILTER, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/scones-dev", False),
    (MACHINE, "lambda:InvokeFunction", f"{LAMBDA}workflow-filter-1a2b3c4:7", True),
    (MACHINE, "lambda:InvokeFunction", f"{LAMBDA}workflow-filter-1a2b3c4", False),
    (MACHINE, "lambda:InvokeFunction", f"{LAMBDA}observability-observe-1a2b3c4:1", False),
    (MACHINE, "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/scones-dev", False),
    ("workflow-uploads-role", "states:StartExecution", f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:other", False),
    ("model-role", "sagemaker:CreateTrainingJob", f"{SAGEMAKER}training-job/x", False),
    ("model-role", "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/model-role", False),
]


@pytest.mark.parametrize(("role", "action", "resource", "allowed"), DECISIONS)
def test_the_evaluator_of_policies_says_the_same_of_what_the_emulator_lacks(
    enforced: Enforced, role: str, action: str, resource: str, allowed: bool
) -> None:
    assert (enforced.decision(role, action, resource) == "allowed") is allowed


def test_a_session_without_rights_is_denied_so_that_a_denial_means_something(enforced: Enforced) -> None:
    enforced.add("nobody", [{"Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": ["*"]}])
    for what in at_least_one(TASKS):
        with pytest.raises(ClientError, match="AccessDenied"):
            TASKS[what][1](enforced, "nobody")
