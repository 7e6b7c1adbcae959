"""The numbers behind each picture of the report: what is drawn is exactly what stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from operations.captures.period import from_microseconds
from operations.report.binning import (
    COARSE,
    DURATION_EDGES,
    FINE,
    FINE_EDGES,
    PER_DECADE,
    Floats,
    Ints,
    coarser,
    quantile,
)
from operations.report.series import Window
from operations.report.statistics import control_limits, outside_limits, usual_rate
from operations.report.tally import Tally

COARSE_EDGES: Floats = FINE_EDGES[:: FINE // COARSE]
BARS = 50
"""Bars of a confidence histogram between 0 and 1 (0.02 wide)."""
SHOWN_CLASSES = 5
"""Classes with a colour of their own; the others are drawn together."""
ENOUGH_FOR_QUANTILES = 10
OTHERS = "other classes"


@dataclass(frozen=True, slots=True)
class ConfidenceOverTime:
    """A dot per photo, and per window the middle photo and the band of the middle 80 %."""

    threshold: float
    times: list[datetime]
    confidences: list[float]
    accepted: list[bool]
    drawn_of: int
    """Photos that the dots are a fair draw of."""
    window_times: list[datetime]
    """Middles of the windows."""
    low: list[float]
    median: list[float]
    high: list[float]


@dataclass(frozen=True, slots=True)
class ConfidenceByClass:
    """Per class a histogram of the photos predicted as it."""

    threshold: float
    edges: list[float]
    labels: list[str]
    routed: list[list[int]]
    review: list[list[int]]


@dataclass(frozen=True, slots=True)
class ClassesOverTime:
    """The share of each class in each window."""

    starts: list[datetime]
    ends: list[datetime]
    counts: list[int]
    labels: list[str]
    shares: list[list[float]]
    """Per label, per window."""


@dataclass(frozen=True, slots=True)
class ConfidenceByHour:
    """Photos by local hour of the day and confidence."""

    zone: str
    edges: list[float]
    counts: list[list[int]]
    """Per hour, per bin."""
    hours: list[int]
    """Those with at least ENOUGH_FOR_QUANTILES photos: their quantiles follow."""
    low: list[float]
    median: list[float]
    high: list[float]


@dataclass(frozen=True, slots=True)
class ReviewRate:
    """The share of photos sent to people per window, between its control limits."""

    starts: list[datetime]
    ends: list[datetime]
    counts: list[int]
    rates: list[float]
    centre: float
    """The usual rate, which the limits are drawn around: see operations.report.statistics.usual_rate."""
    low: list[float]
    high: list[float]
    outside: list[int]
    """Positions of the windows outside their limits."""
    baseline: float | None
    """The rate at evaluation."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long decisions took."""

    measured: str
    """From what to what, in words."""
    edges: list[float]
    """Seconds."""
    counts: list[int]
    count: int
    median: float
    p95: float
    p99: float


def confidence_over_time(tally: Tally, windows: Sequence[Window]) -> ConfidenceOverTime:
    """The dots and the bands; windows with fewer than ENOUGH_FOR_QUANTILES photos have no band."""
    points = tally.points
    banded = [window for window in windows if window.count >= ENOUGH_FOR_QUANTILES]
    return ConfidenceOverTime(
        threshold=tally.threshold,
        times=[from_microseconds(photo.time) for photo in points],
        confidences=[photo.confidence for photo in points],
        accepted=[photo.accepted for photo in points],
        drawn_of=tally.count,
        window_times=[window.start + (window.end - window.start) / 2 for window in banded],
        low=[_quantile(window.confidences, COARSE_EDGES, 0.1) for window in banded],
        median=[_quantile(window.confidences, COARSE_EDGES, 0.5) for window in banded],
        high=[_quantile(window.confidences, COARSE_EDGES, 0.9) for window in banded],
    )


