import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates
import numpy as np
import pytest

from contract.baseline import parse_baseline
from operations.report import canvas, figures, pictures
from operations.report.drift import measure_drift
from operations.report.figures import Latency, ReviewRate
from tests.operations.builders import CLASSES, START, baseline, some_records
from tests.operations.report.test_tally import tally_of

UTC = ZoneInfo("UTC")


@pytest.fixture(scope="module")
def tally():
    return tally_of(some_records(900, hours=30, drift_from=0.6))


@pytest.fixture(scope="module")
def windows(tally):
    return tally.series.windows(48, 20)


def labels_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def bars_of(axes, label):
    (container,) = [one for one in axes.containers if one.get_label() == label]
    return [patch.get_height() for patch in container.patches]


def test_a_dot_is_drawn_for_every_photo_in_the_colour_of_its_decision(tally, windows):
    data = figures.confidence_over_time(tally, windows)
    axes = canvas.draw(pictures.confidence_over_time(data, UTC)).axes[0]
    dots = {
        one.get_label(): one.get_offsets()
        for one in axes.collections
        if one.get_label() in ("routed", "sent to people")
    }
    accepted = np.array(data.accepted)
    assert dots["routed"][:, 1].tolist() == np.array(data.confidences)[accepted].tolist()
    assert dots["sent to people"][:, 1].tolist() == np.array(data.confidences)[~accepted].tolist()
    assert dots["routed"][0, 0] == pytest.approx(mdates.date2num(np.array(data.times)[accepted][0]))
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert list(lines["threshold 0.8"]) == [0.8, 0.8]
    assert list(lines["middle photo"]) == data.median


def test_the_band_is_the_middle_80_percent_of_each_window(tally, windows):
    data = figures.confidence_over_time(tally, windows)
    values = sorted(
        photo.confidence
        for photo in tally.points
        if windows[0].start.timestamp() * 1e6 <= photo.time < windows[0].end.timestamp() * 1e6
    )
    assert data.low[0] == pytest.approx(np.quantile(values, 0.1), abs=0.03)
    assert data.high[0] == pytest.approx(np.quantile(values, 0.9), abs=0.03)


def test_the_histograms_hold_every_photo_of_their_class(tally):
    data = figures.confidence_by_class(tally, CLASSES)
    figure = canvas.draw(pictures.confidence_by_class(data))
    assert len(figure.axes) == 2
    for axes, label, routed, review in zip(figure.axes, CLASSES, data.routed, data.review, strict=True):
        assert bars_of(axes, "routed") == routed
        assert bars_of(axes, "sent to people") == review
        assert axes.get_title(loc="left") == f"{label}: {sum(routed) + sum(review)}"
    assert sum(map(sum, data.routed)) + sum(map(sum, data.review)) == 900
    below = [count for edge, count in zip(data.edges[:-1], data.routed[0], strict=True) if edge < 0.79]
    assert sum(below) == 0


def test_the_stacked_shares_reach_the_whole(tally, windows):
    data = figures.classes_over_time(tally, windows, CLASSES)
    axes = canvas.draw(pictures.classes_over_time(data, UTC)).axes[0]
    assert np.allclose(np.add(bars_of(axes, "bicycle"), bars_of(axes, "motorcycle")), 1)
    assert bars_of(axes, "bicycle") == pytest.approx(data.shares[0])
    assert sum(data.counts) == 900


def test_the_heat_map_has_a_cell_for_every_hour_and_confidence_that_occurred(tally):
    data = figures.confidence_by_hour(tally)
    axes = canvas.draw(pictures.confidence_by_hour(data)).axes[0]
    cells = {(round(p.get_x()), round(p.get_y(), 2)) for p in axes.patches}
    expected = {
        (hour, data.edges[index]) for hour, row in enumerate(data.counts) for index, count in enumerate(row) if count
    }
    assert cells == expected
    assert sum(map(sum, data.counts)) == 900
    assert "(UTC)" in axes.get_xlabel()


