import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates
import numpy as np
import pytest
from matplotlib import colors

from contract import charts
from contract.baseline import parse_baseline
from contract.decisions import OUTCOMES, WORDS
from operations.captures.records import Batch
from operations.report import canvas, figures, pictures
from operations.report.drift import measure_drift
from operations.report.figures import ReviewRate
from operations.report.photos import Collector
from operations.report.windows import cut, windows
from tests.assertions import at_least_one
from tests.operations.builders import LABELS, START, baseline, some_records
from tests.operations.report.test_photos import photos_of

UTC = ZoneInfo("UTC")


@pytest.fixture(scope="module")
def photos():
    return photos_of(some_records(900, hours=30, drift_from=0.6, strangers=0.1), neither=2)


@pytest.fixture(scope="module")
def seen(photos):
    return windows(photos, 3, 48, 20)


def labels_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def bars_of(axes, label):
    (container,) = [one for one in axes.containers if one.get_label() == label]
    return [patch.get_height() for patch in container.patches]


def ticks_of(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def band_of(axes, label):
    (band,) = [one for one in axes.collections if one.get_label() == label]
    return band.get_paths()[0].vertices


def test_a_bar_has_a_part_for_every_outcome(photos):
    outcomes = np.concatenate([photos.outcomes[:-40], np.full(40, OUTCOMES.index("fault"))])
    data = figures.outcomes_over_time(cut(photos.times, 48, 20), outcomes)
    axes = canvas.draw(pictures.outcomes_over_time(data, UTC)).axes[0]
    for outcome in OUTCOMES:
        assert bars_of(axes, WORDS[outcome]) == data.counts[outcome]
    assert sum(map(sum, data.counts.values())) == 900 and sum(data.counts["fault"]) == 40


def test_a_dot_is_drawn_for_every_photo_in_the_colour_of_its_outcome(photos):
    data = figures.confidence_over_time(photos, 0.8, [])
    axes = canvas.draw(pictures.confidence_over_time(data, UTC)).axes[0]
    dots = {one.get_label(): one for one in axes.collections}
    for outcome in figures.DRAWN:
        mine = [value for value, each in zip(data.confidences, data.outcomes, strict=True) if each == outcome]
        assert dots[WORDS[outcome]].get_offsets()[:, 1].tolist() == mine
        assert colors.to_hex(dots[WORDS[outcome]].get_facecolor()[0]) == charts.OUTCOME_COLOURS[outcome]
    assert {line.get_label(): list(line.get_ydata()) for line in axes.lines}["threshold 0.8"] == [0.8, 0.8]
    assert WORDS["fault"] not in dots


def test_the_moving_average_is_that_of_the_photos_before(photos):
    data = figures.confidence_over_time(photos, 0.8, [])
    assert data.averaged == 45
    assert data.averages[0] == pytest.approx(photos.confidences[:45].mean())
    assert data.averages[-1] == pytest.approx(photos.confidences[-45:].mean())
    assert len(set(data.average_times)) == len(data.average_times)
    axes = canvas.draw(pictures.confidence_over_time(data, UTC)).axes[0]
    (line,) = [one for one in axes.lines if one.get_label() == "average of 45"]
    assert list(line.get_ydata()) == data.averages


def test_bands_cover_the_whole_axis(photos, seen):
    fault = START + timedelta(hours=40)
    over_time = canvas.draw(
        pictures.confidence_over_time(figures.confidence_over_time(photos, 0.8, [fault]), UTC)
    ).axes[0]
    rate = canvas.draw(pictures.review_rate(figures.review_rate(seen, None), UTC)).axes[0]
    for axes, label in ((over_time, "middle 80 %"), (rate, "what chance explains")):
        across = band_of(axes, label)[:, 0]
        assert (across.min(), across.max()) == pytest.approx(axes.get_xlim())
    assert over_time.get_xlim()[1] == pytest.approx(mdates.date2num(fault))


def test_the_band_is_the_middle_80_percent_of_its_photos(photos):
    data = figures.confidence_over_time(photos, 0.8, [])
    inside = photos.confidences[: 900 // len(data.low)]
    assert data.low[0] == pytest.approx(np.quantile(inside, 0.1))
    assert data.high[0] == pytest.approx(np.quantile(inside, 0.9))


def test_the_histograms_hold_every_photo_of_their_label(photos):
    data = figures.confidence_by_class(photos, 0.8, LABELS)
    figure = canvas.draw(pictures.confidence_by_class(data))
    assert len(figure.axes) == 3
    assert sum(np.array(data.counts[outcome]).sum() for outcome in figures.DRAWN) == 900
    assert bars_of(figure.axes[0], "accepted") == data.counts["accepted"][0]
    assert bars_of(figure.axes[2], "strangers") == data.counts["neither"][2]
    below = [count for edge, count in zip(data.edges[:-1], data.counts["accepted"][0], strict=True) if edge < 0.79]
    assert sum(below) == 0


def test_the_rarest_of_many_classes_are_drawn_together():
    draw = np.random.default_rng(3)
    scores = draw.dirichlet(np.r_[np.full(4, 3.0), np.full(5, 0.1)], 400)
    collector = Collector(0.5, None)
    collector.add(Batch(np.full(400, 1), scores, [None] * 400, [None] * 400))
    drawn = figures.confidence_by_class(collector.photos(), 0.5, [f"c{i}" for i in range(9)])
    assert drawn.labels[:4] == ["c0", "c1", "c2", "c3"]
    assert drawn.labels[-1] == figures.OTHERS and len(drawn.labels) == 6
    assert sum(np.array(drawn.counts[outcome]).sum() for outcome in figures.DRAWN) == 400


def test_the_stacked_shares_reach_the_whole(seen):
    data = figures.classes_over_time(seen, LABELS)
    axes = canvas.draw(pictures.classes_over_time(data, UTC)).axes[0]
    assert np.allclose(np.sum([bars_of(axes, label) for label in LABELS], axis=0), 1)
    assert sum(data.counts) == 900


def test_a_box_shows_how_the_confidences_of_an_hour_are_distributed(photos):
    data = figures.confidence_by_hour(photos, 0.8, UTC)
    assert sum(hour.count for hour in data.hours) == 900
    first = data.hours[0]
    inside = photos.confidences[figures.local_hours(photos.times, UTC) == first.hour]
    assert first.quantiles == pytest.approx(np.quantile(inside, (0.1, 0.25, 0.5, 0.75, 0.9)))
    axes = canvas.draw(pictures.confidence_by_hour(data)).axes[0]
    box = axes.patches[0]
    assert (box.get_y(), box.get_y() + box.get_height()) == pytest.approx(first.quantiles[1:4:2])
    assert axes.get_xlabel() == "hour of the day (UTC)"


def test_of_an_hour_with_few_photos_each_is_drawn():
    data = figures.confidence_by_hour(photos_of(some_records(9, hours=3)), 0.8, UTC)
    assert {hour.quantiles for hour in data.hours} == {None}
    assert sum(len(hour.confidences) for hour in data.hours) == 9
    canvas.draw(pictures.confidence_by_hour(data))


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 8), ("Europe/London", 9), ("Asia/Kolkata", 13), ("America/New_York", 4)]
)
def test_hours_of_the_day_are_local(zone, hour):
    photos = photos_of(some_records(5, hours=0.01))
    assert set(figures.local_hours(photos.times, ZoneInfo(zone)).tolist()) == {hour}


