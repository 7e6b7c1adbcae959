import contextlib
import dataclasses
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from contract.errors import UserError
from contract.names import TRAINING_LOG_GROUP
from training.cli import main
from training.job.instances import TRAINING_INSTANCE_FAMILIES
from training.job.prices import USD_PER_HOUR
from training.job.progress import Job, Learning, cost_of, epochs_asked
from training.job.watch import LogTail, describe, follow, is_local

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
JOB = Job(
    name="scones-1",
    status="InProgress",
    stage="Training",
    failure_reason="",
    epochs=3,
    instance_type="ml.g4dn.xlarge",
    instances=1,
    spot=True,
    started=START,
    ended=None,
    billable_seconds=None,
    artifact="",
)


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    with mock_aws():
        yield


def changed(**changes):
    return dataclasses.replace(JOB, **changes)


def create_job(name="scones-1"):
    boto3.client("sagemaker").create_training_job(
        TrainingJobName=name,
        HyperParameters={"epochs": "3"},
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/training",
        OutputDataConfig={"S3OutputPath": "s3://bucket/models/"},
        ResourceConfig={"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def log(*lines, stream="scones-1/algo-1-1"):
    logs = boto3.client("logs")
    for create in (
        lambda: logs.create_log_group(logGroupName=TRAINING_LOG_GROUP),
        lambda: logs.create_log_stream(logGroupName=TRAINING_LOG_GROUP, logStreamName=stream),
    ):
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            create()
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName=TRAINING_LOG_GROUP, logStreamName=stream, logEvents=events)


class ScriptedJobs:
    """A SageMaker that answers with one state of a job after the other, and acts before each."""

    def __init__(self, *states):
        self.states = iter(states)

    def describe_training_job(self, TrainingJobName):
        state, act = next(self.states)
        act()
        return {
            "TrainingJobName": TrainingJobName,
            "HyperParameters": {"epochs": "3"},
            "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "TrainingJobStatus": state,
            "SecondaryStatus": state,
            "TrainingStartTime": START,
        }


def test_a_jobs_progress_is_followed_from_its_log_to_its_end(capsys):
    waits = []
    jobs = ScriptedJobs(
        ("InProgress", lambda: None),
        ("InProgress", lambda: log("Epoch[0] Train-accuracy=0.7", "Epoch[0] Validation-accuracy=0.6")),
        ("InProgress", lambda: log("noise", "Epoch[1] Validation-accuracy=0.8")),
        ("Completed", lambda: log("Epoch[2] Validation-accuracy=0.75")),
    )
    job, learning = follow("scones-1", jobs, boto3.client("logs"), interval=7, sleep=waits.append)
    assert job.status == "Completed"
    assert waits == [7, 7, 7]
    assert learning.validation == {0: 0.6, 1: 0.8, 2: 0.75}
    assert learning.best == (1, 0.8)
    progress = capsys.readouterr().err
    assert "epoch 1/3: train 0.700, validation 0.600" in progress
    assert "epoch 3/3: validation 0.750" in progress


def test_lines_come_once_each_from_every_stream_of_the_job_alone():
    tail = LogTail("scones-1", boto3.client("logs"))
    assert tail.new_lines() == []
    log("a", "b")
    log("other", stream="scones-12/algo-1-1")
    assert tail.new_lines() == ["a", "b"]
    assert tail.new_lines() == []
    log("c")
    log("d", stream="scones-1/algo-2-1")
    assert tail.new_lines() == ["c", "d"]


def test_a_completed_job_ends_with_0_and_says_the_rest(capsys):
    create_job()
    log("Epoch[0] Validation-accuracy=0.5", "Epoch[1] Validation-accuracy=0.85")
    assert main(["watch", "scones-1", "--interval", "0.01"]) == 0
    printed = capsys.readouterr().out
    assert "scones-1: Completed" in printed
    assert "best validation accuracy 0.850 in epoch 2 of 2" in printed
    assert "artifact s3://bucket/models/scones-1/output/model.tar.gz" in printed


def test_the_outcome_as_json(capsys):
    create_job()
    log("Epoch[0] Validation-accuracy=0.5")
    assert main(["watch", "scones-1", "--json", "--price-per-hour", "2"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["status"] == "Completed"
    assert outcome["best"] == {"epoch": 0, "validation_accuracy": 0.5}
    assert outcome["epochs"]["asked"] == 3
    assert outcome["cost"]["price"] == "$2 an hour, as given"


def test_the_stacks_own_job_needs_no_name(tmp_path, capsys):
    create_job("scones-dev-77")
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"trainingJobName": "scones-dev-77"}))
    assert main(["watch", "--outputs", str(outputs)]) == 0
    assert "scones-dev-77: Completed" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_failed_or_was_stopped_ends_with_1_and_its_reason(status, monkeypatch, capsys):
    job = changed(status=status, failure_reason="ClientError: no images in train", ended=START)
    monkeypatch.setattr("training.job.watch.describe", lambda *_: job)
    assert main(["watch", "scones-1"]) == 1
    assert f"scones-1: {status}: ClientError: no images in train" in capsys.readouterr().out


