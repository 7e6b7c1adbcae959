"""The latest photos, and how far their confidences are from the baseline's.

A capture file can hold a single photo, whose drift would be noise: the window takes in the files before it
until it holds WINDOW photos. So it needs no memory between invocations, the same file gives the same
answer, and the work is bounded.
"""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, cast

from aws_lambda_powertools import Logger

from contract.baseline import BINS, Baseline, BaselineError, bin_of, parse_baseline
from contract.captures import Inference
from contract.drift import LEAST_SAMPLE, ConfidenceDrift, confidence_drift
from handlers.observe.files import earlier_files, inferences

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WINDOW = 200
"""Inferences that drift is measured over, at least, when there are so many."""
WINDOW_FILES = 100
"""Earlier files that are read at most."""

logger = Logger()


class LatestPhotos:
    """Confidences, each inference id once: a photo whose classification was tried again counts once."""

    def __init__(self) -> None:
        self.counts = [0] * BINS
        self.count = 0
        self._ids: set[str] = set()

    def add(self, inference: Inference) -> bool:
        """Count an inference; False for one that was counted before."""
        if inference.inference_id is not None:
            if inference.inference_id in self._ids:
                return False
            self._ids.add(inference.inference_id)
        self.counts[bin_of(max(inference.scores))] += 1
        self.count += 1
        return True

    def fill(self, s3: S3Client, bucket: str, key: str, classes: int) -> None:
        """Add the inferences of the files before this one, the latest first, until there are enough."""
        for earlier in islice(earlier_files(s3, bucket, key), WINDOW_FILES):
            if self.count >= WINDOW:
                break
            # what is damaged there was counted when that file came
            for inference in inferences(s3, bucket, earlier, classes, lambda line, problem: None):
                self.add(inference)

    def drift(self, baseline: Baseline) -> ConfidenceDrift | None:
        """How far these are from the baseline's; None, and a line in the log, for too few of them."""
        drift = confidence_drift(baseline.confidence_counts, self.counts)
        if drift is None:
            counts = {"window": self.count, "baseline": baseline.count, "least": LEAST_SAMPLE}
            logger.info("too few inferences to tell drift", extra=counts)
        return drift


def read_baseline(s3: S3Client, bucket: str, key: str, classes: tuple[str, ...]) -> Baseline | None:
    """The baseline; None, and a line in the log, when there is none that can be used.

    Downloaded again only when its ETag has changed.

    Raises:
        ClientError: S3 refuses.
    """
    place = f"s3://{bucket}/{key}"
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    if not found or found[0].get("Key") != key:
        logger.info("no drift without a baseline: run python -m training evaluate", extra={"place": place})
        return None
    try:
        baseline = _download(s3, bucket, key, found[0].get("ETag", ""))
    except BaselineError as problem:
        logger.error("no drift: the baseline is unusable", extra={"place": place, "problem": str(problem)})
        return None
    if baseline.classes != classes:
        names = {"place": place, "baseline_classes": baseline.classes, "classes": classes}
        logger.error("no drift: the baseline is of other classes", extra=names)
        return None
    return baseline


@lru_cache(maxsize=1)
def _download(s3: S3Client, bucket: str, key: str, etag: str) -> Baseline:
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        document = cast("object", json.loads(content))
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"baseline is not JSON: {error}") from error
    return parse_baseline(document)
