"""The pictures of an evaluation: reliability, risk and coverage, strangers, confusion, confidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from contract import charts
from contract.charts import ALERT, DASHED, DOTTED, INK, MUTED, NEUTRAL, RIGHT, STRANGERS
from contract.shares import percentages
from training.evaluation.findings import Evaluation
from training.evaluation.statistics import Ints

TITLES = {"axes_titlesize": 12, "axes_titleweight": "bold", "axes_titlepad": 12, "axes_grid_axis": "both"}
"""These pictures stand alone, without a page around them."""
CONFIDENCE_BINS = 25
"""Bars of the confidence histogram between 1 / classes and 1."""
NUMBERED_CLASSES = 12
"""Classes up to which the confusion matrix shows its numbers."""


def draw_pictures(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the PNGs into `folder` and return their paths."""
    written: list[Path] = []
    for name, (paint, size) in PICTURES.items():
        figure = charts.draw(lambda figure, paint=paint: paint(figure, evaluation), size, **TITLES)
        path = folder / f"{name}.png"
        path.write_bytes(charts.to_png(figure, dpi=150))
        written.append(path)
    return written


def paint_reliability(figure: Figure, evaluation: Evaluation) -> None:
    """How often the model is right at each confidence, above how many photos have that confidence."""
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    bins = evaluation.reliability
    centres = [each.confidence for each in bins]
    accuracies = [each.accuracy for each in bins]
    errors = [
        [each.accuracy - each.interval[0] for each in bins],
        [each.interval[1] - each.accuracy for each in bins],
    ]
    least = 1 / len(evaluation.predictions.classes)
    top.plot([0, 1], [0, 1], color=MUTED, linestyle=DASHED, linewidth=1, label="perfectly calibrated")
    _, _, (intervals,) = top.errorbar(
        centres,
        accuracies,
        yerr=errors,
        fmt="o-",
        color=RIGHT,
        elinewidth=2,
        markersize=5,
        linewidth=1.2,
        label="accuracy, with its 95 % interval",
    )
    intervals.set_alpha(0.4)
    top.set_title("How often it is right, when it is this sure")
    top.set_ylabel("accuracy")
    top.set_ylim(0, 1.03)
    top.legend(loc="lower right")
    top.text(
        0.02,
        0.97,
        f"expected calibration error {evaluation.calibration_error:.3f}",
        transform=top.transAxes,
        va="top",
        color=MUTED,
    )
    bottom.bar(
        [(each.low + each.high) / 2 for each in bins],
        [each.photos for each in bins],
        width=[0.9 * (each.high - each.low) for each in bins],
        color=NEUTRAL,
    )
    bottom.set_ylabel("photos")
    bottom.set_xlabel("confidence")
    bottom.set_xlim(max(0.0, least - 0.05), 1.01)


def paint_risk_coverage(figure: Figure, evaluation: Evaluation) -> None:
    """The share wrong among the accepted, for every share accepted, and where the thresholds lie."""
    axes = figure.subplots()
    curve, recommendation = evaluation.curve, evaluation.recommendation
    axes.step(curve.coverage, curve.risk, where="post", color=ALERT, linewidth=1.6)
    axes.fill_between(curve.coverage, curve.risk, step="post", color=ALERT, alpha=0.12, linewidth=0)
    axes.axhline(recommendation.target_error, color=MUTED, linestyle=DOTTED, linewidth=1)
    axes.annotate(
        f"target {100 * recommendation.target_error:g} %",
        (0.01, recommendation.target_error),
        xytext=(0, 3),
        textcoords="offset points",
        color=MUTED,
    )
    top = max(1.15 * float(curve.risk.max(initial=0)), 2 * recommendation.target_error)
    found, configured = recommendation.found, evaluation.configured
    if found is not None:
        top = max(top, 1.3 * found.bound)
        _mark(axes, found.coverage, found.error_rate, f"recommended {found.threshold:g}", INK, found.bound)
    if configured is not None and configured.accepted:
        _mark(
            axes,
            configured.coverage,
            configured.error_rate,
            f"configured {configured.threshold:g}",
            charts.PAPER,
            min(configured.bound, top),
        )
    axes.set_title("The more photos it decides, the more of them are wrong")
    axes.set_xlabel("photos accepted")
    axes.set_ylabel("wrong among the accepted")
    axes.set_xlim(0, 1.005)
    axes.set_ylim(0, min(top, 1.0))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_percent))
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(loc="upper left", title="bar: up to its upper bound", alignment="left")


def _mark(axes: Axes, coverage: float, risk: float, label: str, filling: str, bound: float) -> None:
    axes.plot([coverage, coverage], [risk, bound], color=INK, linewidth=2, solid_capstyle="butt")
    axes.plot(
        [coverage], [risk], "o", color=INK, markerfacecolor=filling, markeredgewidth=1.5, markersize=7, label=label,
        clip_on=False, zorder=5,
    )  # fmt: skip


def _percent(share: float, _: int | None) -> str:
    return f"{100 * share:g} %"