def test_a_job_that_does_not_exist_is_a_mistake(capsys):
    assert main(["watch", "nothing"]) == 2
    assert capsys.readouterr().err.startswith("error: there is no training job 'nothing' here")


def test_no_job_and_no_stack_is_a_mistake(capsys):
    assert main(["watch"]) == 2
    assert "error: a job is needed" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_an_interval_is_a_positive_number(value, capsys):
    with pytest.raises(SystemExit):
        main(["watch", "x", "--interval", value])
    assert f"must be a positive number of seconds, got '{value}'" in capsys.readouterr().err


def test_describe_reads_what_the_service_says():
    create_job()
    job = describe("scones-1", boto3.client("sagemaker"))
    assert (job.status, job.epochs, job.instance_type, job.is_over) == ("Completed", 3, "ml.g4dn.xlarge", True)
    with pytest.raises(UserError, match="there is no training job 'other' here"):
        describe("other", boto3.client("sagemaker"))


def test_before_the_end_the_cost_is_an_upper_bound_by_the_clock():
    cost = cost_of(JOB, START + timedelta(minutes=30))
    assert (cost.kind, cost.seconds) == ("at most", 1800)
    assert cost.usd == pytest.approx(0.3682)
    assert cost.text == "at most $0.37"
    assert "us-east-1" in cost.price


def test_at_the_end_the_cost_is_that_of_the_billable_seconds_of_every_instance():
    cost = cost_of(changed(billable_seconds=360, instances=2, ended=START + timedelta(hours=1)), START)
    assert (cost.kind, cost.seconds) == ("billed", 720)
    assert cost.usd == pytest.approx(0.14728)
    assert cost.text == "$0.15"


def test_a_job_that_waits_for_its_instances_costs_nothing_yet():
    assert cost_of(changed(started=None), START).usd == 0


def test_an_instance_without_a_known_price_asks_for_it():
    cost = cost_of(changed(instance_type="ml.p2.16xlarge"), START)
    assert (cost.usd, cost.text) == (None, "price unknown")
    assert cost.price == "no price known for ml.p2.16xlarge: give --price-per-hour"
    assert cost_of(changed(instance_type="ml.p2.16xlarge"), START + timedelta(hours=1), 3.0).usd == 3.0


def test_prices_are_of_instances_that_train():
    known = {f"ml.{name}.{size}" for name, sizes in TRAINING_INSTANCE_FAMILIES.items() for size in sizes}
    assert set(USD_PER_HOUR) <= known
    assert "ml.g4dn.xlarge" in USD_PER_HOUR


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1).map(lambda share: round(share, 6))), max_size=30))
def test_the_best_epoch_is_the_first_of_those_with_the_best_validation(epochs):
    learning = Learning()
    lines = [f"[11/20/2026 INFO] Epoch[{epoch}] Validation-accuracy={share:.6f}" for epoch, share in epochs]
    assert learning.read(lines) == [epoch for epoch, _ in epochs]
    last = {epoch: float(f"{share:.6f}") for epoch, share in epochs}
    if not last:
        assert learning.best is None
        return
    assert learning.best[1] == max(last.values())
    assert learning.epochs_done == max(last) + 1


@pytest.mark.parametrize("line", ["Epoch[1] Time cost=3.2", "Epoch[x] Validation-accuracy=0.5", "", "nan"])
def test_other_log_lines_are_no_progress(line):
    assert Learning().read([line]) == []


@pytest.mark.parametrize(("text", "epochs"), [("30", 30), ("", None), ("many", None)])
def test_epochs_come_from_the_hyperparameters(text, epochs):
    assert epochs_asked({"epochs": text}) == epochs


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://localhost:5000/", True),
        ("http://[::1]:80", True),
        ("https://api.sagemaker.us-east-1.amazonaws.com", False),
        ("https://vpce-1.api.sagemaker.eu-west-1.vpce.amazonaws.com", False),
    ],
)
def test_only_what_answers_on_this_machine_trains_for_nothing(url, local):
    assert is_local(url) is local


@pytest.mark.parametrize("price", [None, 2.5])
def test_a_training_on_this_machine_has_no_price(price):
    cost = cost_of(changed(billable_seconds=90), START, price, local=True)
    assert (cost.usd, cost.text, cost.price, cost.seconds) == (0.0, "nothing", "trained on this machine", 90)


def test_watch_shows_no_price_for_a_training_that_cost_nothing(monkeypatch, capsys):
    create_job()
    monkeypatch.setattr("training.job.watch.is_local", lambda url: True)
    assert main(["watch", "scones-1", "--interval", "0.01"]) == 0
    printed = capsys.readouterr().out
    assert "which cost nothing: trained on this machine" in printed
    assert "$" not in printed and "ml.g4dn" not in printed
