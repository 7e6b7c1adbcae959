"""The report as one HTML page that needs nothing else, and its pictures as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from operations.captures.records import Picture
from operations.report import canvas, pictures, words
from operations.report.summary import Summary
from operations.report.thumbnails import data_uri

TEMPLATES = Path(__file__).parent / "templates"


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
    found: list[Drawn] = []

    def add(name: str, title: str, caption: str, alternative: str, figure: Figure) -> None:
        found.append(Drawn(name, title, caption, alternative, figure))

    if (confidence := summary.confidence_over_time) is not None:
        shown = len(confidence.times)
        drawn = f"{words.number(shown)} of {words.number(confidence.drawn_of)} photos, drawn at random"
        band = "" if len(confidence.window_times) < 2 else (
            " The line is the middle photo of each stretch of time, the band around it the middle 80 %."
        )  # fmt: skip
        add(
            "confidence-over-time",
            "How sure the model was, over time",
            "Each dot is a photo. Dots above the dashed line were routed automatically, those below went"
            " to people." + band + (f" Shown: {drawn}." if shown < confidence.drawn_of else ""),
            f"Confidence of {words.number(shown)} photos over time with the threshold at"
            f" {summary.threshold:g}: {words.number(sum(confidence.accepted))} routed,"
            f" {words.number(shown - sum(confidence.accepted))} sent to people.",
            canvas.draw(pictures.confidence_over_time(confidence, zone)),
        )
    if (rate := summary.review_rate) is not None:
        outside = len(rate.outside)
        add(
            "review-rate",
            "How many photos people had to look at",
            "The grey band is where the rate would stay by chance alone: exact binomial limits around the"
            " usual rate, that of the windows inside them; of 1,000 quiet windows about 3 fall outside. "
            + (
                "One window only: there is nothing to compare it with yet."
                if len(rate.counts) == 1
                else "All windows are inside it: nothing unusual."
                if not outside
                else f"{outside} of {len(rate.counts)} windows are outside it (red): ask what happened then."
            ),
            f"Share of photos sent to people in {len(rate.counts)} windows, {words.percent(rate.centre)}"
            f" overall, {outside} outside the control limits.",
            canvas.draw(pictures.review_rate(rate, zone)),
        )
    if (by_class := summary.confidence_by_class) is not None:
        add(
            "confidence-by-class",
            "How sure the model was, per class",
            "Bars on the right are photos that the model was sure of. A hump near the dashed line means"
            " that a small change of the threshold moves many photos.",
            "Histograms of confidence per predicted class: "
            + ", ".join(
                f"{label} {words.number(sum(routed) + sum(review))} photos"
                for label, routed, review in zip(by_class.labels, by_class.routed, by_class.review, strict=True)
            )
            + ".",
            canvas.draw(
                pictures.confidence_by_class(by_class),
                height=max(canvas.HEIGHT, 0.9 + 1.05 * len(by_class.labels)),
            ),
        )
    if (mix := summary.classes_over_time) is not None:
        add(
            "classes-over-time",
            "What came through the gate",
            "The share of each class among the photos of each stretch of time, as the model saw it,"
            " whether sure or not. Stretches without a photo stay empty.",
            f"Share of each class in {len(mix.counts)} windows: {', '.join(mix.labels)}.",
            canvas.draw(pictures.classes_over_time(mix, zone)),
        )
    if (hours := summary.confidence_by_hour) is not None:
        add(
            "confidence-by-hour",
            "How sure the model was, by hour of the day",
            "The darker a cell, the more of that hour's photos had that confidence (time zone"
            f" {hours.zone}). The marks are the middle photo and the middle 80 %. Hours that sink, at dusk"
            " for instance, are where a lamp may help more than a new model.",
            f"Heat map of confidence by hour of the day in {hours.zone}; {len(hours.hours)} hours have"
            " enough photos for quantiles.",
            canvas.draw(pictures.confidence_by_hour(hours)),
        )
    if (latency := summary.latency) is not None:
        add(
            "latency",
            "How long a decision took",
            f"Measured: {latency.measured}. {words.number(latency.count)} decisions; 99 % within"
            f" {words.duration(latency.p99)} (to within 12 %).",
            f"Histogram of decision times: half within {words.duration(latency.median)},"
            f" 95 % within {words.duration(latency.p95)}.",
            canvas.draw(pictures.latency(latency)),
        )
    if summary.drift is not None and any(window.verdict != "too few" for window in summary.drift.windows):
        add(
            "drift",
            "Distance from the evaluation",
            "Each bar shows how far the photos of a window are from those of the evaluation (population"
            " stability index). A bar above its limit line is red: too far for chance, given the number"
            " of photos, and far enough to matter.",
            "Population stability index of confidences and class mix per window against its limit:"
            f" {summary.drift_verdict}.",
            canvas.draw(pictures.drift(summary.drift, zone), height=3.6),
        )
    return found


def render(
    summary: Summary,
    drawn: Sequence[Drawn],
    thumbnails: tuple[Sequence[Picture | None], Sequence[Picture | None]],
    zone: ZoneInfo,
) -> str:
    """The page. `thumbnails` are the captured inputs of the least sure photos and of the sure sample."""

    def local_time(value: datetime) -> str:
        return words.moment(value, zone)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number,
        percent=words.percent,
        duration=words.duration,
        moment=local_time,
    )
    return environment.get_template("report.html.j2").render(
        s=summary,
        pictures={
            one.name: {
                "name": one.name,
                "title": one.title,
                "caption": one.caption,
                "svg": Markup(canvas.to_svg(one.figure, one.name, one.alternative)),
            }
            for one in drawn
        },
        least_sure=list(zip(summary.least_sure, map(data_uri, thumbnails[0]), strict=True)),
        sure_sample=list(zip(summary.sure_sample, map(data_uri, thumbnails[1]), strict=True)),
    )


def write(folder: Path, html: str, drawn: Sequence[Drawn]) -> Path:
    """Write `index.html` and a PNG per picture to the folder; return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in drawn:
        (folder / f"{one.name}.png").write_bytes(canvas.to_png(one.figure))
    page = folder / "index.html"
    page.write_text(html, encoding="utf-8")
    return page
