"""The report's drawing style: one matplotlib figure gives SVG that follows the page's theme, and PNG on
white.

Drawings use a few agreed colours; in the SVG each becomes a CSS variable of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contract import charts
from contract.charts import GRID, INK, MUTED, PAPER
from operations.report import words
from operations.report.binning import Floats

ROUTED, REVIEW, ALERT = charts.BLUE, charts.ORANGE, charts.RED
CLASSES = ("#3b6fb6", "#d9822c", "#3f9a6b", "#9a5fb0", "#b0894a", "#8a939d")
"""Colours of the classes drawn; the last one is of all others."""
VARIABLES: Mapping[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--card",
    ROUTED: "--routed",
    REVIEW: "--review",
    ALERT: "--alert",
    **{colour: f"--class-{index}" for index, colour in enumerate(CLASSES)},
}
WIDTH, HEIGHT = 5.0, 3.0
"""Inches; small, so that the text stays readable when the picture is as wide as a phone."""


def draw(paint: Callable[[Figure], None], height: float = HEIGHT) -> Figure:
    """A figure in the report's style, painted."""
    return charts.draw(paint, (WIDTH, height))


def to_png(figure: Figure) -> bytes:
    """The figure as PNG, 1000 pixels wide."""
    return charts.to_png(figure, dpi=200)


def to_svg(figure: Figure, name: str, alternative: str) -> str:
    """The figure as a themed SVG element, with `alternative` text and ids that start with `name`."""
    return charts.themed_svg(figure, name, alternative, VARIABLES)


def bars(
    axes: Axes,
    left: Floats,
    widths: Floats,
    heights: Sequence[float],
    colour: str,
    label: str,
    bottom: Sequence[float] | None = None,
) -> None:
    """Bars from `left` on, on top of `bottom`."""
    axes.bar(
        left,
        list(heights),
        widths,
        bottom=0.0 if bottom is None else list(bottom),
        align="edge",
        color=colour,
        edgecolor=PAPER,
        linewidth=0.5,
        label=label,
    )


def legend(figure: Figure, *axes: Axes) -> None:
    """One legend above the figure for all its axes, each name once."""
    named: dict[str, Artist] = {}
    for one in axes:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    if named:
        figure.legend(
            list(named.values()),
            list(named),
            loc="outside upper left",
            ncols=3,
            columnspacing=1.2,
            handlelength=1.4,
            markerscale=1.5,
        )


def positions(times: Sequence[datetime]) -> Floats:
    """Where the times lie on a time axis."""
    numbers: list[float] = [mdates.date2num(time) for time in times]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return np.array(numbers, np.float64)


def spans(starts: Sequence[datetime], ends: Sequence[datetime]) -> tuple[Floats, Floats]:
    """Left ends and widths of windows on a time axis."""
    left = positions(starts)
    return left, positions(ends) - left


def time_axis(axes: Axes, times: Sequence[datetime], zone: ZoneInfo) -> None:
    """Label the x axis with local times, few enough for a phone."""
    if times and min(times) == max(times):
        middle = float(positions(times[:1])[0])
        axes.set_xlim(middle - 30 / 86400, middle + 30 / 86400)
    locator = mdates.AutoDateLocator(tz=zone, minticks=3, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=zone))


def duration_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic x axis from `low` to `high` seconds, labelled in units that people use."""
    axes.set_xscale("log")
    axes.set_xlim(low / 1.2, high * 1.2)
    marks = [1e-3, 1e-2, 0.1, 1, 10, 60, 600, 3600, 36000, 3 * 86400, 10 * 86400]
    shown = [mark for mark in marks if low / 1.2 <= mark <= high * 1.2]
    if len(shown) < 2:
        shown = [low, high]
    axes.set_xticks(shown, [words.duration(mark).replace(".0 ", " ") for mark in shown])
    axes.set_xticks([], minor=True)


def short(value: float, _position: int | None = None) -> str:
    """A count on an axis: 20000 -> 20k."""
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"
