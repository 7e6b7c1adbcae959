"""A state machine to be judged: its definition, what its functions answer, and what became of the photo."""

from __future__ import annotations

import json
from typing import Any

from components.parts.state_machine import Resources, definition
from tests.judges.interpreter import ACCOUNT, REGION, Ended, Fault, interpret
from tests.judges.process import Judge

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
NAMES = Resources(
    f"{FUNCTION}:serialize:1",
    f"{FUNCTION}:classify:1",
    f"{FUNCTION}:filter:1",
    "decisions",
    "orders",
    f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/review",
    f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
    30,
)
DEFINITION: dict[str, Any] = definition(NAMES)

START = {"s3_bucket": "b", "s3_key": "incoming/a.jpg", "s3_version": "v", "image_data": ""}
SERIALIZED = {**START, "image_data": "PICTURE", "inferences": []}
CLASSIFIED = {**SERIALIZED, "inferences": [0.9, 0.1], "inference_id": "ab" * 16, "model": "job-1"}
FIGURES = {"label": "bicycle", "confidence": 0.9, "margin": 0.8, "threshold": 0.8}
ACCEPTED = {**CLASSIFIED, **FIGURES, "decision": "accepted", "loading_bay": "bay 1"}
FINE: dict[str, list[object]] = {
    "Serialize": [{"Payload": SERIALIZED}],
    "Classify": [{"Payload": CLASSIFIED}],
    "Filter": [{"Payload": ACCEPTED}],
    **{task: [{}] for task in ("Record", "Publish", "RecordReview", "SendToReview", "Alert")},
}
"""What every task answers when nothing is wrong."""


def lambda_cause(error: str, message: str) -> str:
    """A cause as Lambda writes it for a function that raises."""
    trace = ['  File "/var/task/handlers/filter.py", line 87, in handler\n    raise\n']
    return json.dumps({"errorMessage": message, "errorType": error, "requestId": "1-2", "stackTrace": trace})


def run(judge: Judge, *, given: object = START, machine: dict[str, Any] = DEFINITION, **answers: list[object]) -> Ended:
    """Run an execution whose tasks answer as in `FINE`, but for those that `answers` names."""
    return interpret(judge, machine, given, {**FINE, **answers})


def message_in(ended: Ended) -> dict[str, Any]:
    """The one message that was sent to the review queue."""
    (request,) = ended.asked["SendToReview"]
    assert request["QueueUrl"] == NAMES.review_queue_url
    return json.loads(request["MessageBody"])


def is_in_good_hands(ended: Ended) -> bool:
    """Whether the photo was decided and told to whoever assigns orders, or waits for a person."""
    accepted = {"Record", "Publish"} <= set(ended.asked) and ended.status == "SUCCEEDED"
    return accepted or ("SendToReview" in ended.asked and ended.status == "FAILED")


def failing(error: str, message: str = "it failed") -> list[object]:
    """A function's answers when it raises each time."""
    return [Fault(error, lambda_cause(error, message))]
