"""Capture records, files and baselines as the tests of the observe function need them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

CLASSES = ("bicycle", "motorcycle")


def a_line(confidence: float, *, label: int = 0, time: datetime, inference_id: str | None = None) -> str:
    scores = [1 - confidence, 1 - confidence]
    scores[label] = confidence
    event = {"eventId": "e", "inferenceTime": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if inference_id is not None:
        event["inferenceId"] = inference_id
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {"observedContentType": "application/x-image", "mode": "INPUT",
                                  "data": "aVZCT1I=", "encoding": "BASE64"},
                "endpointOutput": {"observedContentType": "application/json", "mode": "OUTPUT",
                                   "data": json.dumps(scores), "encoding": "JSON"},
            },
            "eventMetadata": event,
            "eventVersion": "0",
        }
    )  # fmt: skip


def a_file(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def a_key(time: datetime, name: str = "a") -> str:
    return f"capture/scones-dev/AllTraffic/{time:%Y/%m/%d/%H/%M-%S}-000-{name}.jsonl"


def a_baseline(counts: dict[int, int], classes: tuple[str, ...] = CLASSES) -> bytes:
    """A baseline with those counts by bin."""
    total = sum(counts.values())
    document = {
        "version": 1,
        "created": "2026-05-03T14:00:00+00:00",
        "model": "scones-0a1b",
        "classes": list(classes),
        "threshold": 0.8,
        "count": total,
        "confidence_histogram": {
            "edges": [index / 20 for index in range(21)],
            "counts": [counts.get(index, 0) for index in range(20)],
        },
        "class_counts": {classes[0]: total},
        "below_threshold": 0,
    }
    return json.dumps(document).encode()
