"""The report's drawing style: one matplotlib figure gives SVG that follows the page's theme, and PNG on white.

In the SVG every colour becomes a CSS variable of the page (contract.charts).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contract import charts
from contract.charts import PAPER
from contract.moments import day
from operations.arrays import Floats
from operations.report import words
from operations.report.figures import FRIENDLY_SECONDS

WIDTH, HEIGHT = 5.0, 3.1
"""Inches; small, so that the text stays readable when the picture is as wide as a phone."""
MOST_TICKS = 6
TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
"""Distances of ticks on an axis of less than MOST_TICKS days."""
TICK_DAYS = (1, 2, 3, 7, 14, 28, 56, 91, 182, 364)
DAY = 86400
SECOND = timedelta(seconds=1)


def draw(paint: Callable[[Figure], None], height: float = HEIGHT) -> Figure:
    """A figure in the report's style, painted."""
    return charts.draw(paint, (WIDTH, height))


def to_png(figure: Figure) -> bytes:
    """The figure as PNG, 1000 pixels wide."""
    return charts.to_png(figure, dpi=200)


def to_svg(figure: Figure, name: str, alternative: str) -> str:
    """The figure as a themed SVG element, with `alternative` text and ids that start with `name`."""
    return charts.themed_svg(figure, name, alternative)


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


def legend(figure: Figure, *axes: Axes, columns: int = 3) -> None:
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
            ncols=columns,
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


def joined_edges(starts: Floats, ends: Floats, low: float, high: float) -> Floats:
    """The edges of bands that cover an axis from `low` to `high`: where no photo came, neighbours meet half-way."""
    return np.concatenate([[low], (ends[:-1] + starts[1:]) / 2, [high]])


def time_axis(axes: Axes, times: Sequence[datetime], zone: ZoneInfo) -> None:
    """From the first to the last of `times`, labelled in local time, with the zone and the year said."""
    first, last = min(times).astimezone(zone), max(times).astimezone(zone)
    low, high = positions([first, last]).tolist()
    if low == high:
        low, high = low - 30 / DAY, high + 30 / DAY
    axes.set_xlim(low, high)
    ticks = ticks_between(mdates.num2date(low, tz=zone), mdates.num2date(high, tz=zone))
    axes.set_xticks(positions(ticks).tolist(), tick_labels(ticks))
    years = f"{first.year}" if first.year == last.year else f"{first.year} to {last.year}"
    axes.set_xlabel(f"time ({zone}), {years}")


def ticks_between(first: datetime, last: datetime) -> list[datetime]:
    """At most MOST_TICKS times at round distances, in the zone of `first`."""
    seconds = (last - first).total_seconds()
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    zone = first.tzinfo
    if seconds < MOST_TICKS * DAY:
        step = next((step for step in TICK_SECONDS if seconds / step <= MOST_TICKS - 1), DAY)
        if step < DAY:
            # counted on the local clock, so that a change of the clocks moves no tick off its round time
            begin = midnight.replace(tzinfo=None)
            from_midnight = (first.replace(tzinfo=None) - begin).total_seconds()
            start = -int(-from_midnight // step)
            local = [begin + (start + index) * step * SECOND for index in range(2 * MOST_TICKS)]
            return [tick for each in local if first <= (tick := each.replace(tzinfo=zone)) <= last][:MOST_TICKS]
    days = seconds / DAY
    step = next((step for step in TICK_DAYS if days / step <= MOST_TICKS - 1), int(days / (MOST_TICKS - 1)) + 1)
    start = 0 if first == midnight else 1
    local = [midnight.replace(tzinfo=None) + (start + index * step) * DAY * SECOND for index in range(MOST_TICKS)]
    return [tick for each in local if first <= (tick := each.replace(tzinfo=zone)) <= last]


def tick_labels(ticks: Sequence[datetime]) -> list[str]:
    """Clock times, the date beneath where it is a new one; of ticks at midnight the date alone."""
    whole_days = all((tick.hour, tick.minute, tick.second) == (0, 0, 0) for tick in ticks) and len(ticks) > 1
    clock = "%H:%M:%S" if any(tick.second for tick in ticks) else "%H:%M"
    labels: list[str] = []
    for before, tick in zip([None, *ticks], ticks, strict=False):
        date = day(tick)
        if whole_days:
            labels.append(date)
        else:
            new = before is None or before.date() != tick.date()
            labels.append(f"{tick:{clock}}\n{date}" if new else f"{tick:{clock}}")
    return labels


def duration_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic x axis that holds `low` to `high` seconds, from one duration that people use to another."""
    low = max((mark for mark in FRIENDLY_SECONDS if mark <= low), default=low)
    high = min((mark for mark in FRIENDLY_SECONDS if mark >= high), default=high)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    shown = [mark for mark in FRIENDLY_SECONDS if low <= mark <= high]
    every = max(1, -(-len(shown) // MOST_TICKS))
    axes.set_xticks(shown[::every], [words.duration(mark) for mark in shown[::every]])
    axes.set_xticks([], minor=True)


def percents(value: float, _position: int | None = None) -> str:
    """A share on an axis: 0.2 -> 20 %."""
    return f"{100 * value:g} %"


def short(value: float, _position: int | None = None) -> str:
    """A count on an axis: 20000 -> 20k."""
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"
