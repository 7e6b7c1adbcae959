"""Where each photo of a mix is, judged from what there is to see, and by `operations reconcile`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from contract.outputs import VARIABLE
from localcloud.places import outputs_file
from operations.cli import main
from operations.review.answers import AnswerBook
from operations.review.desk import Desk, StackNames
from operations.review.queue import ReviewQueue
from tests.faults.mix import Sent
from tests.faults.seeing import Seen, messages_of, runs_of
from tests.faults.stack import FaultyStack

FAULTS_BY_DESIGN = {"review": "ThresholdNotMet", "neither": "NoneOfTheClasses"}


def found_outcome(seen: Seen, each: Sent) -> str:
    """What became of a photo: what was expected, or a sentence that says what is wrong."""
    photo = each.photo
    runs, messages = runs_of(seen, photo), messages_of(seen, photo)
    row = seen.rows.get((f"{photo.bucket}/{photo.key}", photo.version), {})
    decision = row.get("decision", {}).get("S", "")
    events = [event for event in seen.published if (event["key"], event["version"]) == (photo.key, photo.version)]
    succeeded = [run for run in runs if run.status == "SUCCEEDED"]
    there = f"{[(run.status, run.error) for run in runs]}, {len(messages)} messages, {decision!r}, {len(events)} events"
    if photo in seen.letters:
        return "letter" if not (runs or messages or row or events) else f"a dead letter, and {there}"
    if len(succeeded) == len(runs) > 0 and decision == "accepted" and len(events) == 1 and not messages:
        label = events[0]["label"]
        return "accepted" if row["label"]["S"] == label == each.label else f"{label}, not {each.label}"
    if events or not messages or len(runs) != 1 + each.again:
        return there
    if succeeded:
        # an accepted photo whose event was refused: its next execution finds it decided, and a person has its message
        found = decision == "accepted" and len(succeeded) < len(runs)
        return "fault" if found else f"green that should not be: {there}"
    errors = {run.error for run in runs}
    for outcome, error in FAULTS_BY_DESIGN.items():
        if errors == {error}:
            return outcome if decision == outcome or each.fault.startswith("no-table") else there
    return "fault" if decision in ("", "accepted") else there


def answer_some(stack: FaultyStack, count: int) -> int:
    """A person answers so many of the photos that wait."""
    outputs = stack.outputs
    table = boto3.resource(
        "dynamodb", endpoint_url=stack.cloud.aws_url, region_name=stack.cloud.region, aws_access_key_id="test",
        aws_secret_access_key="test",
    ).Table(outputs["decisionsTable"])  # fmt: skip
    names = StackNames(stack.bucket, outputs["eventBusName"], tuple(outputs["labels"]), outputs["loadingBays"])
    queue = ReviewQueue(stack.client("sqs"), outputs["reviewQueueUrl"])
    desk = Desk(queue, AnswerBook(table, 30), stack.client("s3"), stack.client("events"), names)
    answered = 0
    for said in [*names.answers] * count:
        if answered < count and (held := desk.at_hand("page")):
            desk.answer("page", held[0].receipt, said, "somebody", 1.0)
            answered += 1
    desk.close()
    return answered


def reconciled(stack: FaultyStack, capsys: pytest.CaptureFixture[str]) -> tuple[int, Mapping[str, Any]]:
    """What `operations reconcile` finds: its exit code, and what it says."""
    outputs = os.fspath(Path(outputs_file(stack.root, "dev")).resolve())
    capsys.readouterr()
    with patch.dict(os.environ, {**stack.cloud.environment(), VARIABLE: outputs}):
        code = main(["reconcile", "--json", "--grace", "0"])
    return code, json.loads(capsys.readouterr().out)


def in_incoming(stack: FaultyStack) -> int:
    """Versions that were uploaded and are still there; the empty ones that show a folder are none."""
    pages = stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix="incoming/")
    return sum(
        1 for page in pages for each in page.get("Versions", []) if each["Size"] or not each["Key"].endswith("/")
    )


def counted(sent: Sequence[Sent]) -> Counter[str]:
    return Counter(str(each.expected) for each in sent)
