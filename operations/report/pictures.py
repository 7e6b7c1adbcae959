"""Paints what `operations.report.figures` computed, in the style of `operations.report.canvas`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from contract import charts
from contract.charts import ALERT, DASHED, DOTTED, INK, MUTED, NEUTRAL, OUTCOME_COLOURS
from contract.decisions import NEITHER, OUTCOMES, WORDS
from operations.report import canvas, words
from operations.report.drift import DISTANCE_MATTERS, Drift
from operations.report.figures import (
    DRAWN,
    OTHERS,
    ClassesOverTime,
    ConfidenceByClass,
    ConfidenceByHour,
    ConfidenceOverTime,
    Latency,
    OutcomesOverTime,
    ReviewRate,
)

Paint = Callable[[Figure], None]
SMALL_DOTS_FROM = 300
"""Dots beyond which they are drawn small and see-through."""
BAND = 0.12
"""How opaque a band is."""


def outcomes_over_time(data: OutcomesOverTime, zone: ZoneInfo) -> Paint:
    """Stacked numbers of photos per interval, in the colours of the outcomes."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        starts, widths = canvas.spans(data.starts, data.ends)
        bottom = np.zeros(len(starts))
        for outcome in OUTCOMES:
            counts = data.counts[outcome]
            if any(counts):
                colour = OUTCOME_COLOURS[outcome]
                canvas.bars(axes, starts, widths, counts, colour, WORDS[outcome], bottom=bottom.tolist())
                bottom += np.array(counts)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(canvas.short))
        axes.set_ylabel("photos")
        canvas.time_axis(axes, [*data.starts, *data.ends], zone)
        canvas.legend(figure, axes, columns=4)

    return paint


def confidence_over_time(data: ConfidenceOverTime, zone: ZoneInfo) -> Paint:
    """Dots in the colours of the outcomes, the threshold, the moving average, the middle 80 %, and the faults."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        times, confidences = canvas.positions(data.times), np.array(data.confidences)
        outcomes = np.array(data.outcomes)
        many = len(times) > SMALL_DOTS_FROM
        for outcome in DRAWN:
            mask = outcomes == outcome
            if mask.any():
                axes.scatter(
                    times[mask],
                    confidences[mask],
                    s=5 if many else 14,
                    color=OUTCOME_COLOURS[outcome],
                    alpha=0.5 if many else 0.85,
                    linewidths=0,
                    label=WORDS[outcome],
                )
        axis: Sequence[datetime] = [*data.times, *data.faults]
        canvas.time_axis(axes, axis, zone)
        low, high = axes.get_xlim()
        if data.band_edges:
            edges = canvas.positions(data.band_edges)
            edges[0], edges[-1] = low, high
            axes.fill_between(
                np.repeat(edges, 2)[1:-1],
                np.repeat(data.low, 2),
                np.repeat(data.high, 2),
                color=INK,
                alpha=BAND,
                linewidth=0,
                label="middle 80 %",
            )
        if data.averages:
            name = f"average of {words.number(data.averaged)}"
            axes.plot(
                canvas.positions(data.average_times), np.array(data.averages), color=INK, linewidth=1.5, label=name
            )
        _threshold(axes, data.threshold)
        bottom = max(0.0, min([*data.confidences, data.threshold]) - 0.05)
        if data.faults:
            tick = 0.05 * (1.01 - bottom)
            at = canvas.positions(data.faults)
            axes.vlines(at, bottom, bottom + tick, color=ALERT, linewidth=1.4, label=WORDS["fault"], clip_on=False)
        axes.set_ylim(bottom, 1.01)
        axes.set_ylabel("confidence")
        canvas.legend(figure, axes)

    return paint


def confidence_by_class(data: ConfidenceByClass) -> Paint:
    """A histogram per label, bars in the colours of the outcomes, the threshold."""

    def paint(figure: Figure) -> None:
        edges = np.array(data.edges)
        totals = np.sum([data.counts[outcome] for outcome in DRAWN], axis=0)
        used = totals.sum(axis=0).nonzero()[0]
        low = min(float(edges[used[0]]) if len(used) else 0.0, data.threshold)
        rows = figure.subplots(len(data.labels), 1, sharex=True, squeeze=False)[:, 0]
        for row, (axes, label) in enumerate(zip(rows, data.labels, strict=True)):
            bottom = np.zeros(len(edges) - 1)
            for outcome in reversed(DRAWN):
                counts = data.counts[outcome][row]
                if any(counts):
                    colour = OUTCOME_COLOURS[outcome]
                    canvas.bars(axes, edges[:-1], np.diff(edges), counts, colour, WORDS[outcome], bottom.tolist())
                    bottom += np.array(counts)
            _threshold(axes, data.threshold, vertical=True)
            axes.set_title(f"{label}: {words.counted(int(totals[row].sum()), 'photo')}")
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            axes.yaxis.set_major_formatter(FuncFormatter(canvas.short))
            axes.set_xlim(max(0.0, low - 0.02), 1.0)
        rows[-1].set_xlabel("confidence")
        figure.supylabel("photos", fontsize="medium", color=MUTED)
        canvas.legend(figure, *rows, columns=4)

    return paint


def classes_over_time(data: ClassesOverTime, zone: ZoneInfo) -> Paint:
    """Stacked shares per window."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        starts, widths = canvas.spans(data.starts, data.ends)
        bottom = np.zeros(len(starts))
        for label, shares, colour in zip(data.labels, data.shares, class_colours(data.labels), strict=True):
            canvas.bars(axes, starts, widths, shares, colour, label, bottom=bottom.tolist())
            bottom += np.array(shares)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(FuncFormatter(canvas.percents))
        axes.set_ylabel("share of photos")
        canvas.time_axis(axes, [*data.starts, *data.ends], zone)
        canvas.legend(figure, axes)

    return paint


