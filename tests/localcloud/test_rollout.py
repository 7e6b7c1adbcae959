"""A roll-out that is taken back, as somebody rehearses it on this machine; and a stack that leaves nothing behind."""

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from contract.decisions import UNKNOWN_MODEL
from contract.errors import UserError
from contract.versions import listed
from localcloud.cli import main
from localcloud.deployment import Deployment, Listener, connect, deploy, destroy, shut_down
from localcloud.photos import Classification, Photo
from localcloud.places import outputs_file
from tests.localcloud.inventory import inventory
from tests.localcloud.local_stack import write_root
from tests.localcloud.processes import eventually

pytestmark = pytest.mark.long


class Stack:
    """The stack dev, and what was said about it."""

    def __init__(self, root: Path) -> None:
        self.root, self.said = root, []
        self.attempt = self._latest = 1
        self.kept: dict[str, str] = {}

    def new_attempt(self) -> int:
        """A training attempt whose job's name nobody has used."""
        self._latest += 1
        return self._latest

    def settled(self) -> Deployment:
        """The stack as a test finds it, whichever came before: up, with a model that serves."""
        return self.up(self.attempt)

    def up(self, attempt: int, **more: str) -> Deployment:
        """Deploy the model of a training attempt."""
        self.said.clear()
        settings = {"trainingAttempt": str(attempt), **self.kept, **more}
        return deploy(self.root, "dev", settings, Listener(say=self.said.append))

    def refused(self, attempt: int, **more: str) -> str:
        with pytest.raises(UserError) as caught:
            self.up(attempt, **more)
        return str(caught.value)

    @property
    def cloud(self):
        return connect(self.root)[0]

    def endpoint(self):
        return self.cloud.client("sagemaker").describe_endpoint(EndpointName="scones-dev")

    def names(self, what: str) -> list[str]:
        return list(inventory(self.cloud).get(f"sagemaker {what}", []))

    def model_in_decisions(self) -> str:
        """The model of a new decision; on a machine that takes seconds for a photo, one may name none."""
        return next((name for name in (self._decided() for _ in range(3)) if name != UNKNOWN_MODEL), UNKNOWN_MODEL)

    def _decided(self) -> str:
        photo = next((self.root / "build/dataset/test").glob("*/*.png"))
        (result,) = Classification(self.cloud, connect(self.root)[1]).run([Photo(photo)], lambda _: None)
        items = self.cloud.client("dynamodb").scan(TableName=self.outputs()["decisionsTable"])["Items"]
        (item,) = [each for each in items if each["execution"]["S"] == result.execution]
        return item["model"]["S"]

    def decisions(self) -> dict[str, set[tuple[str, ...]]]:
        """What the model answered about photos, by the model that their decisions name."""
        items = self.cloud.client("dynamodb").scan(TableName=self.outputs()["decisionsTable"])["Items"]
        answers: dict[str, set[tuple[str, ...]]] = {}
        for item in items:
            scores = tuple(score["N"] for score in item["inferences"]["L"])
            answers.setdefault(item["model"]["S"], set()).add(scores)
        return answers

    @contextlib.contextmanager
    def photos_of_the_roll_out(self) -> Iterator[None]:
        """The photo of `model_in_decisions` arrives again and again while the endpoint is updated."""
        photo, over = next((self.root / "build/dataset/test").glob("*/*.png")).read_bytes(), threading.Event()
        bucket, s3 = self.outputs()["bucket"], self.cloud.client("s3")

        def send() -> None:
            for number in itertools.count():
                if self.endpoint()["EndpointStatus"] == "Updating":
                    s3.put_object(Bucket=bucket, Key=f"incoming/again-{number}.png", Body=photo)
                if over.wait(0.4):
                    return

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join(10)
            machine = self.outputs()["stateMachineArn"]
            running = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
            assert eventually(lambda: not self.cloud.client("stepfunctions").list_executions(**running)["executions"])

    def outputs(self) -> dict:
        return json.loads(outputs_file(self.root, "dev").read_text())


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    root = write_root(tmp_path_factory.mktemp("rollout"))
    try:
        made = Stack(root)
        yield made
    finally:
        shut_down(root)