def test_the_hour_follows_the_change_of_the_clocks():
    winter = datetime.fromisoformat("2026-10-25T00:30:00+00:00")
    records = some_records(1, start=winter) + some_records(1, start=winter.replace(hour=1), seed=2)
    hours = figures.local_hours(photos_of(records).times, ZoneInfo("Europe/London"))
    assert hours.tolist() == [1, 1]  # 01:30 twice


def test_windows_outside_their_limits_are_marked(seen):
    data = figures.review_rate(seen, 0.05)
    axes = canvas.draw(pictures.review_rate(data, UTC)).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["not accepted"].get_ydata()) == data.rates
    assert list(lines["outside"].get_ydata()) == [data.rates[index] for index in data.outside]
    assert data.outside and all(data.starts[index] >= START + timedelta(hours=17) for index in data.outside)
    assert set(lines["at evaluation 5 %"].get_ydata()) == {0.05}


def test_without_a_baseline_or_an_outlier_neither_is_drawn():
    data = ReviewRate([START], [START + timedelta(hours=1)], [20], [0.1], 0.1, [0.0], [0.4], [], None)
    names = labels_of(canvas.draw(pictures.review_rate(data, UTC)))
    assert names == ["what chance explains", "usual rate 10 %", "not accepted"]


def test_the_latency_axis_has_a_title_and_ticks_that_people_read():
    data = figures.latency([0.13, 0.2, 0.21, 0.4, 0.6, 1.3], "x")
    assert data is not None
    axes = canvas.draw(pictures.latency(data)).axes[0]
    assert axes.get_xscale() == "log"
    assert sum(bars_of(axes, "decisions")) == 6
    assert ticks_of(axes.xaxis) == ["100 ms", "200 ms", "500 ms", "1 s", "2 s"]
    assert axes.get_xlabel().startswith("time to a decision")


@pytest.mark.parametrize("seconds", [[0.3], [2.4] * 7, [0.1, 0.2, 9.0], list(np.linspace(0.2, 3000, 400))])
def test_no_quantile_lies_beyond_the_slowest_decision(seconds):
    data = figures.latency(seconds, "x")
    assert data is not None
    assert min(seconds) <= data.median <= data.p95 <= data.slowest == max(seconds)
    assert data.edges[0] <= min(seconds) and max(seconds) <= data.edges[-1]
    assert sum(data.counts) == len(seconds) == data.count


def test_without_a_measurement_no_latency_is_invented():
    assert figures.latency([], "x") is None
    assert figures.latency(photos_of(some_records(20)).seconds, "x") is None


