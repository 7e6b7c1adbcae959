"""Paints what `operations.report.figures` computed, in the style of `operations.report.canvas`."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from contract.charts import DASHED, DOTTED, INK, MUTED
from operations.report import canvas, words
from operations.report.canvas import ALERT, REVIEW, ROUTED
from operations.report.drift import DISTANCE_MATTERS, Drift
from operations.report.figures import (
    OTHERS,
    ClassesOverTime,
    ConfidenceByClass,
    ConfidenceByHour,
    ConfidenceOverTime,
    Latency,
    ReviewRate,
)

Paint = Callable[[Figure], None]
SMALL_DOTS_FROM = 300
"""Dots beyond which they are drawn small and see-through."""


def confidence_over_time(data: ConfidenceOverTime, zone: ZoneInfo) -> Paint:
    """Dots over time in two colours, the threshold, the middle photo and the middle 80 %."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        accepted = np.array(data.accepted, bool)
        times, confidences = canvas.positions(data.times), np.array(data.confidences)
        many = len(times) > SMALL_DOTS_FROM
        for mask, colour, name in ((accepted, ROUTED, "routed"), (~accepted, REVIEW, "sent to people")):
            axes.scatter(
                times[mask],
                confidences[mask],
                s=5 if many else 14,
                color=colour,
                alpha=0.45 if many else 0.8,
                linewidths=0,
                label=name,
            )
        if len(data.window_times) > 1:
            middles = canvas.positions(data.window_times)
            axes.fill_between(middles, data.low, data.high, color=INK, alpha=0.09, linewidth=0)
            axes.plot(middles, np.array(data.median), color=INK, linewidth=1.4, label="middle photo")
        _threshold(axes, data.threshold)
        axes.set_ylim(max(0.0, min([*data.confidences, data.threshold]) - 0.05), 1.01)
        axes.set_ylabel("confidence")
        canvas.time_axis(axes, data.times, zone)
        canvas.legend(figure, axes)

    return paint


