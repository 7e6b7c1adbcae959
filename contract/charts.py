"""The style of every chart, of evaluations and of reports: colours, type, and figures to files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1b1f24", "#5c6670", "#dfe3e8", "#ffffff"
BLUE, ORANGE, GREEN, RED, PURPLE = "#1f6f8b", "#d9822b", "#2f7d4f", "#c2312f", "#7d5ba6"
DASHED = (0, (4, 2))
DOTTED = (0, (1, 2))
STYLE: Mapping[Any, Any] = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "figure.facecolor": PAPER,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
"""matplotlib's own settings, by its names."""


def draw(paint: Callable[[Figure], None], size: tuple[float, float], **changes: Any) -> Figure:
    """A figure in the common style, painted.

    Args:
        paint: adds axes and what is in them.
        size: width and height in inches.
        changes: settings that differ from STYLE, with `_` for `.`, such as `axes_grid_axis="both"`.
    """
    own: dict[Any, Any] = {name.replace("_", "."): value for name, value in changes.items()}
    with matplotlib.rc_context({**STYLE, **own}):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
    return figure


def to_png(figure: Figure, dpi: int) -> bytes:
    """The figure as PNG; the same figure gives the same bytes, since matplotlib's version is left out."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(dict(STYLE)):
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure, salt: str) -> str:
    """The figure as SVG whose text stays text; the same figure and `salt` give the same ids."""
    buffer = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def themed_svg(figure: Figure, name: str, alternative: str, variables: Mapping[str, str]) -> str:
    """The figure as an SVG element that follows the page's theme.

    Args:
        figure: painted in a few agreed colours.
        name: what its ids start with, so that several fit on a page.
        alternative: what it shows, in words.
        variables: the CSS variable of the page for each colour.
    """
    svg = to_svg(figure, name)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var({variable})")
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    text = alternative.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<svg {box.group(0) if box else ""} role="img" aria-label="{text}">{body}'
