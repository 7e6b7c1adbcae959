"""The whole report as plain data: what the page shows and what `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from contract.baseline import Baseline
from contract.intervals import wilson_interval
from operations.captures.period import Period, from_microseconds
from operations.captures.reader import Reading
from operations.report import figures, words
from operations.report.binning import FINE_EDGES, quantile
from operations.report.decisions import DecisionIndex
from operations.report.drift import Drift, measure_drift
from operations.report.executions import Executions
from operations.report.tally import DrawnPhoto, Tally

MOST_WINDOWS = 48
LEAST_WINDOW = 20
"""Photos that a window holds on average, so that its rate says something."""
ENOUGH_FOR_DRIFT = 100
MOST_DRIFT_WINDOWS = 30


@dataclass(frozen=True, slots=True)
class ClassTotals:
    """One row of the table of totals."""

    label: str
    photos: int
    share: float
    routed: int
    review: int
    review_rate: float
    median_confidence: float | None
    baseline_share: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo shown as a thumbnail."""

    time: datetime
    label: str
    confidence: float
    accepted: bool
    scores: dict[str, float]
    inference_id: str | None
    object: str | None


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read, and what could not be."""

    capture: str
    files: int
    bytes: int
    records: int
    repeats: int
    evaluations: int
    outside_period: int
    damaged: int
    damaged_examples: list[dict[str, object]]
    decisions: int | None
    """Readable recorded decisions; None when none were given."""
    decisions_accepted: int | None
    decisions_review: int | None
    decisions_damaged: int | None
    decisions_damaged_example: str
    decided_photos: int
    """Photos whose decision was found."""
    decisions_without_capture: int | None
    executions: dict[str, int] | None
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything."""

    headline: str
    created: datetime
    start: datetime | None
    """Of the period asked for, or of the first photo."""
    end: datetime | None
    zone: str
    classes: list[str]
    threshold: float
    photos: int
    routed: int
    review: int
    review_interval: tuple[float, float]
    """95 % Wilson interval of the share sent to people."""
    median_confidence: float | None
    totals: list[ClassTotals]
    confidence_over_time: figures.ConfidenceOverTime | None
    confidence_by_class: figures.ConfidenceByClass | None
    classes_over_time: figures.ClassesOverTime | None
    confidence_by_hour: figures.ConfidenceByHour | None
    review_rate: figures.ReviewRate | None
    latency: figures.Latency | None
    drift: Drift | None
    drift_verdict: str
    """same, changed, changed back, too few or no baseline."""
    drift_story: list[str]
    least_sure: list[Shown]
    sure_sample: list[Shown]
    sources: Sources


@dataclass(slots=True)
class Inputs:
    """What a summary is made of, beside the tally."""

    labels: Sequence[str]
    zone: ZoneInfo
    period: Period
    created: datetime
    capture: str
    reading: Reading
    baseline: Baseline | None = None
    decisions: DecisionIndex | None = None
    executions: Executions | None = None
    notes: list[str] = field(default_factory=list[str])


def summarise(tally: Tally, inputs: Inputs) -> Summary:
    """Put the counts together."""
    labels, zone, baseline = inputs.labels, inputs.zone, inputs.baseline
    photos = tally.count
    routed = int(tally.confidences[:, 1].sum())
    windows = tally.series.windows(MOST_WINDOWS, LEAST_WINDOW, tally.offset())
    drift = None
    if baseline is not None and photos:
        drift = measure_drift(
            baseline, tally.series.windows(MOST_DRIFT_WINDOWS, ENOUGH_FOR_DRIFT, tally.offset()), labels
        )
    return Summary(
        headline=words.headline(photos, routed, drift),
        created=inputs.created,
        start=inputs.period.start or (from_microseconds(tally.first) if tally.first is not None else None),
        end=inputs.period.end or (from_microseconds(tally.last) if tally.last is not None else None),
        zone=str(zone),
        classes=list(labels),
        threshold=tally.threshold,
        photos=photos,
        routed=routed,
        review=photos - routed,
        review_interval=wilson_interval(photos - routed, photos),
        median_confidence=quantile(tally.confidences.sum(axis=(0, 1)), FINE_EDGES, 0.5),
        totals=_totals(tally, labels, drift),
        confidence_over_time=figures.confidence_over_time(tally, windows) if photos else None,
        confidence_by_class=figures.confidence_by_class(tally, labels) if photos else None,
        classes_over_time=figures.classes_over_time(tally, windows, labels) if photos else None,
        confidence_by_hour=figures.confidence_by_hour(tally) if photos else None,
        review_rate=figures.review_rate(windows, drift.below_threshold if drift else None) if photos else None,
        latency=_latency(tally, inputs.executions),
        drift=drift,
        drift_verdict=drift.verdict if drift else "no baseline" if baseline is None else "too few",
        drift_story=words.drift_story(drift, zone) if drift else [],
        least_sure=[_shown(photo, labels) for photo in tally.least_sure],
        sure_sample=[_shown(photo, labels) for photo in tally.sure],
        sources=_sources(tally, inputs),
    )


def _latency(tally: Tally, executions: Executions | None) -> figures.Latency | None:
    if executions is not None:
        whole = figures.latency(
            executions.durations, "the workflow, from its start to its end, of executions that succeeded"
        )
        if whole is not None:
            return whole
    return figures.latency(
        tally.latency, "from the inference to its recorded decision (inference times are whole seconds)"
    )


def _totals(tally: Tally, labels: Sequence[str], drift: Drift | None) -> list[ClassTotals]:
    photos = tally.count
    rows: list[ClassTotals] = []
    for index, label in enumerate(labels):
        counts = tally.confidences[index]
        count, routed = int(counts.sum()), int(counts[1].sum())
        rows.append(
            ClassTotals(
                label=label,
                photos=count,
                share=count / photos if photos else 0.0,
                routed=routed,
                review=count - routed,
                review_rate=(count - routed) / count if count else 0.0,
                median_confidence=quantile(counts.sum(axis=0), FINE_EDGES, 0.5),
                baseline_share=drift.class_shares[index] if drift else None,
            )
        )
    return rows


def _shown(photo: DrawnPhoto, labels: Sequence[str]) -> Shown:
    ranked: Mapping[str, float] = dict(sorted(zip(labels, photo.scores, strict=True), key=lambda item: -item[1]))
    return Shown(
        time=from_microseconds(photo.time),
        label=labels[photo.label],
        confidence=photo.confidence,
        accepted=photo.accepted,
        scores=dict(ranked),
        inference_id=photo.inference_id,
        object=photo.object,
    )


def _sources(tally: Tally, inputs: Inputs) -> Sources:
    reading, decisions = inputs.reading, inputs.decisions
    return Sources(
        capture=inputs.capture,
        files=reading.files,
        bytes=reading.bytes,
        records=reading.records,
        repeats=reading.repeats,
        evaluations=reading.evaluations,
        outside_period=reading.outside,
        damaged=reading.damaged,
        damaged_examples=[
            {"file": example.file, "line": example.line, "problem": example.problem} for example in reading.examples
        ],
        decisions=decisions.count if decisions else None,
        decisions_accepted=decisions.accepted if decisions else None,
        decisions_review=decisions.review if decisions else None,
        decisions_damaged=decisions.damaged if decisions else None,
        decisions_damaged_example=decisions.example if decisions else "",
        decided_photos=tally.decided,
        decisions_without_capture=decisions.count - decisions.matched if decisions else None,
        executions=dict(inputs.executions.by_status) if inputs.executions else None,
        notes=inputs.notes,
    )