def confidence_by_class(data: ConfidenceByClass) -> Paint:
    """A histogram per class, bars in two colours, the threshold."""

    def paint(figure: Figure) -> None:
        edges = np.array(data.edges)
        used = (np.array(data.routed) + np.array(data.review)).sum(axis=0).nonzero()[0]
        low = min(float(edges[used[0]]) if len(used) else 0.0, data.threshold)
        rows = figure.subplots(len(data.labels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, label, routed, review in zip(rows, data.labels, data.routed, data.review, strict=True):
            widths = np.diff(edges)
            canvas.bars(axes, edges[:-1], widths, review, REVIEW, "sent to people")
            canvas.bars(axes, edges[:-1], widths, routed, ROUTED, "routed", bottom=review)
            _threshold(axes, data.threshold, vertical=True)
            axes.set_title(f"{label}: {words.number(sum(routed) + sum(review))}")
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            axes.yaxis.set_major_formatter(FuncFormatter(canvas.short))
            axes.set_xlim(max(0.0, low - 0.02), 1.0)
        rows[-1].set_xlabel("confidence")
        canvas.legend(figure, rows[0])

    return paint


def classes_over_time(data: ClassesOverTime, zone: ZoneInfo) -> Paint:
    """Stacked shares per window."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        starts, widths = canvas.spans(data.starts, data.ends)
        bottom = np.zeros(len(starts))
        for index, (label, shares) in enumerate(zip(data.labels, data.shares, strict=True)):
            colour = canvas.CLASSES[-1] if label == OTHERS else canvas.CLASSES[index]
            canvas.bars(axes, starts, widths, shares, colour, label, bottom=bottom.tolist())
            bottom += np.array(shares)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_ylabel("share of photos")
        canvas.time_axis(axes, [*data.starts, *data.ends], zone)
        canvas.legend(figure, axes)

    return paint


def confidence_by_hour(data: ConfidenceByHour) -> Paint:
    """A cell per hour and confidence, darker for a greater share of the hour's photos; quantiles on top."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        counts = np.array(data.counts, float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        top = max(float(shares.max()), 1e-9)
        for hour, column in enumerate(shares.tolist()):
            for low, high, share in zip(data.edges, data.edges[1:], column, strict=False):
                if share > 0:
                    alpha = 0.08 + 0.77 * share / top
                    axes.bar(
                        hour,
                        high - low,
                        1.0,
                        bottom=low,
                        align="edge",
                        color=ROUTED,
                        alpha=alpha,
                        linewidth=0,
                    )
        if data.hours:
            middles = [hour + 0.5 for hour in data.hours]
            axes.vlines(middles, data.low, data.high, color=INK, linewidth=1.0, label="middle 80 %")
            axes.plot(
                middles,
                data.median,
                color=INK,
                linestyle="none",
                marker="o",
                markersize=4,
                label="middle photo",
            )
            canvas.legend(figure, axes)
        used = counts.sum(axis=0).nonzero()[0]
        axes.set_ylim(data.edges[int(used[0])] if len(used) else 0.0, 1.0)
        axes.set_xlim(0, 24)
        axes.set_xticks(range(0, 25, 3))
        axes.set_xlabel(f"hour of the day ({data.zone})")
        axes.set_ylabel("confidence")

    return paint


def review_rate(data: ReviewRate, zone: ZoneInfo) -> Paint:
    """The rate per window between its limits; windows outside are red."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        starts, widths = canvas.spans(data.starts, data.ends)
        middles, rates = starts + widths / 2, np.array(data.rates)
        for index, (start, width) in enumerate(zip(starts.tolist(), widths.tolist(), strict=True)):
            axes.fill_between(
                [start, start + width],
                data.low[index],
                data.high[index],
                color=INK,
                alpha=0.09,
                linewidth=0,
                label=None if index else "control limits",
            )
        axes.axhline(data.centre, color=MUTED, linewidth=1.0, label=f"usual rate {words.percent(data.centre)}")
        if data.baseline is not None:
            at_evaluation = f"at evaluation {words.percent(data.baseline)}"
            axes.axhline(data.baseline, color=MUTED, linewidth=1.2, linestyle=DOTTED, label=at_evaluation)
        axes.plot(middles, rates, color=REVIEW, linewidth=1.0, marker="o", markersize=4, label="sent to people")
        if data.outside:
            axes.plot(
                middles[data.outside],
                rates[data.outside],
                color=ALERT,
                linestyle="none",
                marker="o",
                markersize=7,
                label="outside the limits",
            )
        axes.set_ylim(0, min(1.02, max([*data.rates, *data.high, data.centre, data.baseline or 0.0]) * 1.1 + 0.02))
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_ylabel("share of photos")
        canvas.time_axis(axes, [*data.starts, *data.ends], zone)
        canvas.legend(figure, axes)

    return paint


def latency(data: Latency) -> Paint:
    """A histogram over a logarithmic axis, with the median and the 95 % line."""

    def paint(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        edges = np.array(data.edges)
        canvas.bars(axes, edges[:-1], np.diff(edges), data.counts, ROUTED, "decisions")
        axes.axvline(data.median, color=INK, linewidth=1.2, label=f"half within {words.duration(data.median)}")
        within = f"95 % within {words.duration(data.p95)}"
        axes.axvline(data.p95, color=ALERT, linewidth=1.2, linestyle=DASHED, label=within)
        canvas.duration_axis(axes, float(edges[0]), float(edges[-1]))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(canvas.short))
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
            (rows[0], "PSI of the confidences", [w.confidence_psi for w in windows]),
            (rows[1], "PSI of the class mix", [w.class_psi for w in windows]),
        ):
            limits = [max(measure.critical, DISTANCE_MATTERS) for measure in measures]
            values = np.array([measure.value for measure in measures])
            changed = np.array([measure.changed for measure in measures])
            for chosen, colour, name in ((~changed, ROUTED, "as at evaluation"), (changed, ALERT, "changed")):
                if chosen.any():
                    canvas.bars(axes, starts[chosen], widths[chosen], values[chosen].tolist(), colour, name)
            axes.hlines(limits, starts, starts + widths, color=INK, linewidth=1.3, label="limit")
            axes.set_title(title)
            axes.set_ylim(0, max([0.15, *values.tolist(), *limits]) * 1.1)
            axes.yaxis.set_major_locator(MaxNLocator(4))
        canvas.time_axis(rows[1], [moment for w in windows for moment in (w.start, w.end)], zone)
        canvas.legend(figure, *rows)

    return paint


def _threshold(axes: Axes, value: float, *, vertical: bool = False) -> None:
    name = f"threshold {value:g}"
    if vertical:
        axes.axvline(value, color=ALERT, linewidth=1.2, linestyle=DASHED, label=name)
    else:
        axes.axhline(value, color=ALERT, linewidth=1.2, linestyle=DASHED, label=name)