def test_a_changed_window_is_red_and_each_has_its_limit(photos):
    compared = windows(photos, 3, 30, 60)
    drift = measure_drift(parse_baseline(baseline(strangers=0.1)), compared, LABELS)
    axes = canvas.draw(pictures.drift(drift, UTC)).axes[0]
    changed = [w.confidence_psi.value for w in drift.windows if w.confidence_psi.changed]
    assert changed
    assert bars_of(axes, "changed") == pytest.approx(changed)
    (limits,) = [one for one in axes.collections if one.get_label() == "limit"]
    assert len(limits.get_segments()) == len(drift.windows)


@pytest.mark.parametrize(
    ("hours", "zone", "labels", "title"),
    [
        (0.01, "UTC", ["08:00:00\n3 May", "08:00:10", "08:00:20", "08:00:30"], "time (UTC), 2026"),
        (6, "UTC", ["08:00\n3 May", "10:00", "12:00", "14:00"], "time (UTC), 2026"),
        (
            30,
            "Europe/London",
            ["12:00\n3 May", "18:00", "00:00\n4 May", "06:00", "12:00"],
            "time (Europe/London), 2026",
        ),
        (24 * 9, "UTC", ["4 May", "6 May", "8 May", "10 May", "12 May"], "time (UTC), 2026"),
        (24 * 300, "UTC", None, "time (UTC), 2026 to 2027"),
    ],
)
def test_a_time_axis_says_its_zone_and_year_and_has_round_ticks(hours, zone, labels, title):
    axes = canvas.draw(lambda figure: figure.subplots()).axes[0]
    canvas.time_axis(axes, [START, START + timedelta(hours=hours)], ZoneInfo(zone))
    assert axes.get_xlabel() == title
    found = ticks_of(axes.xaxis)
    assert 2 <= len(found) <= canvas.MOST_TICKS
    assert labels is None or found == labels


@pytest.mark.parametrize("seconds", [0, 1, 59, 3601, 86399, 86401, 5 * 86400, 31 * 86400, 800 * 86400])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_ticks_lie_on_the_axis_whatever_it_covers(seconds, zone):
    first = datetime(2026, 3, 7, 13, 11, 7, tzinfo=ZoneInfo(zone))
    last = first + timedelta(seconds=seconds)
    ticks = canvas.ticks_between(first, last)
    assert all(first <= tick <= last for tick in at_least_one(ticks)) and len(ticks) <= canvas.MOST_TICKS
    assert ticks == sorted(set(ticks)) and (len(ticks) >= 2 or seconds < 2)


def test_a_single_photo_can_be_drawn():
    one = photos_of(some_records(1))
    (window,) = seen = windows(one, 2, 48, 20)
    assert window.count == 1
    for paint in (
        pictures.outcomes_over_time(figures.outcomes_over_time(cut(one.times, 48, 20), one.outcomes), UTC),
        pictures.confidence_over_time(figures.confidence_over_time(one, 0.8, []), UTC),
        pictures.review_rate(figures.review_rate(seen, None), UTC),
        pictures.classes_over_time(figures.classes_over_time(seen, LABELS[:2]), UTC),
        pictures.confidence_by_class(figures.confidence_by_class(one, 0.8, LABELS[:2])),
        pictures.confidence_by_hour(figures.confidence_by_hour(one, 0.8, UTC)),
    ):
        assert canvas.to_png(canvas.draw(paint)).startswith(b"\x89PNG")


def test_no_colour_has_two_meanings():
    labels = [*(f"c{index}" for index in range(5)), "neither", figures.OTHERS]
    mine = pictures.class_colours(labels)
    meanings = [*charts.OUTCOME_COLOURS.values(), charts.NEUTRAL, charts.INK, charts.MUTED]
    assert len(set(mine)) == len(mine)
    assert set(mine) & set(meanings) == {charts.OUTCOME_COLOURS["neither"]}  # the label of strangers
    assert len(set(meanings)) == len(meanings)


def test_the_svg_follows_the_theme_and_its_ids_are_its_own(photos):
    data = figures.confidence_over_time(photos, 0.8, [START])
    svg = canvas.to_svg(canvas.draw(pictures.confidence_over_time(data, UTC)), "over-time", 'less < "more" & so on')
    assert svg.startswith("<svg viewBox=")
    assert 'aria-label="less &lt; &quot;more&quot; &amp; so on"' in svg
    assert all(f"var(--{outcome})" in svg for outcome in OUTCOMES)
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) == set()
    ids = re.findall(r'\bid="([^"]*)"', svg)
    assert ids and all(one.startswith("over-time-") for one in ids)
    assert all(one in ids for one in at_least_one(re.findall(r'(?:href="#|url\(#)([^")]*)', svg)))


def test_the_same_figure_gives_the_same_bytes(seen):
    first, second = (canvas.draw(pictures.review_rate(figures.review_rate(seen, None), UTC)) for _ in range(2))
    assert canvas.to_svg(first, "a", "a") == canvas.to_svg(second, "a", "a")
    assert canvas.to_png(first) == canvas.to_png(second)
