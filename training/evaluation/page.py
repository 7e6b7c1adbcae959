"""The evaluation as one HTML page that needs nothing else: what a manager reads first, and what it rests on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

from contract import charts, shares
from contract.decisions import NEITHER
from contract.moments import moment
from training.evaluation import pictures
from training.evaluation.findings import Evaluation
from training.evaluation.strangers import Routed, StrangerFigures
from training.evaluation.threshold import Acceptance

TEMPLATES = Path(__file__).parent / "templates"
FILE = "index.html"
REPORT = "../report/index.html"
"""Where the demo's report lies, seen from the evaluation's folder."""
FILTERS: Mapping[str, Callable[[float], str]] = {
    "share": lambda share: shares.unbroken(shares.percent(share)),
    "tenths": lambda share: shares.unbroken(shares.percent(share, tenths=True)),
    "at_most": lambda bound: shares.unbroken(shares.at_most(bound)),
}
WIDTH = 5.0
"""Inches: small, so that text stays readable when a picture is as wide as a phone."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of the page."""

    title: str
    svg: Markup
    caption: str


def write_page(evaluation: Evaluation, folder: Path, examples: Mapping[str, Sequence[bytes]]) -> Path:
    """Write `index.html` into a folder.

    Args:
        evaluation: what to show.
        folder: exists.
        examples: PNG files of training pictures by label; empty when the dataset is not at hand.
    """
    path = folder / FILE
    path.write_text(page_of(evaluation, examples), encoding="utf-8")
    return path


def page_of(evaluation: Evaluation, examples: Mapping[str, Sequence[bytes]]) -> str:
    """The page's text; arguments as for `write_page`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters.update({**FILTERS, "unbroken": shares.unbroken})
    names, counts = pictures.confusion_rows(evaluation)
    return environment.get_template("evaluation.html.j2").render(
        e=evaluation,
        headline=headline(evaluation),
        theme=Markup(charts.theme()),
        created=f"{moment(datetime.fromisoformat(evaluation.predictions.created), UTC)} UTC",
        thresholds=_thresholds(evaluation),
        charts=_charts(evaluation),
        confusion=[(name, _cells(row)) for name, row in zip(names, counts.tolist(), strict=True)],
        neither=NEITHER,
        report=REPORT,
        kinds={group: _kinds(figures) for group, figures in evaluation.strangers.items()},
        examples={
            label: [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images]
            for label, images in examples.items()
        },
    )


def headline(evaluation: Evaluation) -> str:
    """What happens at the threshold that counts, the configured one if it is known, in one sentence for a manager."""
    there = evaluation.configured or evaluation.recommendation.found
    if there is None:
        return evaluation.recommendation.sentence + "."
    if there.accepted == 0:
        return f"At the threshold {there.threshold:g} the model decides no photo by itself."
    which = "configured" if there is evaluation.configured else "recommended"
    return (
        f"At the {which} threshold {there.threshold:g} the model decides {shares.percent(there.coverage)} of vehicle "
        f"photos by itself; {shares.percent(there.error_rate, tenths=True)} of these decisions are wrong, "
        f"at most {shares.at_most(there.bound)} ({100 * evaluation.confidence:g} % sure)."
    )


def _kinds(figures: StrangerFigures) -> tuple[list[tuple[str, Mapping[str, int]]], list[str]]:
    """Kinds of which a picture is routed, most first, and the names of all others."""
    routed = {kind: max(each.get("configured", 0), each.get("recommended", 0)) for kind, each in figures.kinds.items()}
    through = sorted((kind for kind, count in routed.items() if count), key=lambda kind: (-routed[kind], kind))
    return [(kind, figures.kinds[kind]) for kind in through], [kind for kind, count in routed.items() if not count]


def _cells(photos: Sequence[int]) -> list[tuple[int, str, float]]:
    """Photos of a row with their part of it, as text and as a number."""
    texts = map(shares.unbroken, shares.percentages(photos))
    return [(count, text, count / max(1, sum(photos))) for count, text in zip(photos, texts, strict=True)]


def _thresholds(evaluation: Evaluation) -> list[tuple[str, Acceptance, list[tuple[str, Routed]]]]:
    """What is called how, what it does to vehicles, and what to each group of strangers."""
    found, configured = evaluation.recommendation.found, evaluation.configured
    named = [("configured", configured), ("recommended", found)]
    if found and configured and found.threshold == configured.threshold:
        named = [("configured and recommended", configured)]
    return [
        (
            name,
            at,
            [
                (group, routed)
                for group, figures in evaluation.strangers.items()
                if (routed := figures.recommended if name == "recommended" else figures.configured)
            ],
        )
        for name, at in named
        if at
    ]


def _charts(evaluation: Evaluation) -> dict[str, Chart]:
    captions = {
        "risk_coverage": "Accepting more photos means accepting less sure ones. The bar on each mark reaches up to the "
        "upper bound of the share wrong there.",
        "thresholds": "Left of a threshold more photos are decided, and more wrong ones and strangers get through. "
        "Shaded is what reaches up to the upper bound.",
        "reliability": "Dots on the dashed line: the model is right as often as it says. Below it, it is too sure.",
        "confidence": "How sure the model was of the photos that it got right, and of those that it did not.",
    }
    drawn: dict[str, Chart] = {}
    for name, caption in captions.items():
        paint, (width, height) = pictures.PICTURES[name]
        figure = charts.draw(
            lambda figure, paint=paint: paint(figure, evaluation),
            (WIDTH, WIDTH * height / width),
            axes_grid_axis="both",
        )
        # the page has its own type for titles, which does not shrink with the picture
        title = figure.axes[0].get_title(loc="left")
        figure.axes[0].set_title("", loc="left")
        drawn[name] = Chart(title, Markup(charts.themed_svg(figure, name, caption)), caption)
    return drawn
