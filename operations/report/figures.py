"""The numbers behind each picture of the report: what is drawn is exactly what stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from contract.decisions import OUTCOMES, Outcome
from operations.arrays import Floats, Ints
from operations.captures.period import from_microseconds
from operations.report.photos import INDEX, Photos
from operations.report.statistics import control_limits, outside_limits, usual_rate
from operations.report.windows import Span, Window

DOTS = 1500
"""Photos drawn one by one over time; of more, a random sample."""
BARS = 50
"""Bars of a confidence histogram between 0 and 1 (0.02 wide)."""
COLOURED_CLASSES = 5
"""Classes with a colour of their own; the others are drawn together."""
LEAST_FOR_QUANTILES = 10
"""Photos from which on a group is drawn by its quantiles instead of one by one."""
LEAST_AVERAGED = 20
"""Photos that the moving average is over, at least."""
OTHERS = "other classes"
DRAWN: tuple[Outcome, ...] = ("accepted", "review", "neither")
"""The outcomes that an answer of the model leads to."""
FRIENDLY_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600,
                    1200, 1800, 3600, 7200, 4 * 3600, 8 * 3600, 86400, 2 * 86400, 5 * 86400, 10 * 86400)  # fmt: skip
"""Durations that people read without thinking; the bars of the latency picture end at them and halfway between."""


@dataclass(frozen=True, slots=True)
class ConfidenceOverTime:
    """A dot per photo, a moving average, and the band of the middle 80 % over the whole axis."""

    threshold: float
    times: list[datetime]
    confidences: list[float]
    outcomes: list[Outcome]
    drawn_of: int
    """Photos that the dots are a random sample of."""
    averaged: int
    """Photos that each point of the moving average is over."""
    average_times: list[datetime]
    averages: list[float]
    band_edges: list[datetime]
    """One more than there are bands."""
    low: list[float]
    high: list[float]
    faults: list[datetime]


@dataclass(frozen=True, slots=True)
class OutcomesOverTime:
    """What became of the photos of each span, faults and photos without a capture included."""

    starts: list[datetime]
    ends: list[datetime]
    counts: dict[Outcome, list[int]]


@dataclass(frozen=True, slots=True)
class ConfidenceByClass:
    """Per label a histogram of the photos predicted as it, by what became of them."""

    threshold: float
    edges: list[float]
    labels: list[str]
    counts: dict[Outcome, list[list[int]]]
    """Per outcome, per label, per bar."""


@dataclass(frozen=True, slots=True)
class ClassesOverTime:
    """The share of each label in each window."""

    starts: list[datetime]
    ends: list[datetime]
    counts: list[int]
    labels: list[str]
    shares: list[list[float]]
    """Per label, per window."""


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """The confidences of the photos of one local hour: quantiles of many, each one of few."""

    hour: int
    count: int
    quantiles: tuple[float, float, float, float, float] | None
    """10, 25, 50, 75 and 90 %; None for fewer than LEAST_FOR_QUANTILES."""
    confidences: list[float]
    """Of few photos; empty for many."""


@dataclass(frozen=True, slots=True)
class ConfidenceByHour:
    """The distribution of confidence by local hour of the day; hours without a photo are left out."""

    zone: str
    threshold: float
    hours: list[HourOfDay]


@dataclass(frozen=True, slots=True)
class ReviewRate:
    """The share of decided photos that were not accepted, per window, between its control limits."""

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
    slowest: float


def confidence_over_time(photos: Photos, threshold: float, faults: Sequence[datetime]) -> ConfidenceOverTime:
    """The dots, the moving average and the bands of `photos`, of which there must be one."""
    times, confidences = photos.times, photos.confidences
    drawn = np.arange(len(photos))
    if len(drawn) > DOTS:
        drawn = np.sort(np.random.default_rng(0).choice(drawn, DOTS, replace=False))
    averaged = max(LEAST_AVERAGED, len(photos) // 20)
    average_times, averages = _moving_average(times, confidences, averaged)
    edges, low, high = _bands(times, confidences)
    return ConfidenceOverTime(
        threshold=threshold,
        times=_moments(times[drawn]),
        confidences=confidences[drawn].tolist(),
        outcomes=[OUTCOMES[index] for index in photos.outcomes[drawn].tolist()],
        drawn_of=len(photos),
        averaged=averaged,
        average_times=average_times,
        averages=averages,
        band_edges=edges,
        low=low,
        high=high,
        faults=list(faults),
    )


def _moving_average(times: Ints, confidences: Floats, over: int) -> tuple[list[datetime], list[float]]:
    """The mean of each photo and the `over - 1` before it, at most DOTS of them; empty for too few photos."""
    if len(times) < 2 * over:
        return [], []
    sums = np.concatenate([[0.0], np.cumsum(confidences)])
    averages = (sums[over:] - sums[:-over]) / over
    times = times[over - 1 :]
    chosen = np.unique(np.linspace(0, len(averages) - 1, min(len(averages), DOTS)).astype(np.int64))
    # of photos of one moment, the last
    chosen = np.unique(np.searchsorted(times, times[chosen], side="right") - 1)
    return _moments(times[chosen]), averages[chosen].tolist()


def _bands(times: Ints, confidences: Floats) -> tuple[list[datetime], list[float], list[float]]:
    """Edges, 10 % and 90 % quantiles of runs of equally many photos; empty for too few."""
    runs = min(48, len(times) // (2 * LEAST_FOR_QUANTILES))
    if not runs or times[0] == times[-1]:
        return [], [], []
    bounds = np.linspace(0, len(times), runs + 1).astype(np.int64)
    edges = [*times[bounds[:-1]].tolist(), int(times[-1])]
    parts = [confidences[first:last] for first, last in pairwise(bounds)]
    low, high = ([float(np.quantile(part, share)) for part in parts] for share in (0.1, 0.9))
    return [from_microseconds(edge) for edge in edges], low, high


def outcomes_over_time(spans: Sequence[Span], outcomes: Ints) -> OutcomesOverTime:
    """The counts of the outcomes in each span; `outcomes` are in the order of the spans' times."""
    counts = np.array([np.bincount(outcomes[span.first : span.last], minlength=len(OUTCOMES)) for span in spans])
    return OutcomesOverTime(
        starts=[span.start for span in spans],
        ends=[span.end for span in spans],
        counts={outcome: counts[:, INDEX[outcome]].tolist() for outcome in OUTCOMES},
    )


