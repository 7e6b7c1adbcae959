"""The metrics of the stack: their names, written once, and how inferences and executions become data points.

Distributions are published as values with counts, so that CloudWatch itself computes the mean and any
percentile over any period. Shares are published as zeros and ones: the Average is the share, the Sum the
number, the SampleCount the total. All times are those of the inferences, not of their delivery, by the
minute.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from contract.captures import Inference

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

STACK, ENDPOINT, CLASS, OUTCOME, LOADING_BAY = "Stack", "Endpoint", "Class", "Outcome", "LoadingBay"
"""Dimensions. What comes from captures has Stack and Endpoint, what comes from executions has Stack."""

CONFIDENCE = "Confidence"
"""The highest score; a distribution."""
MARGIN = "Margin"
"""The highest score minus the second highest; a distribution."""
ENTROPY = "Entropy"
"""Of the scores, in bits; a distribution."""
BELOW_THRESHOLD = "BelowThreshold"
"""1 for an inference below the confidence threshold, else 0."""
CLASS_SHARE = "ClassShare"
"""Per CLASS: 1 for an inference whose highest score is that class's, else 0."""
RECORDS_DAMAGED = "CaptureRecordsDamaged"
"""Unreadable records per capture file."""
CONFIDENCE_PSI = "ConfidencePSI"
"""PSI of the latest confidences against the baseline's, in nats."""
DRIFT_SCORE = "DriftScore"
"""CONFIDENCE_PSI divided by its limit (contract.drift.Drift): above 1 is drift, whatever the sample size."""
EXECUTIONS = "Executions"
"""Per OUTCOME (contract.decisions): 1 for an execution that ended so, 0 for one that ended otherwise."""
DECISIONS = "Decisions"
"""Per LOADING_BAY (its name in ASCII): photos whose driver was sent there."""

VALUES_PER_DATUM = 150
DATA_PER_REQUEST = 1000
VALUES_PER_REQUEST = 5000
"""Keeps a request well below the megabyte that PutMetricData takes, in each of its encodings."""
OLDEST, NEWEST = timedelta(days=14, minutes=-5), timedelta(hours=2, minutes=-5)
"""How far before and after now PutMetricData takes a data point (two weeks, two hours), less a margin."""
DIGITS = 3
"""Decimals of the values of distributions: finer ones would only make the requests longer."""


@dataclass(slots=True)
class _Minute:
    count: int = 0
    below: int = 0
    confidence: Counter[float] = field(default_factory=Counter[float])
    margin: Counter[float] = field(default_factory=Counter[float])
    entropy: Counter[float] = field(default_factory=Counter[float])
    labels: Counter[str] = field(default_factory=Counter[str])


class MinuteCounts:
    """Inferences counted by the minute, in memory that grows with the minutes and not with the inferences."""

    def __init__(self, classes: Sequence[str], threshold: float) -> None:
        self._classes, self._threshold = tuple(classes), threshold
        self._minutes: defaultdict[datetime, _Minute] = defaultdict(_Minute)

    def add(self, inference: Inference) -> None:
        """Count one inference; it has as many scores as there are classes."""
        best, second = sorted(inference.scores, reverse=True)[:2]
        minute = self._minutes[_minute_of(inference.time)]
        minute.count += 1
        minute.below += best < self._threshold
        minute.confidence[round(best, DIGITS)] += 1
        minute.margin[round(best - second, DIGITS)] += 1
        minute.entropy[round(_entropy(inference.scores), DIGITS)] += 1
        minute.labels[self._classes[inference.label_index]] += 1

    def count(self) -> int:
        """How many inferences were counted."""
        return sum(minute.count for minute in self._minutes.values())

    def latest(self) -> datetime | None:
        """The latest minute with an inference; None without any."""
        return max(self._minutes, default=None)

    def data(self, dimensions: Mapping[str, str]) -> Iterator[MetricDatumTypeDef]:
        """The data points of all minutes, with those dimensions."""
        for time, minute in sorted(self._minutes.items()):
            yield from _distribution(CONFIDENCE, dimensions, time, minute.confidence)
            yield from _distribution(MARGIN, dimensions, time, minute.margin)
            yield from _distribution(ENTROPY, dimensions, time, minute.entropy)
            yield from _share(BELOW_THRESHOLD, dimensions, time, minute.below, minute.count)
            for label in self._classes:
                of_class = {**dimensions, CLASS: label}
                yield from _share(CLASS_SHARE, of_class, time, minute.labels[label], minute.count)


def single(
    name: str, dimensions: Mapping[str, str], time: datetime, value: float, *, counts: bool = False
) -> MetricDatumTypeDef:
    """One value at that minute; `counts` when it is a number of things."""
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        "Timestamp": _minute_of(time),
        "Value": value,
        "Unit": "Count" if counts else "None",
    }


def publishable(data: Iterable[MetricDatumTypeDef], now: datetime) -> tuple[list[MetricDatumTypeDef], int]:
    """The data points that CloudWatch takes, and how many are too old or too new for it."""
    everything = list(data)
    fit = [datum for datum in everything if now - OLDEST <= _time(datum) <= now + NEWEST]
    return fit, len(everything) - len(fit)


def requests(data: Iterable[MetricDatumTypeDef]) -> Iterator[list[MetricDatumTypeDef]]:
    """The data points in as few requests as PutMetricData's limits allow, in order."""
    request: list[MetricDatumTypeDef] = []
    values = 0
    for datum in data:
        size = len(datum.get("Values", ())) or 1
        if len(request) == DATA_PER_REQUEST or values + size > VALUES_PER_REQUEST:
            yield request
            request, values = [], 0
        request.append(datum)
        values += size
    if request:
        yield request


def _distribution(
    name: str, dimensions: Mapping[str, str], time: datetime, counts: Mapping[float, int]
) -> Iterator[MetricDatumTypeDef]:
    items = sorted(counts.items())
    for start in range(0, len(items), VALUES_PER_DATUM):
        some = items[start : start + VALUES_PER_DATUM]
        yield {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            "Timestamp": time,
            "Values": [value for value, _ in some],
            "Counts": [float(count) for _, count in some],
            "Unit": "None",
        }


def _share(
    name: str, dimensions: Mapping[str, str], time: datetime, ones: int, total: int
) -> Iterator[MetricDatumTypeDef]:
    counts = {0.0: total - ones, 1.0: ones}
    return _distribution(name, dimensions, time, {value: count for value, count in counts.items() if count})


def _entropy(scores: Sequence[float]) -> float:
    # a sum a little above 1 can make it a little negative, which CloudWatch has no percentiles for
    return max(0.0, -math.fsum(score * math.log2(score) for score in scores if score > 0))


def _minute_of(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def _time(datum: MetricDatumTypeDef) -> datetime:
    time = datum.get("Timestamp")
    assert isinstance(time, datetime)
    return time
