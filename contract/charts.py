"""The style of every chart and page, of evaluations and of reports: what each colour means, type, figures to files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from contract.decisions import Outcome

INK, MUTED, GRID, PAPER = "#1b1f24", "#5c6670", "#dfe3e8", "#ffffff"
OUTCOME_COLOURS: Mapping[Outcome, str] = {
    "accepted": "#1f6f8b",
    "review": "#d9822b",
    "neither": "#7d5ba6",
    "fault": "#c2312f",
}
RIGHT = OUTCOME_COLOURS["accepted"]
STRANGERS = OUTCOME_COLOURS["neither"]
ALERT = OUTCOME_COLOURS["fault"]
"""A fault, a wrong decision, or a value that asks to be looked into."""
NEUTRAL = "#8d9aa7"
"""Measurements that are neither a decision nor a class."""
CLASSES = ("#2c8f5a", "#4a5fc1", "#a8862b", "#c2679f", "#5fb0b7")
"""Colours of the classes drawn; strangers have that of their outcome."""
OTHER = "#b7bec6"
"""All classes without a colour of their own."""
THEMES: Mapping[str, tuple[str, str]] = {
    "page": ("#f4f5f7", "#14171b"),
    "card": (PAPER, "#1d2126"),
    "ink": (INK, "#e8eaed"),
    "muted": (MUTED, "#a3acb6"),
    "grid": (GRID, "#363d45"),
    "neutral": (NEUTRAL, "#77848f"),
    "other": (OTHER, "#555e68"),
    "accepted": (OUTCOME_COLOURS["accepted"], "#4bb0cf"),
    "review": (OUTCOME_COLOURS["review"], "#f0a04b"),
    "neither": (STRANGERS, "#b393dd"),
    "fault": (ALERT, "#ff6f66"),
    **{
        f"class-{index}": (light, dark)
        for index, (light, dark) in enumerate(
            zip(CLASSES, ("#5cc08a", "#8b9bf0", "#d6b45a", "#e394c3", "#8ad2d8"), strict=True)
        )
    },
}
"""Every colour of the pages by its CSS variable: as charts are painted, and as it is in the dark."""
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


def theme() -> str:
    """The style sheet that gives THEMES to a page, dark on a screen that asks for it, never on paper."""
    light, dark = (" ".join(f"--{name}: {colours[place]};" for name, colours in THEMES.items()) for place in range(2))
    dark_screen = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return f":root {{ {light} }}\n{dark_screen}\n@media print {{ :root {{ --page: {PAPER}; }} }}\n"


def themed_svg(figure: Figure, name: str, alternative: str) -> str:
    """The figure as an SVG element that follows the page's `theme`.

    Args:
        figure: painted in the colours of THEMES.
        name: what its ids start with, so that several fit on a page.
        alternative: what it shows, in words.
    """
    svg = to_svg(figure, name)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for variable, (colour, _) in THEMES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    text = alternative.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<svg {box.group(0) if box else ""} role="img" aria-label="{text}">{body}'
