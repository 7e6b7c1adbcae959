"""The report's pictures with their titles, captions and alternative texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from matplotlib.figure import Figure

from contract.decisions import OUTCOMES, WORDS, Outcome
from operations.report import canvas, figures, pictures, words
from operations.report.summary import Summary


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture of the report."""

    name: str
    title: str
    caption: str
    alternative: str
    figure: Figure


def draw_pictures(summary: Summary, zone: ZoneInfo) -> list[Drawn]:
    """Every picture that the summary has numbers for."""
    return list(_pictures(summary, zone))


def _pictures(summary: Summary, zone: ZoneInfo) -> Iterator[Drawn]:
    if (outcomes := summary.outcomes_over_time) is not None:
        told: list[Outcome] = [outcome for outcome in OUTCOMES if summary.outcomes[outcome]]
        yield Drawn(
            "outcomes-over-time",
            "What became of the photos, over time",
            "Each bar is an interval of time. "
            + ("Red are faults: photos that no decision was made on. " if summary.outcomes["fault"] else "")
            + "Intervals without a photo stay empty.",
            f"Photos over time in {words.counted(len(outcomes.starts), 'bar')}: "
            + ", ".join(f"{words.number(summary.outcomes[outcome])} {WORDS[outcome]}" for outcome in told)
            + ".",
            canvas.draw(pictures.outcomes_over_time(outcomes, zone)),
        )
    if (confidence := summary.confidence_over_time) is not None:
        yield _confidence_over_time(confidence, zone)
    # of one interval or hour there is nothing to compare, and the totals hold its numbers
    if (rate := summary.review_rate) is not None and len(rate.counts) > 1:
        yield _review_rate(rate, zone)
    if (by_class := summary.confidence_by_class) is not None:
        yield _confidence_by_class(by_class)
    if (mix := summary.classes_over_time) is not None and len(mix.counts) > 1:
        yield Drawn(
            "classes-over-time",
            "Mix of classes, over time",
            "The share of each label among the photos of each interval, as the model saw it,"
            " whether sure or not. Intervals without a photo stay empty.",
            f"Share of each label in {words.counted(len(mix.counts), 'interval')}: {', '.join(mix.labels)}.",
            canvas.draw(pictures.classes_over_time(mix, zone)),
        )
    if (hours := summary.confidence_by_hour) is not None and len(hours.hours) > 1:
        yield Drawn(
            "confidence-by-hour",
            "How sure the model was, by hour of the day",
            "The box holds the middle half of an hour's photos, the thin line the middle 80 %, the mark is the"
            f" median; of an hour with fewer than {figures.LEAST_FOR_QUANTILES} photos each is a dot. Hours that sink,"
            " at dusk for instance, are where a lamp may help more than a new model.",
            f"Distribution of confidence by hour of the day in {hours.zone} for"
            f" {words.counted(len(hours.hours), 'hour')} with photos.",
            canvas.draw(pictures.confidence_by_hour(hours)),
        )
    if (latency := summary.latency) is not None:
        yield Drawn(
            "latency",
            "How long a decision took",
            f"Measured {latency.measured}: {words.counted(latency.count, 'decision')}, the slowest"
            f" {words.duration(latency.slowest)}.",
            f"Histogram of decision times: half within {words.duration(latency.median)},"
            f" 95 % within {words.duration(latency.p95)}.",
            canvas.draw(pictures.latency(latency)),
        )
    if summary.drift is not None and sum(window.verdict != "too few" for window in summary.drift.windows) > 1:
        yield Drawn(
            "drift",
            "Distance from the evaluation",
            "Each bar shows how far the photos of an interval are from those of the evaluation, as population"
            " stability index (PSI; 0 is the same). A bar above its limit is red: too far for chance, given the number"
            " of photos, and far enough to matter.",
            "Population stability index of confidences and of the mix of classes in each interval against its"
            f" limit: {summary.drift_verdict}.",
            canvas.draw(pictures.drift(summary.drift, zone), height=3.6),
        )


def _confidence_over_time(data: figures.ConfidenceOverTime, zone: ZoneInfo) -> Drawn:
    shown = len(data.times)
    caption = "Each dot is a photo; those above the dashed line are sure enough to be accepted."
    if data.averages:
        caption += f" The line is the moving average of {data.averaged:,} photos."
    if data.band_edges:
        caption += " In the band lie the middle 80 % of the photos of each interval."
    if data.faults:
        caption += " Red marks at the bottom are faults."
    if shown < data.drawn_of:
        caption += f" Shown: {shown:,} of {data.drawn_of:,} photos, drawn at random."
    return Drawn(
        "confidence-over-time",
        "How sure the model was, over time",
        caption,
        f"Confidence of {words.counted(shown, 'photo')} over time with the threshold at {data.threshold:g}, and"
        f" {words.counted(len(data.faults), 'fault')}.",
        canvas.draw(pictures.confidence_over_time(data, zone)),
    )


def _review_rate(data: figures.ReviewRate, zone: ZoneInfo) -> Drawn:
    outside, intervals = len(data.outside), len(data.counts)
    if not outside:
        verdict = "All are inside: nothing unusual."
    else:
        verdict = f"{outside} of {intervals} {'is' if outside == 1 else 'are'} outside (red): ask what happened then."
    return Drawn(
        "review-rate",
        "How many photos the model left to people",
        "Unsure photos and strangers as a share of all that the model answered. Inside the grey band chance alone"
        " explains how far an interval is from the usual rate; of 1,000 without a change about 3 fall outside. "
        + verdict,
        f"Share of photos that were not accepted in {words.counted(intervals, 'interval')},"
        f" {words.percent(data.centre)} usually, {outside} outside of what chance explains.",
        canvas.draw(pictures.review_rate(data, zone)),
    )


def _confidence_by_class(data: figures.ConfidenceByClass) -> Drawn:
    counts = [sum(sum(data.counts[outcome][row]) for outcome in figures.DRAWN) for row in range(len(data.labels))]
    return Drawn(
        "confidence-by-class",
        "How sure the model was, by label",
        "Photos by the label that was the most probable. Bars on the right are photos that the model was sure of; many"
        " near the dashed line mean that a small change of the threshold decides otherwise about many photos.",
        "Histograms of confidence by label: "
        + ", ".join(
            f"{label} {words.counted(count, 'photo')}" for label, count in zip(data.labels, counts, strict=True)
        )
        + ".",
        canvas.draw(
            pictures.confidence_by_class(data), height=max(canvas.HEIGHT, 0.95 + 1.05 * len(data.labels))
        ),
    )  # fmt: skip
