"""Captured records, files and baselines for the tests, as SageMaker and the other packages write them."""

import base64
import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

START = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
CLASSES = ("bicycle", "motorcycle")


def png(seed: int = 0) -> str:
    image = Image.effect_noise((32, 32), 20 + seed % 60).convert("RGB")
    image.paste((seed * 37 % 255, seed * 91 % 255, 120), (8, 8, 24, 24))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def record(
    scores=(0.9, 0.1),
    *,
    time=START,
    inference_id="a" * 32,
    picture="iVBORw0KGgo=",
    encoding="JSON",
):
    text = json.dumps(list(scores))
    data = text if encoding == "JSON" else base64.b64encode(text.encode()).decode()
    event = {"eventId": "e" * 36, "inferenceTime": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
    if inference_id is not None:
        event["inferenceId"] = inference_id
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
                "data": data,
                "encoding": encoding,
            },
        },
        "eventMetadata": event,
        "eventVersion": "0",
    }


def line(*args, **kwargs) -> bytes:
    return json.dumps(record(*args, **kwargs)).encode() + b"\n"


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
):
    """Records spread over `hours`; after the share `drift_from` of them the model is less sure."""
    draw = random.Random(seed)
    found = []
    shown = [png(index) for index in range(40)] if pictures else ["iVBORw0KGgo="]
    for index in range(count):
        drifted = drift_from is not None and index >= drift_from * count
        confidence = draw.betavariate(4, 2.5) if drifted else draw.betavariate(9, 1.2)
        confidence = 0.5 + confidence / 2
        bicycle = draw.random() < 0.5
        scores = (confidence, 1 - confidence) if bicycle else (1 - confidence, confidence)
        found.append(
            record(
                scores,
                time=start + timedelta(hours=hours * index / max(count, 1)),
                inference_id=f"{seed:08x}{index:024x}",
                picture=shown[index % len(shown)],
            )
        )
    return found


def baseline(count: int = 1000, seed: int = 7, threshold: float = 0.8) -> dict:
    counts, classes, below = [0] * 20, dict.fromkeys(CLASSES, 0), 0
    for item in some_records(count, seed=seed):
        scores = json.loads(item["captureData"]["endpointOutput"]["data"])
        best = max(scores)
        counts[min(int(best * 20), 19)] += 1
        classes[CLASSES[scores.index(best)]] += 1
        below += best < threshold
    return {
        "version": 1,
        "created": "2026-05-01T12:00:00+00:00",
        "model": "scones-abc123",
        "classes": list(CLASSES),
        "threshold": threshold,
        "count": count,
        "confidence_histogram": {"edges": [i / 20 for i in range(21)], "counts": counts},
        "class_counts": classes,
        "below_threshold": below,
    }


def decisions(records, threshold: float = 0.8, seconds: float = 2.4):
    """The decision lines of those records."""
    for item in records:
        scores = json.loads(item["captureData"]["endpointOutput"]["data"])
        event = item["eventMetadata"]
        decided = datetime.fromisoformat(event["inferenceTime"]) + timedelta(seconds=seconds)
        accepted = max(scores) >= threshold
        yield {
            "object": f"photos/incoming/{event['inferenceId'][-6:]}.png",
            "version": "1",
            "inference_id": event["inferenceId"],
            "decision": "accepted" if accepted else "review",
            "decided_at": decided.isoformat(),
            "label": CLASSES[scores.index(max(scores))],
            "confidence": max(scores),
            **({"loading_bay": "bay 1"} if accepted else {}),
        }
