"""Captured inferences as SageMaker writes them (one builder of a record), and baselines by the counts of their bins."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

CLASSES = ("bicycle", "motorcycle")
TIME = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)


def record(
    scores: Sequence[float] = (0.9, 0.1),
    *,
    time: datetime = TIME,
    inference_id: str | None = "a" * 32,
    event_id: str = "e" * 36,
    picture: str = "iVBORw0KGgo=",
    encoding: str = "JSON",
) -> dict[str, Any]:
    text = json.dumps(list(scores))
    event = {"eventId": event_id, "inferenceTime": f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": "application/x-image",
                "mode": "INPUT",
                "data": picture,
                "encoding": "BASE64",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": text if encoding == "JSON" else base64.b64encode(text.encode()).decode(),
                "encoding": encoding,
            },
        },
        "eventMetadata": event if inference_id is None else {**event, "inferenceId": inference_id},
        "eventVersion": "0",
    }


def line(*args: Any, **options: Any) -> bytes:
    """A line of a capture file, as `record` says."""
    return json.dumps(record(*args, **options)).encode() + b"\n"


def a_line(confidence: float, *, label: int = 0, time: datetime, inference_id: str | None = None) -> str:
    """A record about two classes, of which `label` has this confidence, as text."""
    scores = [1 - confidence, 1 - confidence]
    scores[label] = confidence
    return json.dumps(record(scores, time=time, inference_id=inference_id))


def a_file(lines: Iterable[str]) -> bytes:
    return "".join(f"{each}\n" for each in lines).encode()


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
