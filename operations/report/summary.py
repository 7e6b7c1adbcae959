"""The whole report as plain data: what the page shows and what `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from contract.baseline import Baseline
from contract.decisions import NEITHER, OUTCOMES, WORDS, Outcome
from contract.intervals import wilson_interval
from contract.shares import percentages
from operations.arrays import Ints
from operations.captures.period import Period, epoch_microseconds, from_microseconds
from operations.captures.reader import Reading
from operations.report import figures, words
from operations.report.decisions import Decision, Decisions
from operations.report.drift import Drift, measure_drift
from operations.report.executions import Executions
from operations.report.faults import FaultTotals, faults_by_error
from operations.report.photos import FAULT, INDEX, Example, Photos
from operations.report.strangers import StrangersSeen, count_strangers
from operations.report.windows import cut, windows

MOST_WINDOWS = 48
PHOTOS_A_WINDOW = 20
"""Photos that a window holds on average, so that its rate means something."""
PHOTOS_A_BAR = 5
"""Photos that a bar of the time line holds on average: counts mean something where rates do not yet."""
MOST_DRIFT_WINDOWS = 30
PHOTOS_A_DRIFT_WINDOW = 100


@dataclass(frozen=True, slots=True)
class LabelTotals:
    """One row of the table of totals: the classified photos of which a label was the best."""

    label: str
    photos: int
    share: str
    outcomes: dict[Outcome, int]
    median_confidence: float | None
    baseline_share: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo shown as a thumbnail."""

    time: datetime
    label: str
    confidence: float
    outcome: Outcome
    scores: dict[str, float]
    """Greatest first."""
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
    decisions: dict[Outcome, int] | None
    """Readable recorded decisions; None when none were given."""
    decisions_damaged: int | None
    decisions_damaged_example: str
    decided_photos: int
    """Captured photos whose decision was found."""
    decisions_without_capture: int | None
    executions: dict[str, int] | None
    """By status; None when they were not asked for."""
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
    """The model's labels, in label order."""
    has_neither: bool
    threshold: float
    photos: int
    """All of the period: each has one of the outcomes."""
    outcomes: dict[Outcome, int]
    words: dict[Outcome, str]
    """What everybody calls them."""
    shares: dict[Outcome, str]
    """The outcomes in percent; they sum to 100."""
    faults_known: bool
    """Whether executions were asked for: captures alone hold no faults."""
    faults: list[FaultTotals]
    """By error, the most frequent first."""
    faults_are_many: bool
    classified: int
    """Photos whose captured answer is in the pictures."""
    review_interval: tuple[float, float]
    """95 % Wilson interval of the share for a person."""
    median_confidence: float | None
    totals: list[LabelTotals]
    outcomes_over_time: figures.OutcomesOverTime | None
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
    strangers: StrangersSeen | None
    """None for a model that has no word for them, and without photos."""
    strangers_story: str | None
    least_sure: list[Shown]
    sure_sample: list[Shown]
    strangers_sample: list[Shown]
    sources: Sources


@dataclass(slots=True)
class Inputs:
    """What a summary is made of, beside the photos."""

    labels: Sequence[str]
    threshold: float
    zone: ZoneInfo
    period: Period
    created: datetime
    capture: str
    reading: Reading
    baseline: Baseline | None = None
    decisions: Decisions | None = None
    executions: Executions | None = None
    notes: list[str] = field(default_factory=list[str])