def class_colours(labels: Sequence[str]) -> list[str]:
    """A colour for each label: strangers keep that of their outcome, whoever has no own one shares one."""
    own = iter(charts.CLASSES)
    fixed = {NEITHER: OUTCOME_COLOURS["neither"], OTHERS: charts.OTHER}
    return [fixed.get(label) or next(own, charts.OTHER) for label in labels]


def confidence_by_hour(data: ConfidenceByHour) -> Paint:
    """A box per hour: the middle half, the middle 80 % and the median; of few photos each one."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        lowest = [data.threshold]
        for hour in data.hours:
            middle = hour.hour + 0.5
            if hour.quantiles is None:
                lowest += hour.confidences
                at = [middle] * len(hour.confidences)
                axes.scatter(at, hour.confidences, s=10, color=NEUTRAL, linewidths=0, label="single photos")
                continue
            low, first, median, third, high = hour.quantiles
            lowest.append(low)
            axes.vlines(middle, low, high, color=NEUTRAL, linewidth=1.4, label="middle 80 %")
            axes.bar(middle, third - first, 0.7, bottom=first, color=NEUTRAL, linewidth=0, label="middle half")
            axes.hlines(median, hour.hour + 0.15, hour.hour + 0.85, color=INK, linewidth=1.8, label="median")
        _threshold(axes, data.threshold)
        axes.set_ylim(max(0.0, min(lowest) - 0.05), 1.01)
        first, last = data.hours[0].hour, data.hours[-1].hour + 1
        every = 1 if last - first <= canvas.MOST_TICKS else 2 if last - first <= 2 * canvas.MOST_TICKS else 4
        axes.set_xlim(first, last)
        axes.set_xticks(range(first, last + 1, every), [f"{hour:02d}:00" for hour in range(first, last + 1, every)])
        axes.set_xlabel(f"hour of the day ({data.zone})")
        axes.set_ylabel("confidence")
        canvas.legend(figure, axes, columns=4)

    return paint


def review_rate(data: ReviewRate, zone: ZoneInfo) -> Paint:
    """The rate per window between its limits; windows outside are red."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        starts, widths = canvas.spans(data.starts, data.ends)
        middles, rates = starts + widths / 2, np.array(data.rates)
        canvas.time_axis(axes, [*data.starts, *data.ends], zone)
        edges = canvas.joined_edges(starts, starts + widths, *axes.get_xlim())
        axes.fill_between(
            np.repeat(edges, 2)[1:-1],
            np.repeat(data.low, 2),
            np.repeat(data.high, 2),
            color=INK,
            alpha=BAND,
            linewidth=0,
            label="what chance explains",
        )
        axes.axhline(data.centre, color=MUTED, linewidth=1.0, label=f"usual rate {words.percent(data.centre)}")
        if data.baseline is not None:
            at_evaluation = f"at evaluation {words.percent(data.baseline)}"
            axes.axhline(data.baseline, color=MUTED, linewidth=1.2, linestyle=DOTTED, label=at_evaluation)
        axes.plot(middles, rates, color=INK, linewidth=1.0, marker="o", markersize=4, label="not accepted")
        if data.outside:
            axes.plot(
                middles[data.outside],
                rates[data.outside],
                color=ALERT,
                linestyle="none",
                marker="o",
                markersize=7,
                label="outside",
            )
        axes.set_ylim(0, min(1.02, max([*data.rates, *data.high, data.centre, data.baseline or 0.0]) * 1.1 + 0.02))
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(canvas.percents))
        axes.set_ylabel("share of photos")
        canvas.legend(figure, axes)

    return paint


