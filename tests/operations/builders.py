"""Captured records, files and baselines for the tests, as SageMaker and the other packages write them."""

import base64
import io
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from PIL import Image

from tests.capture_builders import record

START = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
CLASSES = ("bicycle", "motorcycle")
LABELS = (*CLASSES, "neither")
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:classification"


def png(seed: int = 0) -> str:
    image = Image.effect_noise((32, 32), 20 + seed % 60).convert("RGB")
    image.paste((seed * 37 % 255, seed * 91 % 255, 120), (8, 8, 24, 24))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def key(time: datetime, name: str = "00-00-000-x.jsonl", prefix: str = "capture/") -> str:
    return f"{prefix}vehicles/AllTraffic/{time:%Y/%m/%d/%H}/{name}"


def write_captures(folder: Path, records, per_file: int = 7) -> Path:
    """Files in the real layout, `per_file` records each."""
    files: dict[str, list[dict]] = {}
    for index, item in enumerate(records):
        time = datetime.fromisoformat(item["eventMetadata"]["inferenceTime"])
        files.setdefault(key(time, f"{index // per_file:06d}.jsonl", ""), []).append(item)
    for name, items in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(json.dumps(item).encode() + b"\n" for item in items))
    return folder


def some_records(
    count: int,
    *,
    hours: float = 48,
    drift_from: float | None = None,
    seed: int = 1,
    start=START,
    pictures: bool = False,
    strangers: float | None = None,
):
    """Records spread over `hours`; after the share `drift_from` of them the model is less sure.

    With `strangers`, a share, the model has the label neither, and so many photos are of none of the classes.
    """
    draw = random.Random(seed)
    found = []
    shown = [png(index) for index in range(40)] if pictures else ["iVBORw0KGgo="]
    for index in range(count):
        drifted = drift_from is not None and index >= drift_from * count
        confidence = draw.betavariate(4, 2.5) if drifted else draw.betavariate(9, 1.2)
        confidence = 0.5 + confidence / 2
        scores = [confidence, 1 - confidence] if draw.random() < 0.5 else [1 - confidence, confidence]
        if strangers is not None:
            scores = [1 - confidence, 0.0, confidence] if draw.random() < strangers else [*scores, 0.0]
        found.append(
            record(
                scores,
                time=start + timedelta(hours=hours * index / max(count, 1)),
                inference_id=f"{seed:08x}{index:024x}",
                picture=shown[index % len(shown)],
            )
        )
    return found


def scores_of(item) -> list[float]:
    return json.loads(item["captureData"]["endpointOutput"]["data"])


def baseline(count: int = 1000, seed: int = 7, threshold: float = 0.8, strangers: float | None = None) -> dict:
    """As `training evaluate` writes it; `strangers` of the photos were taken for them by mistake."""
    labels = CLASSES if strangers is None else LABELS
    counts, classes, below = [0] * 20, dict.fromkeys(labels, 0), 0
    for item in some_records(count, seed=seed, strangers=strangers):
        scores = scores_of(item)
        best = max(scores)
        counts[min(int(best * 20), 19)] += 1
        classes[labels[scores.index(best)]] += 1
        below += best < threshold
    return {
        "version": 1,
        "created": "2026-05-01T12:00:00+00:00",
        "model": "scones-abc123",
        "classes": list(labels),
        "threshold": threshold,
        "count": count,
        "confidence_histogram": {"edges": [i / 20 for i in range(21)], "counts": counts},
        "class_counts": classes,
        "below_threshold": below,
    }


def decision_of(item, threshold: float = 0.8) -> str:
    """What the filter decides about the scores of a record."""
    scores = scores_of(item)
    if scores.index(max(scores)) == 2:
        return "neither"
    return "accepted" if max(scores) >= threshold else "review"


def decisions(records, threshold: float = 0.8, seconds: float = 2.4):
    """The decision lines of those records."""
    for item in records:
        scores, event = scores_of(item), item["eventMetadata"]
        decided = datetime.fromisoformat(event["inferenceTime"]) + timedelta(seconds=seconds)
        decision = decision_of(item, threshold)
        yield {
            "object": f"photos/incoming/{event['inferenceId'][-6:]}.png",
            "version": "1",
            "inference_id": event["inferenceId"],
            "decision": decision,
            "decided_at": decided.isoformat(),
            "label": LABELS[scores.index(max(scores))],
            "confidence": max(scores),
            "execution": f"{MACHINE}:{event['inferenceId']}",
            **({"loading_bay": "bay 1"} if decision == "accepted" else {}),
        }


class Cloud:
    """Step Functions and the decisions table as far as operations needs them: what was asked is remembered."""

    ERRORS: Mapping[str, str] = {"review": "ThresholdNotMet", "neither": "NoneOfTheClasses"}

    def __init__(self):
        self.executions, self.rows, self.described, self.pages_read, self.asked = [], [], {}, 0, []

    def run(
        self, number, decision=None, *, status=None, error=None, cause=None, photo=None, start=None, recorded_by=None
    ):
        """An execution; by default it ends as its `decision` makes it end."""
        arn = f"{MACHINE}:{number}"
        photo = photo or f"incoming/{number}.png"
        error = error or self.ERRORS.get(decision)
        status = status or ("FAILED" if error else "SUCCEEDED")
        self.executions = [one for one in self.executions if one["executionArn"] != arn]
        start = start or START + timedelta(seconds=number)
        self.executions.append(
            {"executionArn": arn, "status": status, "startDate": start}
            | ({} if status == "RUNNING" else {"stopDate": start + timedelta(seconds=2)})
        )
        self.described[arn] = {"input": json.dumps({"s3_bucket": "photos", "s3_key": photo}), "error": error} | (
            {"cause": cause} if cause else {}
        )
        if decision:
            self.rows.append(
                {
                    "object": f"photos/{photo}",
                    "execution": recorded_by or arn,
                    "decision": decision,
                    "label": "bicycle",
                    "confidence": Decimal("0.93"),
                    **({"loading_bay": "bay 1"} if decision == "accepted" else {}),
                }
            )

    def run_of(self, row):
        """The execution that recorded the row of a decision."""
        _, _, key = row["object"].partition("/")
        decided = datetime.fromisoformat(row["decided_at"])
        self.run(row["inference_id"], row["decision"], photo=key, start=decided - timedelta(seconds=2))
        self.rows[-1] = row | {"confidence": Decimal(str(row["confidence"]))}

    def get_paginator(self, name):
        assert name == "list_executions"
        return self

    def paginate(self, stateMachineArn, PaginationConfig):
        assert stateMachineArn == MACHINE
        newest = sorted(self.executions, key=lambda one: one["startDate"], reverse=True)
        size = PaginationConfig["PageSize"]
        for start in range(0, max(min(len(newest), PaginationConfig.get("MaxItems", 10**9)), 1), size):
            self.pages_read += 1
            yield {"executions": newest[start : start + size]}

    def describe_execution(self, executionArn):
        self.asked.append(executionArn)
        return self.described[executionArn]

    def query(self, **arguments):
        wanted = arguments["ExpressionAttributeValues"][":object"]
        return {"Items": [row for row in self.rows if row["object"] == wanted]}

    def scan(self, **arguments):
        return {"Items": self.rows}

    def Table(self, name):
        return self