def test_windows_outside_their_limits_are_marked(windows):
    data = figures.review_rate(windows, 0.05)
    figure = canvas.draw(pictures.review_rate(data, UTC))
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["sent to people"].get_ydata()) == data.rates
    assert list(lines["outside the limits"].get_ydata()) == [data.rates[index] for index in data.outside]
    assert data.outside and all(data.starts[index] >= START + timedelta(hours=17) for index in data.outside)
    assert set(lines["at evaluation 5 %"].get_ydata()) == {0.05}
    assert set(lines[f"usual rate {100 * data.centre:.0f} %"].get_ydata()) == {data.centre}


def test_without_a_baseline_or_an_outlier_neither_is_drawn():
    data = ReviewRate([START], [START + timedelta(hours=1)], [20], [0.1], 0.1, [0.0], [0.4], [], None)
    names = labels_of(canvas.draw(pictures.review_rate(data, UTC)))
    assert names == ["control limits", "usual rate 10 %", "sent to people"]


def test_latency_is_drawn_on_a_logarithmic_axis_with_its_quantiles():
    data = Latency("x", [0.1, 0.3, 1.0, 3.0], [5, 20, 1], 26, 0.5, 0.9, 2.0)
    axes = canvas.draw(pictures.latency(data)).axes[0]
    assert axes.get_xscale() == "log"
    assert bars_of(axes, "decisions") == [5, 20, 1]
    assert [line.get_label() for line in axes.lines] == ["half within 500 ms", "95 % within 900 ms"]


def test_a_changed_window_is_red_and_each_has_its_limit(tally):
    drift = measure_drift(parse_baseline(baseline()), tally.series.windows(30, 60), CLASSES)
    axes = canvas.draw(pictures.drift(drift, UTC)).axes[0]
    changed = [w.confidence_psi.value for w in drift.windows if w.confidence_psi.changed]
    assert changed
    assert bars_of(axes, "changed") == pytest.approx(changed)
    (limits,) = [one for one in axes.collections if one.get_label() == "limit"]
    assert len(limits.get_segments()) == len(drift.windows)


def test_a_single_photo_can_be_drawn():
    one = tally_of(some_records(1))
    windows = one.series.windows(48, 20)
    assert len(windows) == 1
    for paint in (
        pictures.confidence_over_time(figures.confidence_over_time(one, windows), UTC),
        pictures.review_rate(figures.review_rate(windows, None), UTC),
        pictures.classes_over_time(figures.classes_over_time(one, windows, CLASSES), UTC),
        pictures.confidence_by_class(figures.confidence_by_class(one, CLASSES)),
        pictures.confidence_by_hour(figures.confidence_by_hour(one)),
    ):
        assert canvas.to_png(canvas.draw(paint)).startswith(b"\x89PNG")


def test_the_svg_follows_the_theme_and_its_ids_are_its_own(tally, windows):
    figure = canvas.draw(pictures.review_rate(figures.review_rate(windows, None), UTC))
    svg = canvas.to_svg(figure, "review-rate", 'less < "more" & so on')
    assert svg.startswith("<svg viewBox=")
    assert 'aria-label="less &lt; &quot;more&quot; &amp; so on"' in svg
    assert "var(--review)" in svg
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) == set()
    ids = re.findall(r'\bid="([^"]*)"', svg)
    assert ids and all(one.startswith("review-rate-") for one in ids)
    assert all(one in ids for one in re.findall(r'(?:href="#|url\(#)([^")]*)', svg))


def test_the_same_figure_gives_the_same_bytes(windows):
    first, second = (canvas.draw(pictures.review_rate(figures.review_rate(windows, None), UTC)) for _ in range(2))
    assert canvas.to_svg(first, "a", "a") == canvas.to_svg(second, "a", "a")
    assert canvas.to_png(first) == canvas.to_png(second)