def test_a_model_that_is_taken_back_fails_every_up_until_another_one_serves(stack, monkeypatch, capsys):
    stack.settled()
    monkeypatch.chdir(stack.root)
    broken, whole = stack.new_attempt(), stack.new_attempt()
    first, job = stack.endpoint()["EndpointConfigName"], stack.outputs()["trainingJobName"]
    (model,) = stack.names("Models")
    assert main(["rehearse", "health-check"]) == 0
    capsys.readouterr()

    said = stack.refused(broken)
    (second,) = set(stack.names("EndpointConfigs")) - {first}
    assert said.startswith(f"the endpoint scones-dev serves the configuration {first}, not {second}")
    assert "did not pass the ping health check" in said
    record = stack.endpoint()
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", first)
    assert model in stack.names("Models") and first in stack.names("EndpointConfigs")
    assert stack.outputs()["trainingJobName"] == job == stack.model_in_decisions()

    assert stack.refused(broken) == said, "the second time nothing changes, and it is still not true"
    assert main(["up", "--config", f"trainingAttempt={broken}"]) == 2
    assert f"serves the configuration {first}, not {second}" in capsys.readouterr().err

    stack.attempt = whole
    # learns something else, so that an answer tells which model gave it
    stack.kept["hyperparameters"] = '{"learning_rate": 0.02}'
    with stack.photos_of_the_roll_out():
        fixed = stack.settled()
    assert fixed.outputs["trainingJobName"] != job and fixed.outputs["trainingJobName"] == stack.model_in_decisions()
    told = stack.decisions()
    assert set(told) == {job, UNKNOWN_MODEL, fixed.outputs["trainingJobName"]}
    before, after = told[job], told[fixed.outputs["trainingJobName"]]
    assert len(before) == len(after) == 1 and before != after
    assert after <= told[UNKNOWN_MODEL] <= before | after
    assert stack.endpoint()["EndpointConfigName"] not in (first, second)
    # nothing is kept once the successor has been seen to serve
    for kind in ("Models", "EndpointConfigs", "TrainingJobSummaries"):
        assert len(stack.names(kind)) == 1, kind
    stack.settled()
    assert stack.said[-1].startswith("nothing to do")


def test_an_alarm_takes_a_model_back_and_the_previous_settings_need_no_training(stack, monkeypatch):
    before = stack.settled()
    monkeypatch.chdir(stack.root)
    jobs, photo = stack.names("TrainingJobSummaries"), next((stack.root / "build/dataset/test").glob("*/*.png"))
    assert main(["rehearse", "errors"]) == 0
    cloud, over = stack.cloud, threading.Event()

    def send() -> None:
        while not over.is_set():
            if cloud.client("sagemaker").describe_endpoint(EndpointName="scones-dev")["EndpointStatus"] == "Updating":
                with contextlib.suppress(ClientError):
                    cloud.client("sagemaker-runtime").invoke_endpoint(
                        EndpointName="scones-dev", ContentType="image/png", Body=photo.read_bytes()
                    )
            over.wait(0.1)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        # long enough for a loaded machine: the roll-out ends when the alarm goes off
        said = stack.refused(
            stack.new_attempt(), endpointMinInstances="2", endpointMaxInstances="2", rolloutBakeMinutes="30"
        )
    finally:
        over.set()
        sender.join(10)
    assert "model-rollback-errors" in said and "SageMaker took the roll-out back" in said
    assert stack.settled().outputs["trainingJobName"] == before.outputs["trainingJobName"]
    assert stack.names("TrainingJobSummaries") == jobs


def test_a_roll_out_that_would_begin_with_less_than_serves_trains_nothing(stack):
    stack.settled()
    sagemaker, jobs = stack.cloud.client("sagemaker"), stack.names("TrainingJobSummaries")

    def scale(count: int) -> None:
        weights = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="scones-dev", DesiredWeightsAndCapacities=weights)

    scale(3)
    try:
        assert "is scaled out to 3 instances, and a roll-out would begin with" in stack.refused(stack.new_attempt())
        assert stack.names("TrainingJobSummaries") == jobs
        # what makes no other configuration is no roll-out
        stack.up(stack.attempt, confidenceThreshold="0.9")
    finally:
        scale(1)
        stack.settled()


def test_a_protected_stack_is_not_destroyed_and_another_leaves_nothing_behind(stack):
    stack.up(stack.attempt, protectData="true")
    kept = "data-bucket, register-emptied, register-group"
    with pytest.raises(UserError, match=f"nothing was deleted: {kept} are protected"):
        destroy(stack.root, "dev", Listener(confirm=lambda losses: True))
    assert "s3 Buckets" in inventory(stack.cloud)
    stack.settled()
    cloud, losses = stack.cloud, []
    assert "scones-dev" in " ".join(stack.names("Endpoints"))
    # what has served is in the register, which SageMaker deletes only when it is empty
    models = len(listed(cloud.client("sagemaker"), stack.outputs()["modelPackageGroup"]))
    assert models > 0
    # the names of its jobs stay used
    stack.attempt = stack.new_attempt()
    destroy(stack.root, "dev", Listener(confirm=lambda told: losses.extend(told) or True))
    assert any("data-bucket" in loss for loss in losses)
    assert any("register-group" in loss and f"{models} registered model" in loss for loss in losses)
    assert eventually(lambda: "sagemaker Endpoints" not in inventory(cloud), 10)
    assert inventory(cloud) == {
        # every account's own bus; and the log group that all stacks' trainings share (docs/rollout.md)
        "events EventBuses": ["default"],
        "logs logGroups": ["/aws/sagemaker/TrainingJobs"],
    }
