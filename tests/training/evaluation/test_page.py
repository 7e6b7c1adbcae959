"""The evaluation's page: one file, the right sentence first, readable on a desktop, a phone and in the dark."""

from __future__ import annotations

import base64
import re

import pytest

from contract.charts import draw
from contract.shares import at_most, unbroken
from tests.assertions import at_least_one
from tests.browser import browse
from tests.training.evaluation.evidence_builders import predictions, some_predictions
from tests.training.evaluation.test_findings import with_strangers
from training.evaluation.findings import evaluate
from training.evaluation.page import headline, page_of
from training.evaluation.pictures import paint_thresholds


def test_the_headline_says_what_the_configured_threshold_does():
    text = headline(evaluate(predictions([[0.9, 0.1], [0.95, 0.05], [0.6, 0.4]], [0, 1, 1]), configured=0.8))
    assert text.startswith(
        "At the configured threshold 0.8 the model decides 67 % of vehicle photos by itself; 50.0 % of"
    )


def test_without_a_configured_threshold_it_says_the_recommended_one():
    evaluation = evaluate(some_predictions())
    found = evaluation.recommendation.found
    assert headline(evaluation).startswith(f"At the recommended threshold {found.threshold:g} the model decides ")


def test_without_any_threshold_it_says_why():
    evaluation = evaluate(some_predictions(20))
    assert headline(evaluation) == evaluation.recommendation.sentence + "."


def test_a_threshold_that_decides_nothing_is_said():
    evaluation = evaluate(predictions([[0.6, 0.4]], [0]), configured=0.99)
    assert headline(evaluation) == "At the threshold 0.99 the model decides no photo by itself."


def test_the_page_needs_nothing_else_and_links_to_the_report():
    page = page_of(evaluate(with_strangers(), configured=0.8), {"bicycle": [b"png"]})
    assert re.findall(r'(?:src|href)="((?!#|data:)[^"]*)"', page) == ["../report/index.html"]
    assert base64.b64encode(b"png").decode() in page
    assert "url(http" not in page and "@import" not in page


def test_names_are_escaped():
    page = page_of(evaluate(some_predictions(40, ("<b>", "a&b")), configured=0.8), {})
    assert "<b>," not in page and "&lt;b&gt;" in page


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (375, False), (1200, True)])
def test_it_shows_at_every_width_without_scrolling_sideways_or_asking_the_network(width, dark):
    evaluation = evaluate(with_strangers(), configured=0.8)
    shown = browse(page_of(evaluation, {"bicycle": [], "neither": []}), width, dark=dark)
    assert shown.facts["scrollWidth"] <= shown.facts["width"]
    assert shown.facts["heading"] == unbroken(headline(evaluation))
    assert len(shown.facts["pictures"]) == 4
    assert all(each["label"] and each["role"] == "img" and each["height"] > 100 for each in shown.facts["pictures"])
    assert shown.facts["smallestText"] > 6
    assert "Strangers: pictures of none of the classes" in shown.facts["text"]
    assert "None routed: " in shown.facts["text"] or "Routed at" in shown.facts["text"]
    assert not shown.console and not [each for each in shown.requests if not each.startswith(("file:", "data:"))]
    channels = [int(each) for each in re.findall(r"\d+", shown.facts["background"])[:3]]
    assert (sum(channels) < 150) is dark


def test_a_page_without_strangers_does_not_speak_of_them():
    page = page_of(evaluate(some_predictions(), configured=0.8), {})
    assert "Strangers" not in page and "What it was trained on" not in page


def test_strangers_are_told_at_the_configured_and_at_the_recommended_threshold():
    evaluation = evaluate(with_strangers(), configured=0.5)
    page = page_of(evaluation, {})
    assert evaluation.recommendation.found.threshold != 0.5
    for name, at in (("configured", evaluation.configured), ("recommended", evaluation.recommendation.found)):
        tiles = page.partition(f"<h2>At the {name} threshold {at.threshold:g}</h2>")[2].partition("</section>")[0]
        for group, figures in at_least_one(evaluation.strangers.items()):
            routed = getattr(figures, name)
            assert f"Strangers routed, {group} kinds" in tiles
            assert f"{routed.routed} of {routed.photos}, at most {unbroken(at_most(routed.bound))}" in tiles


def test_a_threshold_that_is_both_configured_and_recommended_is_shown_once():
    found = evaluate(with_strangers()).recommendation.found
    page = page_of(evaluate(with_strangers(), configured=found.threshold), {})
    assert re.findall(r"<h2>At the (.*?) threshold", page) == ["configured and recommended"]


def test_the_legend_covers_neither_curve_nor_threshold():
    figure = draw(lambda figure: paint_thresholds(figure, evaluate(with_strangers(), configured=0.8)), (5, 4))
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert not figure.axes[0].get_window_extent().overlaps(legend.get_window_extent())