def latency(data: Latency) -> Paint:
    """A histogram over a logarithmic axis, with the median and the 95 % line."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        edges = np.array(data.edges)
        canvas.bars(axes, edges[:-1], np.diff(edges), data.counts, NEUTRAL, "decisions")
        axes.axvline(data.median, color=INK, linewidth=1.4, label=f"half within {words.duration(data.median)}")
        within = f"95 % within {words.duration(data.p95)}"
        axes.axvline(data.p95, color=INK, linewidth=1.2, linestyle=DOTTED, label=within)
        canvas.duration_axis(axes, float(edges[0]), float(edges[-1]))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(canvas.short))
        axes.set_xlabel("time to a decision, on a logarithmic scale")
        axes.set_ylabel("decisions")
        canvas.legend(figure, axes)

    return paint


def drift(data: Drift, zone: ZoneInfo) -> Paint:
    """PSI of the confidences and of the classes per window, each with its limit."""

    def paint(figure: Figure) -> None:
        windows = [window for window in data.windows if window.verdict != "too few"]
        rows = figure.subplots(2, 1, sharex=True, squeeze=False)[:, 0]
        starts, widths = canvas.spans([w.start for w in windows], [w.end for w in windows])
        for axes, title, measures in (
            (rows[0], "confidences", [w.confidence_psi for w in windows]),
            (rows[1], "mix of classes", [w.class_psi for w in windows]),
        ):
            limits = [max(measure.critical, DISTANCE_MATTERS) for measure in measures]
            values = np.array([measure.value for measure in measures])
            changed = np.array([measure.changed for measure in measures])
            for chosen, colour, name in ((~changed, NEUTRAL, "as at evaluation"), (changed, ALERT, "changed")):
                if chosen.any():
                    canvas.bars(axes, starts[chosen], widths[chosen], values[chosen].tolist(), colour, name)
            axes.hlines(limits, starts, starts + widths, color=INK, linewidth=1.3, label="limit")
            axes.set_title(title)
            axes.set_ylabel("PSI")
            axes.set_ylim(0, max([0.15, *values.tolist(), *limits]) * 1.1)
            axes.yaxis.set_major_locator(MaxNLocator(4))
        canvas.time_axis(rows[1], [moment for w in windows for moment in (w.start, w.end)], zone)
        canvas.legend(figure, *rows)

    return paint


def _threshold(axes: Axes, value: float, *, vertical: bool = False) -> None:
    name = f"threshold {value:g}"
    if vertical:
        axes.axvline(value, color=INK, linewidth=1.2, linestyle=DASHED, label=name)
    else:
        axes.axhline(value, color=INK, linewidth=1.2, linestyle=DASHED, label=name)
