"""The style of charts: the same figure gives the same bytes, and settings reach it; its colours are the page's."""

import re
from pathlib import Path

import pytest
from matplotlib import colors

from contract import charts

ROOT = Path(__file__).parents[2]


def a_figure(**changes):
    def paint(figure):
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=charts.RIGHT)
        axes.set_title("A title")

    return charts.draw(paint, (4, 3), **changes)


def test_the_same_figure_gives_the_same_bytes():
    assert charts.to_png(a_figure(), dpi=50) == charts.to_png(a_figure(), dpi=50)
    assert charts.to_svg(a_figure(), "a") == charts.to_svg(a_figure(), "a")


def test_a_drawing_names_no_version_of_what_drew_it():
    assert b"Software" not in charts.to_png(a_figure(), dpi=50)
    assert "<dc:date>" not in charts.to_svg(a_figure(), "a")


def test_text_in_an_svg_stays_text():
    assert ">A title</text>" in charts.to_svg(a_figure(), "a")


def test_a_setting_of_one_figure_is_no_other_s():
    assert a_figure(axes_titlesize=14).axes[0].title.get_fontsize() == 14
    assert a_figure().axes[0].title.get_fontsize() == charts.STYLE["axes.titlesize"]


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_is_told_from_the_card_and_from_each_other_in_both_themes(dark):
    values = {name: both[dark] for name, both in charts.THEMES.items()}
    drawn = [name for name in values if name not in ("page", "card", "grid", "ink", "muted")]
    for name in (*drawn, "ink", "muted"):
        least = 1.5 if name == "other" else 4.5 if name in ("ink", "muted") else 2.2
        assert contrast(values[name], values["card"]) >= least, name
    shades = [values[name] for name in drawn]
    assert len(set(shades)) == len(shades)


def contrast(first: str, second: str) -> float:
    """As WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_a_drawing_in_a_page_has_no_colour_that_its_theme_does_not_give():
    svg = charts.themed_svg(a_figure(), "a", "what it shows")
    assert "var(--accepted)" in svg
    assert not set(re.findall(r"#[0-9a-f]{6}\b", svg)) & {light for light, _ in charts.THEMES.values()}


@pytest.mark.parametrize(
    "sheet", ["operations/report/templates/report.css", "training/evaluation/templates/evaluation.css"]
)
def test_a_page_uses_only_colours_of_the_theme_and_has_none_of_its_own(sheet):
    text = (ROOT / sheet).read_text()
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", text)) - {"depth"} <= set(charts.THEMES)
    assert not re.findall(r"#[0-9a-f]{3,8}\b", text)