def paint_confusion(figure: Figure, evaluation: Evaluation) -> None:
    """Photos by true and predicted class, coloured by the share of the true class."""
    axes = figure.subplots()
    labels = evaluation.predictions.classes
    names, counts = confusion_rows(evaluation)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    few = len(labels) <= 4
    axes.set_xticks(range(len(labels)), labels, rotation=0 if few else 40, ha="center" if few else "right")
    axes.set_yticks(range(len(names)), names)
    axes.set_title("What is taken for what")
    axes.set_xlabel("predicted")
    axes.set_ylabel("what it is")
    if len(labels) > NUMBERED_CLASSES:
        return
    for row in range(len(names)):
        texts = percentages(counts[row].tolist())
        for column in range(len(labels)):
            axes.text(
                column,
                row,
                f"{counts[row, column]}\n{texts[column]}",
                ha="center",
                va="center",
                color="white" if shares[row, column] > 0.55 else INK,
            )


def confusion_rows(evaluation: Evaluation) -> tuple[list[str], Ints]:
    """The rows of the confusion, classes first and then groups of strangers, and their photos by predicted label."""
    names = [*evaluation.classes, *(f"strangers, {group}" for group in evaluation.strangers)]
    others = [list(figures.taken_for.values()) for figures in evaluation.strangers.values()]
    return names, np.vstack([evaluation.confusion, *(np.array([row], dtype=np.int64) for row in others)])


def paint_thresholds(figure: Figure, evaluation: Evaluation) -> None:
    """Both curves over the threshold: the share wrong among the accepted, and the share of strangers routed."""
    axes = figure.subplots()
    curve = evaluation.curve
    axes.step(curve.thresholds, curve.risk, where="post", color=ALERT, linewidth=1.6, label="wrong among the accepted")
    for (group, figures), style in zip(evaluation.strangers.items(), ("-", DASHED, DOTTED), strict=False):
        thresholds = [each.threshold for each in figures.curve]
        axes.plot(
            thresholds,
            [each.share for each in figures.curve],
            color=STRANGERS,
            linestyle=style,
            linewidth=1.6,
            label=f"strangers routed, {group}",
        )
        axes.fill_between(
            thresholds,
            [each.share for each in figures.curve],
            [each.bound for each in figures.curve],
            color=STRANGERS,
            alpha=0.1,
            linewidth=0,
        )
    _thresholds(axes, evaluation)
    axes.set_title("What each threshold lets through")
    axes.set_xlabel("threshold")
    axes.set_ylabel("share")
    axes.set_xlim(1 / len(evaluation.predictions.classes), 1.005)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(_percent))
    # below the axes, since both lines and both curves cross all of them
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2)


def _thresholds(axes: Axes, evaluation: Evaluation) -> None:
    """Upright lines: the configured threshold dashed, as in the report, and the recommended one whole."""
    found, configured = evaluation.recommendation.found, evaluation.configured
    if found is not None:
        axes.axvline(found.threshold, color=INK, linewidth=1.2, label=f"recommended {found.threshold:g}")
    if configured is not None:
        name = f"configured {configured.threshold:g}"
        axes.axvline(configured.threshold, color=INK, linestyle=DASHED, linewidth=1.2, label=name)


def paint_confidence(figure: Figure, evaluation: Evaluation) -> None:
    """How sure the model was where it was right and where it was wrong."""
    upper, lower = figure.subplots(2, 1, sharex=True)
    confidences, correct = evaluation.predictions.confidences, evaluation.predictions.correct
    least = 1 / len(evaluation.predictions.classes)
    edges = np.linspace(least, 1, CONFIDENCE_BINS + 1)
    for axes, chosen, colour, name in (
        (upper, confidences[correct], RIGHT, "right"),
        (lower, confidences[~correct], ALERT, "wrong"),
    ):
        axes.hist(np.maximum(chosen, least), bins=list(edges), color=colour, rwidth=0.92)
        axes.set_ylabel("photos")
        axes.grid(visible=False, axis="x")
        axes.yaxis.get_major_locator().set_params(integer=True)
        # room for the words above the bars
        axes.set_ylim(top=axes.get_ylim()[1] * 1.3)
        axes.text(0.01, 0.92, f"{len(chosen)} {name}", transform=axes.transAxes, va="top", color=colour, weight="bold")
        _thresholds(axes, evaluation)
    upper.set_title("How sure it was")
    handles, names = upper.get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside lower right", ncols=2)
    lower.set_xlabel("confidence")
    lower.set_xlim(least - 0.01, 1.01)


PICTURES: Mapping[str, tuple[Callable[[Figure, Evaluation], None], tuple[float, float]]] = {
    "reliability": (paint_reliability, (6.4, 6.0)),
    "risk_coverage": (paint_risk_coverage, (7.2, 5.4)),
    "thresholds": (paint_thresholds, (7.2, 5.4)),
    "confusion": (paint_confusion, (5.6, 5.0)),
    "confidence": (paint_confidence, (7.2, 4.6)),
}
"""Each picture by its file's name: what paints it, and its size in inches."""