def confidence_by_class(photos: Photos, threshold: float, labels: Sequence[str]) -> ConfidenceByClass:
    """The histograms of the most frequent labels, and one of all others."""
    groups = _groups(np.bincount(photos.labels, minlength=len(labels)), labels)
    edges = np.arange(BARS + 1) / BARS

    def histogram(members: Sequence[int], outcome: Outcome) -> list[int]:
        chosen = np.isin(photos.labels, members) & (photos.outcomes == INDEX[outcome])
        return np.histogram(photos.confidences[chosen], edges)[0].tolist()

    return ConfidenceByClass(
        threshold=threshold,
        edges=edges.tolist(),
        labels=[name for name, _ in groups],
        counts={outcome: [histogram(members, outcome) for _, members in groups] for outcome in DRAWN},
    )


def classes_over_time(windows: Sequence[Window], labels: Sequence[str]) -> ClassesOverTime:
    """The shares of the most frequent labels, and of all others."""
    groups = _groups(np.sum([window.classes for window in windows], axis=0), labels)
    return ClassesOverTime(
        starts=[window.start for window in windows],
        ends=[window.end for window in windows],
        counts=[window.count for window in windows],
        labels=[name for name, _ in groups],
        shares=[[int(window.classes[members].sum()) / window.count for window in windows] for _, members in groups],
    )


def confidence_by_hour(photos: Photos, threshold: float, zone: ZoneInfo) -> ConfidenceByHour:
    """The distribution of each local hour that has photos."""
    hours = local_hours(photos.times, zone)
    found: list[HourOfDay] = []
    for hour in np.unique(hours).tolist():
        values = photos.confidences[hours == hour]
        many = len(values) >= LEAST_FOR_QUANTILES
        low, first, middle, third, high = np.quantile(values, (0.1, 0.25, 0.5, 0.75, 0.9)).tolist()
        found.append(
            HourOfDay(hour, len(values), (low, first, middle, third, high) if many else None,
                      [] if many else values.tolist())
        )  # fmt: skip
    return ConfidenceByHour(str(zone), threshold, found)


def local_hours(times: Ints, zone: ZoneInfo) -> Ints:
    """The hour of the day of each time in that zone; offsets change at quarters of an hour at most."""
    quarter = timedelta(minutes=15) // timedelta(microseconds=1)
    quarters, position = np.unique(times // quarter, return_inverse=True)
    hours = [from_microseconds(each * quarter).astimezone(zone).hour for each in quarters.tolist()]
    return np.array(hours, np.int64)[position]


def review_rate(windows: Sequence[Window], baseline: float | None) -> ReviewRate:
    """The rates and their control limits around the usual rate; there must be a window."""
    counts = [window.count for window in windows]
    people = [window.count - int(window.outcomes[INDEX["accepted"]]) for window in windows]
    centre = usual_rate(people, counts)
    limits = [control_limits(centre, count) for count in counts]
    return ReviewRate(
        starts=[window.start for window in windows],
        ends=[window.end for window in windows],
        counts=counts,
        rates=[one / count for one, count in zip(people, counts, strict=True)],
        centre=centre,
        low=[low for low, _ in limits],
        high=[high for _, high in limits],
        outside=outside_limits(people, counts, centre),
        baseline=baseline,
    )


def latency(seconds: Sequence[float] | Floats, measured: str) -> Latency | None:
    """The histogram and exact quantiles; None when nothing was measured."""
    values = np.array(seconds, np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    halved = [edge for low, high in pairwise(FRIENDLY_SECONDS)
              for edge in (low, (low * high) ** 0.5)]  # fmt: skip
    edges = np.array([*halved, FRIENDLY_SECONDS[-1]])
    clipped = np.clip(values, edges[0], edges[-1])
    counts = np.histogram(clipped, edges)[0]
    used = counts.nonzero()[0]
    first, last = int(used[0]), int(used[-1]) + 1
    return Latency(
        measured=measured,
        edges=edges[first : last + 1].tolist(),
        counts=counts[first:last].tolist(),
        count=len(values),
        median=float(np.quantile(values, 0.5)),
        p95=float(np.quantile(values, 0.95)),
        slowest=float(values.max()),
    )


def _groups(counts: Ints, labels: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The labels to draw, in label order: all when few, else the most frequent and one of all others."""
    if len(labels) <= COLOURED_CLASSES + 1:
        return [(label, [index]) for index, label in enumerate(labels)]
    shown = sorted(sorted(range(len(labels)), key=lambda index: (-int(counts[index]), index))[:COLOURED_CLASSES])
    others = [index for index in range(len(labels)) if index not in shown]
    return [(labels[index], [index]) for index in shown] + [(OTHERS, others)]


def _moments(times: Ints) -> list[datetime]:
    return [from_microseconds(time) for time in times.tolist()]