def confidence_by_class(tally: Tally, labels: Sequence[str]) -> ConfidenceByClass:
    """The histograms of the most frequent classes, and one of all others."""
    bars = coarser(tally.confidences, BARS)
    groups = _groups(tally.confidences.sum(axis=(1, 2)), labels)
    return ConfidenceByClass(
        threshold=tally.threshold,
        edges=[index / BARS for index in range(BARS + 1)],
        labels=[name for name, _ in groups],
        routed=[bars[members, 1].sum(axis=0).tolist() for _, members in groups],
        review=[bars[members, 0].sum(axis=0).tolist() for _, members in groups],
    )


def classes_over_time(tally: Tally, windows: Sequence[Window], labels: Sequence[str]) -> ClassesOverTime:
    """The shares of the most frequent classes, and of all others."""
    groups = _groups(tally.confidences.sum(axis=(1, 2)), labels)
    return ClassesOverTime(
        starts=[window.start for window in windows],
        ends=[window.end for window in windows],
        counts=[window.count for window in windows],
        labels=[name for name, _ in groups],
        shares=[[int(window.classes[members].sum()) / window.count for window in windows] for _, members in groups],
    )


def confidence_by_hour(tally: Tally) -> ConfidenceByHour:
    """The heat map and its quantiles."""
    hours = [hour for hour in range(24) if int(tally.hours[hour].sum()) >= ENOUGH_FOR_QUANTILES]
    return ConfidenceByHour(
        zone=str(tally.zone),
        edges=[index / 20 for index in range(21)],
        counts=coarser(tally.hours, 20).tolist(),
        hours=hours,
        low=[_quantile(tally.hours[hour], COARSE_EDGES, 0.1) for hour in hours],
        median=[_quantile(tally.hours[hour], COARSE_EDGES, 0.5) for hour in hours],
        high=[_quantile(tally.hours[hour], COARSE_EDGES, 0.9) for hour in hours],
    )


def review_rate(windows: Sequence[Window], baseline: float | None) -> ReviewRate:
    """The rates and their control limits around the usual rate."""
    counts = [window.count for window in windows]
    reviewed = [window.review for window in windows]
    centre = usual_rate(reviewed, counts)
    limits = [control_limits(centre, count) for count in counts]
    return ReviewRate(
        starts=[window.start for window in windows],
        ends=[window.end for window in windows],
        counts=counts,
        rates=[review / count for review, count in zip(reviewed, counts, strict=True)],
        centre=centre,
        low=[low for low, _ in limits],
        high=[high for _, high in limits],
        outside=outside_limits(reviewed, counts, centre),
        baseline=baseline,
    )


def latency(durations: Ints, measured: str) -> Latency | None:
    """The histogram in four bars a decade, and quantiles to within 12 %; None when nothing was measured."""
    if not durations.sum():
        return None
    joined = PER_DECADE // 4
    bars = coarser(durations, len(durations) // joined)
    used = bars.nonzero()[0]
    first, last = int(used[0]), int(used[-1]) + 1
    return Latency(
        measured=measured,
        edges=DURATION_EDGES[::joined][first : last + 1].tolist(),
        counts=bars[first:last].tolist(),
        count=int(durations.sum()),
        median=_quantile(durations, DURATION_EDGES, 0.5),
        p95=_quantile(durations, DURATION_EDGES, 0.95),
        p99=_quantile(durations, DURATION_EDGES, 0.99),
    )


def _quantile(counts: Ints, edges: Floats, share: float) -> float:
    value = quantile(counts, edges, share)
    return 0.0 if value is None else value


def _groups(counts: Ints, labels: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The classes to draw, in label order: all when few, else the most frequent and one of all others."""
    if len(labels) <= SHOWN_CLASSES + 1:
        return [(label, [index]) for index, label in enumerate(labels)]
    shown = sorted(sorted(range(len(labels)), key=lambda index: (-int(counts[index]), index))[:SHOWN_CLASSES])
    others = [index for index in range(len(labels)) if index not in shown]
    return [(labels[index], [index]) for index in shown] + [(OTHERS, others)]
