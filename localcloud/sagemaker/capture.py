"""Data capture: what an endpoint was asked and what it answered, in S3, in SageMaker's own layout.

Keys and records as in SageMaker's "Capture data from real-time endpoint": `{prefix}/{endpoint}/{variant}/yyyy/mm/
dd/hh/MM-SS-mmm-uuid.jsonl`, several records a file.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

FULL = 500
"""Records after which a file is written without waiting for the next flush."""
KEPT = 20 * FULL
"""Records that wait at most, while S3 takes none; then the oldest are lost."""


class Capture:
    """The capture of one endpoint; answers are not kept waiting for S3."""

    def __init__(self, s3: Any, endpoint: str, variant: str, config: Mapping[str, Any], flush_seconds: float) -> None:
        self.s3 = s3
        self.where = f"{endpoint}/{variant}"
        self.bucket, _, self.prefix = config["DestinationS3Uri"].removeprefix("s3://").partition("/")
        self.percentage = config["InitialSamplingPercentage"]
        self.modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        header = config.get("CaptureContentTypeHeader", {})
        self.json_types = set(header.get("JsonContentTypes", []))
        self.csv_types = set(header.get("CsvContentTypes", []))
        self.waiting: list[str] = []
        self.lock = threading.Lock()
        self.wake, self.stopped = threading.Event(), False
        self.thread = threading.Thread(target=self._flush_often, args=(flush_seconds,), daemon=True)
        self.thread.start()

    def add(self, content_type: str, body: bytes, answer_type: str, answer: bytes, inference_id: str | None) -> None:
        """Note one invocation, or not, as the sampling percentage has it."""
        if random.uniform(0, 100) >= self.percentage:
            return
        data: dict[str, Any] = {}
        if "Input" in self.modes:
            data["endpointInput"] = self._side("INPUT", content_type, body)
        if "Output" in self.modes:
            data["endpointOutput"] = self._side("OUTPUT", answer_type, answer)
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = {"eventId": str(uuid.uuid4()), "inferenceTime": moment}
        if inference_id:
            metadata["inferenceId"] = inference_id
        line = json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})
        with self.lock:
            self.waiting.append(line)
            full, stopped = len(self.waiting) >= FULL, self.stopped
        if stopped:
            # a request that was under way when the endpoint was replaced
            self.flush()
        elif full:
            self.wake.set()

    def _side(self, mode: str, content_type: str, data: bytes) -> dict[str, str]:
        if content_type in self.json_types | self.csv_types:
            encoding = "JSON" if content_type in self.json_types else "CSV"
            return {"observedContentType": content_type, "mode": mode, "data": data.decode(), "encoding": encoding}
        text = base64.b64encode(data).decode()
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": "BASE64"}

    def flush(self) -> None:
        """Write what waits as one file; what S3 does not take waits for the next time."""
        with self.lock:
            lines, self.waiting = self.waiting, []
        if not lines:
            return
        now = datetime.now(UTC)
        name = f"{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        key = "/".join(part for part in (self.prefix.strip("/"), self.where, name) if part)
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body="\n".join(lines).encode() + b"\n")
        except Exception as error:
            with self.lock:
                self.waiting = (lines + self.waiting)[-KEPT:]
            print(f"data capture to s3://{self.bucket}/{key} failed: {error}", file=sys.stderr, flush=True)

    def _flush_often(self, seconds: float) -> None:
        while not self.stopped:
            self.wake.wait(seconds)
            self.wake.clear()
            self.flush()

    def stop(self) -> None:
        """Write the rest and end."""
        with self.lock:
            self.stopped = True
        self.wake.set()
        self.thread.join()
        self.flush()
