"""A roll-out that is taken back, as somebody rehearses it on this machine; and a stack that leaves nothing behind."""

import contextlib
import json
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from contract.errors import UserError
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

    def up(self, attempt: int, **more: str) -> Deployment:
        """Deploy the model of a training attempt."""
        self.said.clear()
        return deploy(self.root, "dev", {"trainingAttempt": str(attempt), **more}, Listener(say=self.said.append))

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
        photo = next((self.root / "build/dataset/test").glob("*/*.png"))
        (result,) = Classification(self.cloud, connect(self.root)[1]).run([Photo(photo)], lambda _: None)
        items = self.cloud.client("dynamodb").scan(TableName=self.outputs()["decisionsTable"])["Items"]
        (item,) = [each for each in items if each["execution"]["S"] == result.execution]
        return item["model"]["S"]

    def outputs(self) -> dict:
        return json.loads(outputs_file(self.root, "dev").read_text())


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    root = write_root(tmp_path_factory.mktemp("rollout"))
    try:
        made = Stack(root)
        made.up(1)
        yield made
    finally:
        shut_down(root)


def test_a_model_that_is_taken_back_fails_every_up_until_another_one_serves(stack, monkeypatch, capsys):
    monkeypatch.chdir(stack.root)
    first, job = stack.endpoint()["EndpointConfigName"], stack.outputs()["trainingJobName"]
    (model,) = stack.names("Models")
    assert main(["rehearse", "health-check"]) == 0
    capsys.readouterr()

    said = stack.refused(2)
    (second,) = set(stack.names("EndpointConfigs")) - {first}
    assert said.startswith(f"the endpoint scones-dev serves the configuration {first}, not {second}")
    assert "did not pass the ping health check" in said
    record = stack.endpoint()
    assert (record["EndpointStatus"], record["EndpointConfigName"]) == ("InService", first)
    assert model in stack.names("Models") and first in stack.names("EndpointConfigs")
    assert stack.outputs()["trainingJobName"] == job == stack.model_in_decisions()

    assert stack.refused(2) == said, "the second time nothing changes, and it is still not true"
    assert main(["up", "--config", "trainingAttempt=2"]) == 2
    assert f"serves the configuration {first}, not {second}" in capsys.readouterr().err

    fixed = stack.up(3)
    assert stack.endpoint()["EndpointConfigName"] not in (first, second)
    assert fixed.outputs["trainingJobName"] != job and fixed.outputs["trainingJobName"] == stack.model_in_decisions()
    # nothing is kept once the successor has been seen to serve
    for kind in ("Models", "EndpointConfigs", "TrainingJobSummaries"):
        assert len(stack.names(kind)) == 1, kind
    stack.up(3)
    assert stack.said[-1].startswith("nothing to do")


def test_an_alarm_takes_a_model_back_and_the_previous_settings_need_no_training(stack, monkeypatch):
    monkeypatch.chdir(stack.root)
    before = stack.up(3)
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
        said = stack.refused(4, endpointMinInstances="2", endpointMaxInstances="2", rolloutBakeMinutes="30")
    finally:
        over.set()
        sender.join(10)
    assert "model-rollback-errors" in said and "SageMaker took the roll-out back" in said
    assert stack.up(3).outputs["trainingJobName"] == before.outputs["trainingJobName"]
    assert stack.names("TrainingJobSummaries") == jobs


def test_a_roll_out_that_would_begin_with_less_than_serves_trains_nothing(stack):
    stack.up(3)
    sagemaker, jobs = stack.cloud.client("sagemaker"), stack.names("TrainingJobSummaries")

    def scale(count: int) -> None:
        weights = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="scones-dev", DesiredWeightsAndCapacities=weights)

    scale(3)
    try:
        assert "is scaled out to 3 instances, and a roll-out would begin with" in stack.refused(5)
        assert stack.names("TrainingJobSummaries") == jobs
        # what makes no other configuration is no roll-out
        stack.up(3, confidenceThreshold="0.9")
    finally:
        scale(1)
        stack.up(3)


def test_a_protected_stack_is_not_destroyed_and_another_leaves_nothing_behind(stack):
    stack.up(3, protectData="true")
    with pytest.raises(UserError, match="nothing was deleted: data-bucket is protected"):
        destroy(stack.root, "dev", Listener(confirm=lambda losses: True))
    assert "s3 Buckets" in inventory(stack.cloud)
    stack.up(3)
    cloud, losses = stack.cloud, []
    assert "scones-dev" in " ".join(stack.names("Endpoints"))
    destroy(stack.root, "dev", Listener(confirm=lambda told: losses.extend(told) or True))
    assert any("data-bucket" in loss for loss in losses)
    assert eventually(lambda: "sagemaker Endpoints" not in inventory(cloud), 10)
    assert inventory(cloud) == {
        # every account's own bus; and the log group that all stacks' trainings share (docs/rollout.md)
        "events EventBuses": ["default"],
        "logs logGroups": ["/aws/sagemaker/TrainingJobs"],
    }
