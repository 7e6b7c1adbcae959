"""A drift event on the stack's bus ends in a proposal, by itself, and nothing is deployed; a person adopts it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.drift import DRIFT_DETECTED, DRIFT_EVENT_SOURCE
from contract.prefixes import ARTIFACT_FILE, CORRECTIONS, MATERIALS_FILE, MEASURED_FILES, PROPOSAL_FILE
from contract.versions import find
from localcloud.cloud import Cloud
from localcloud.deployment import Deployment, Listener, connect, deploy, shut_down
from localcloud.promotion import artifact_of
from tests.assertions import at_least_one
from tests.localcloud.local_stack import write_root
from training.dataset.archive import Archive
from training.dataset.png import encode_pngs

SETTINGS = {"retrainOnDrift": "true", "hyperparameters": json.dumps({"epochs": 20, "lr_scheduler_step": "10,15"})}
ANSWERS = 24
"""Photos that people answered."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = write_root(tmp_path_factory.mktemp("retraining"), train=150, test=40)
    deploy(made, "dev", SETTINGS, Listener())
    yield made
    shut_down(made)


def answered(root: Path, cloud: Cloud, bucket: str) -> None:
    """Answers of people, about pictures that no dataset holds: mirrored ones of the archive's test part."""
    test = Archive(root / "archive.tar.gz").read().test
    mirrored = np.ascontiguousarray(test.pixels.reshape(-1, 3, 32, 32)[..., ::-1].reshape(-1, 3072))
    for place, png in enumerate(at_least_one(encode_pngs(mirrored, np.arange(ANSWERS)))):
        label = ("bicycle", "motorcycle", "neither")[place % 3]
        about = json.dumps({"label": label, "answered_by": "Ada", "model_label": "bicycle"}).encode()
        for name, data in ((f"photo{place}.png", png), (f"photo{place}.about.json", about)):
            cloud.client("s3").put_object(Bucket=bucket, Key=f"{CORRECTIONS}{label}/{name}", Body=data)


def subscribed(cloud: Cloud, topic: str) -> str:
    """A queue that hears the topic."""
    url = cloud.client("sqs").create_queue(QueueName="hears-alerts")["QueueUrl"]
    arn = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def heard(cloud: Cloud, url: str) -> list[dict[str, str]]:
    """What the topic was told of retrainings since the last time."""
    found: list[dict[str, str]] = []
    while (
        messages := cloud.client("sqs")
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
        .get("Messages", [])
    ):
        for message in messages:
            cloud.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    return [each for each in found if "retrain" in each.get("Subject", "")]


def drift(cloud: Cloud, deployment: Deployment) -> dict[str, Any]:
    """Announce a drift, and wait for the build that it starts."""
    client = cloud.client("codebuild")
    before = set(client.list_builds()["ids"])
    detail = {"id": "a" * 32, "reason": 'it "drifted"', "time": "2026-11-25T13:00:00.000+0000"}
    entry = {
        "EventBusName": deployment.outputs["eventBusName"], "Source": DRIFT_EVENT_SOURCE,
        "DetailType": DRIFT_DETECTED, "Detail": json.dumps(detail),
    }  # fmt: skip
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if new := set(client.list_builds()["ids"]) - before:
            (build,) = client.batch_get_builds(ids=[*new])["builds"]
            if build["buildStatus"] != "IN_PROGRESS":
                return build
        time.sleep(0.1)
    raise AssertionError("no build came to its end")


def lines(cloud: Cloud, build: dict[str, Any]) -> str:
    place = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
    events = cloud.client("logs").get_log_events(**place)["events"]
    return "\n".join(event.get("message", "") for event in events)


def jobs(cloud: Cloud) -> set[str]:
    found = cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return {each["TrainingJobName"] for each in found}


def test_a_drift_ends_in_one_proposal_that_deploys_nothing_and_whose_command_adopts_the_candidate(root: Path) -> None:
    cloud, before = connect(root, "dev")
    outputs = before.outputs
    served, trained = cloud.client("sagemaker").describe_endpoint(EndpointName=outputs["endpointName"]), jobs(cloud)
    url = subscribed(cloud, outputs["alertTopicArn"])

    build = drift(cloud, before)
    (refusal,) = heard(cloud, url)
    assert build["buildStatus"] == "FAILED" and refusal["Subject"] == "Scones dev: nothing was retrained"
    assert "New ones: 0; a training needs 20" in refusal["Message"] and jobs(cloud) == trained

    answered(root, cloud, outputs["bucket"])
    build = drift(cloud, before)
    assert build["buildStatus"] == "SUCCEEDED", lines(cloud, build)
    (proposal,) = heard(cloud, url)
    text = proposal["Message"]
    assert proposal["Subject"].startswith("Scones dev: a retrained model is proposed (")
    assert "Why: the model drifted (2026-11-25T13:00:00.000+0000, event " in text and "24 new" in text
    (candidate,) = jobs(cloud) - trained
    assert f"Candidate: {candidate}" in text
    # a log has no empty lines
    assert re.sub(r"\n+", "\n", text) in lines(cloud, build) + "\n"

    now = cloud.client("sagemaker").describe_endpoint(EndpointName=outputs["endpointName"])
    assert (now["EndpointConfigName"], now["LastModifiedTime"]) == (
        served["EndpointConfigName"],
        served["LastModifiedTime"],
    )
    models = cloud.client("sagemaker").list_models()["Models"]
    assert not [each for each in models if each["ModelName"].startswith(candidate)], "the model that was asked is gone"
    left = cloud.client("s3").list_objects_v2(Bucket=outputs["bucket"], Prefix=f"models/{candidate}/")["Contents"]
    wanted = {ARTIFACT_FILE, *MEASURED_FILES, MATERIALS_FILE, PROPOSAL_FILE}
    assert {each["Key"].removeprefix(f"models/{candidate}/") for each in left} == wanted
    version = find(cloud.client("sagemaker"), outputs["modelPackageGroup"], candidate)
    assert version and version.status == "PendingManualApproval" and version.model.measured

    build = drift(cloud, before)
    assert build["buildStatus"] == "SUCCEEDED" and heard(cloud, url) == []
    assert "Proposed already" in lines(cloud, build) and jobs(cloud) == {*trained, candidate}

    adopt, go_back = re.findall(r"localcloud up --stack dev --config (\S+)=(\S+)$", text, re.MULTILINE)
    assert adopt == ("modelJob", candidate) and go_back == ("modelJob", outputs["trainingJobName"])
    after = deploy(root, "dev", {**SETTINGS, adopt[0]: adopt[1]}, Listener(confirm=lambda losses: True))
    assert after.outputs["trainingJobName"] == candidate
    made = cloud.client("s3").get_object(Bucket=outputs["bucket"], Key=f"models/{candidate}/output/model.tar.gz")
    assert artifact_of(cloud, after) == made["Body"].read() != artifact_of(cloud, before)
    back = deploy(root, "dev", {**SETTINGS, go_back[0]: go_back[1]}, Listener(confirm=lambda losses: True))
    assert artifact_of(cloud, back) == artifact_of(cloud, before)
