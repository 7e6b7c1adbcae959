"""The report as one HTML page that needs nothing else, and its pictures as PNG."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup, escape

from contract import charts
from contract.decisions import OUTCOMES
from contract.moments import moment
from contract.shares import unbroken
from operations.report import canvas, words
from operations.report.chapters import Drawn, draw_pictures
from operations.report.photos import Photos
from operations.report.summary import Summary
from operations.report.thumbnails import data_uri

__all__ = ["Drawn", "draw_pictures", "evaluation_beside", "render", "write"]

TEMPLATES = Path(__file__).parent / "templates"
FILE = "index.html"
EVALUATION = "../evaluation/index.html"
"""Where `training evaluate` puts its page, seen from the report's folder."""
BREAKS = re.compile(r"(?<=[/_.\-])(?=[^/_.\-])")
"""Where a key may go on in the next line: after a separator."""


def evaluation_beside(folder: Path) -> str | None:
    """The address of the evaluation's page, seen from the report's `folder`; None when there is none."""
    # as the browser resolves it, which also holds before the folder is there
    return EVALUATION if Path(os.path.normpath(folder / EVALUATION)).is_file() else None


def breakable(key: str) -> Markup:
    """A key that goes on in the next line after a separator, never within a word."""
    return Markup("<wbr>").join(escape(part) for part in BREAKS.split(key))


def render(
    summary: Summary, photos: Photos, drawn: Sequence[Drawn], zone: ZoneInfo, evaluation: str | None = None
) -> str:
    """The page.

    Args:
        summary: the numbers.
        photos: the captured pictures of those that are shown.
        drawn: the pictures.
        zone: of the times.
        evaluation: the address of the evaluation's page; None for no link.
    """

    def local_time(value: datetime) -> str:
        return moment(value, zone)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "number": words.number,
        "counted": words.counted,
        "percent": words.percent,
        "duration": words.duration,
        "moment": local_time,
        "key": breakable,
        "unbroken": unbroken,
    }
    environment.filters.update(filters)
    galleries = {
        "least_sure": (summary.least_sure, photos.least_sure),
        "sure": (summary.sure_sample, photos.sure),
        "strangers": (summary.strangers_sample, photos.strangers),
    }
    return environment.get_template("report.html.j2").render(
        s=summary,
        theme=Markup(charts.theme()),
        outcomes=OUTCOMES,
        evaluation=evaluation,
        pictures={
            one.name: {
                "name": one.name,
                "title": one.title,
                "caption": one.caption,
                "svg": Markup(canvas.to_svg(one.figure, one.name, one.alternative)),
            }
            for one in drawn
        },
        galleries={
            name: [(one, data_uri(example.picture)) for one, example in zip(shown, examples, strict=True)]
            for name, (shown, examples) in galleries.items()
        },
    )


def write(folder: Path, html: str, drawn: Sequence[Drawn]) -> Path:
    """Write `index.html` and a PNG per picture to the folder; return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in drawn:
        (folder / f"{one.name}.png").write_bytes(canvas.to_png(one.figure))
    page = folder / FILE
    page.write_text(html, encoding="utf-8")
    return page