def summarise(photos: Photos, inputs: Inputs) -> Summary:
    """Put the numbers together."""
    labels, zone, threshold = inputs.labels, inputs.zone, inputs.threshold
    faults = inputs.executions.faults if inputs.executions else []
    in_fault = {fault.execution for fault in faults}
    uncaptured = [
        decision
        for decision in (inputs.decisions.without_capture(inputs.period) if inputs.decisions else [])
        if decision.execution not in in_fault
    ]
    times, arrived = _arrivals(photos, uncaptured, [fault.time for fault in faults])
    counts = np.bincount(arrived, minlength=len(OUTCOMES))
    outcomes: dict[Outcome, int] = {outcome: int(counts[INDEX[outcome]]) for outcome in OUTCOMES}
    total, classified = sum(outcomes.values()), len(photos)
    offset = _offset(times, zone)
    seen = windows(photos, len(labels), MOST_WINDOWS, PHOTOS_A_WINDOW, offset)
    drift = None
    if inputs.baseline is not None and classified:
        compared = windows(photos, len(labels), MOST_DRIFT_WINDOWS, PHOTOS_A_DRIFT_WINDOW, offset)
        drift = measure_drift(inputs.baseline, compared, labels)
    has_neither = NEITHER in labels
    # of strangers that the model is sure of the baseline does not tell, so that this is the rate without the label only
    rate_then = drift.below_threshold if drift and not has_neither else None
    by_error = faults_by_error(faults)
    strangers = None
    if has_neither and classified:
        taken = int((photos.outcomes == INDEX["neither"]).sum())
        strangers = count_strangers(taken, classified, inputs.baseline)
    return Summary(
        headline=words.headline(
            outcomes, faults_known=inputs.executions is not None, has_neither=has_neither,
            errors=[each.error for each in by_error], drift=drift,
        ),
        created=inputs.created,
        start=inputs.period.start or (from_microseconds(int(times[0])) if total else None),
        end=inputs.period.end or (from_microseconds(int(times[-1])) if total else None),
        zone=str(zone),
        classes=list(labels),
        has_neither=has_neither,
        threshold=threshold,
        photos=total,
        outcomes=outcomes,
        words=dict(WORDS),
        shares=dict(zip(OUTCOMES, percentages(list(outcomes.values())), strict=True)),
        faults_known=inputs.executions is not None,
        faults=by_error,
        faults_are_many=words.faults_are_many(outcomes),
        classified=classified,
        review_interval=wilson_interval(outcomes["review"], total),
        median_confidence=float(np.median(photos.confidences)) if classified else None,
        totals=_totals(photos, labels, drift),
        outcomes_over_time=(
            figures.outcomes_over_time(cut(times, MOST_WINDOWS, PHOTOS_A_BAR, offset), arrived) if total else None
        ),
        confidence_over_time=(
            figures.confidence_over_time(photos, threshold, [fault.time for fault in faults]) if classified else None
        ),
        confidence_by_class=figures.confidence_by_class(photos, threshold, labels) if classified else None,
        classes_over_time=figures.classes_over_time(seen, labels) if classified else None,
        confidence_by_hour=figures.confidence_by_hour(photos, threshold, zone) if classified else None,
        review_rate=figures.review_rate(seen, rate_then) if classified else None,
        latency=_latency(photos, inputs.executions),
        drift=drift,
        drift_verdict=drift.verdict if drift else "no baseline" if inputs.baseline is None else "too few",
        drift_story=words.drift_story(drift, zone) if drift else [],
        strangers=strangers,
        strangers_story=words.strangers_story(strangers) if strangers else None,
        least_sure=[_shown(photo, labels) for photo in photos.least_sure],
        sure_sample=[_shown(photo, labels) for photo in photos.sure],
        strangers_sample=[_shown(photo, labels) for photo in photos.strangers],
        sources=_sources(photos, inputs, len(uncaptured)),
    )  # fmt: skip


def _arrivals(photos: Photos, uncaptured: Sequence[Decision], faults: Sequence[datetime]) -> tuple[Ints, Ints]:
    """Times and outcomes of all photos, captured or not, in order of time. A fault is known by its execution."""
    times = np.concatenate([
        photos.times,
        np.array([decision.decided_at for decision in uncaptured], np.int64),
        np.array([epoch_microseconds(fault) for fault in faults], np.int64),
    ])  # fmt: skip
    outcomes = np.concatenate([
        photos.outcomes,
        np.array([INDEX[decision.outcome] for decision in uncaptured], np.int64),
        np.full(len(faults), FAULT, np.int64),
    ])  # fmt: skip
    order = np.argsort(times, kind="stable")
    return times[order], outcomes[order]


def _offset(times: Ints, zone: ZoneInfo) -> timedelta:
    """The zone's distance from UTC at the first photo."""
    if not len(times):
        return timedelta()
    return from_microseconds(int(times[0])).astimezone(zone).utcoffset() or timedelta()


def _latency(photos: Photos, executions: Executions | None) -> figures.Latency | None:
    if executions is not None:
        whole = figures.latency(
            executions.seconds, "from the start of the workflow to its end, of executions that ended in a decision"
        )
        if whole is not None:
            return whole
    return figures.latency(
        photos.seconds, "from the inference to its recorded decision (inference times are whole seconds)"
    )


def _totals(photos: Photos, labels: Sequence[str], drift: Drift | None) -> list[LabelTotals]:
    counts = [int((photos.labels == index).sum()) for index in range(len(labels))]
    rows: list[LabelTotals] = []
    for index, (label, share) in enumerate(zip(labels, percentages(counts), strict=True)):
        inside = photos.labels == index
        reached = photos.outcomes[inside]
        rows.append(
            LabelTotals(
                label=label,
                photos=counts[index],
                share=share,
                outcomes={outcome: int((reached == INDEX[outcome]).sum()) for outcome in figures.DRAWN},
                median_confidence=float(np.median(photos.confidences[inside])) if counts[index] else None,
                baseline_share=drift.class_shares[index] if drift else None,
            )
        )
    return rows


def _shown(photo: Example, labels: Sequence[str]) -> Shown:
    ranked: Mapping[str, float] = dict(sorted(zip(labels, photo.scores, strict=True), key=lambda item: -item[1]))
    label, confidence = next(iter(ranked.items()))
    return Shown(
        time=from_microseconds(photo.time),
        label=label,
        confidence=confidence,
        outcome=photo.outcome,
        scores=dict(ranked),
        inference_id=photo.inference_id,
        object=photo.object,
    )


def _sources(photos: Photos, inputs: Inputs, uncaptured: int) -> Sources:
    reading, decisions, executions = inputs.reading, inputs.decisions, inputs.executions
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
        decisions={outcome: decisions.counts[outcome] for outcome in figures.DRAWN} if decisions else None,
        decisions_damaged=decisions.damaged if decisions else None,
        decisions_damaged_example=decisions.example if decisions else "",
        decided_photos=int((~np.isnan(photos.seconds)).sum()),
        decisions_without_capture=uncaptured if decisions else None,
        executions=dict(executions.by_status) if executions else None,
        notes=inputs.notes,
    )
