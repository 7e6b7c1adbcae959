"""Inferences as data points: what CloudWatch is told, in which requests, and what it would refuse."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.captures import Inference
from handlers.observe import metrics

NOW = datetime(2026, 5, 3, 14, 20, 33, tzinfo=UTC)
CLASSES = ("bicycle", "motorcycle", "tulip")


def an_inference(*scores, time=NOW):
    return Inference("e", None, time, scores)


def a_tally(*inferences, threshold=0.8, classes=CLASSES):
    tally = metrics.MinuteCounts(classes, threshold)
    for inference in inferences:
        tally.add(inference)
    return tally


def points(tally, name, **dimensions):
    """Every (minute, value) of a metric, as often as it was counted."""
    found = Counter()
    for datum in tally.data({"Stack": "dev"}):
        given_ = {item["Name"]: item["Value"] for item in datum["Dimensions"]}
        if datum["MetricName"] == name and given_ == {"Stack": "dev", **dimensions}:
            for value, count in zip(datum["Values"], datum["Counts"], strict=True):
                found[datum["Timestamp"].strftime("%H:%M"), value] += int(count)
    return found


def test_confidence_margin_and_entropy_are_those_of_the_scores():
    tally = a_tally(an_inference(0.5, 0.25, 0.25), an_inference(0.0, 1.0, 0.0))
    assert points(tally, "Confidence") == {("14:20", 0.5): 1, ("14:20", 1.0): 1}
    assert points(tally, "Margin") == {("14:20", 0.25): 1, ("14:20", 1.0): 1}
    assert points(tally, "Entropy") == {("14:20", 1.5): 1, ("14:20", 0.0): 1}


def test_equal_values_of_a_minute_are_one_value_with_a_count():
    tally = a_tally(*[an_inference(0.9, 0.1, 0.0)] * 7)
    assert points(tally, "Confidence") == {("14:20", 0.9): 7}


def test_each_inference_counts_in_its_own_minute():
    tally = a_tally(an_inference(0.9, 0.1, 0.0, time=NOW - timedelta(minutes=2)), an_inference(0.7, 0.3, 0.0, time=NOW))
    assert points(tally, "Confidence") == {("14:18", 0.9): 1, ("14:20", 0.7): 1}
    assert tally.latest() == NOW.replace(second=0)


def test_below_the_threshold_is_one_and_at_the_threshold_is_zero():
    tally = a_tally(an_inference(0.8, 0.2, 0.0), an_inference(0.79, 0.21, 0.0), an_inference(1.0, 0.0, 0.0))
    assert points(tally, "BelowThreshold") == {("14:20", 0.0): 2, ("14:20", 1.0): 1}


def test_the_share_of_a_class_that_is_not_seen_is_zero_and_not_missing():
    tally = a_tally(an_inference(0.9, 0.1, 0.0), an_inference(0.1, 0.9, 0.0), an_inference(0.9, 0.1, 0.0))
    assert points(tally, "ClassShare", Class="bicycle") == {("14:20", 0.0): 1, ("14:20", 1.0): 2}
    assert points(tally, "ClassShare", Class="motorcycle") == {("14:20", 0.0): 2, ("14:20", 1.0): 1}
    assert points(tally, "ClassShare", Class="tulip") == {("14:20", 0.0): 3}


scores = st.lists(st.floats(0.001, 1), min_size=3, max_size=3).map(lambda raw: tuple(x / sum(raw) for x in raw))
moments = st.datetimes(datetime(2026, 5, 3), datetime(2026, 5, 3, 0, 9)).map(lambda t: t.replace(tzinfo=UTC))


@given(st.lists(st.tuples(scores, moments), max_size=40))
def test_every_metric_counts_every_inference_once(drawn):
    tally = a_tally(*(an_inference(*row, time=time) for row, time in drawn))
    per_metric = {name: sum(points(tally, name).values()) for name in ("Confidence", "Margin", "BelowThreshold")}
    assert set(per_metric.values()) == {len(drawn)}
    assert sum(sum(points(tally, "ClassShare", Class=label).values()) for label in CLASSES) == 3 * len(drawn)
    ones = [points(tally, "ClassShare", Class=label) for label in CLASSES]
    assert sum(count for found in ones for (_, value), count in found.items() if value == 1) == len(drawn)


@given(st.lists(st.tuples(scores, moments), max_size=40))
def test_nothing_that_is_published_is_negative_or_larger_than_it_can_be(drawn):
    for datum in a_tally(*(an_inference(*row, time=time) for row, time in drawn)).data({"Stack": "dev"}):
        assert all(0 <= value <= (1.585 if datum["MetricName"] == "Entropy" else 1) for value in datum["Values"])
        assert all(count > 0 for count in datum["Counts"])


def test_more_values_than_a_data_point_holds_go_into_several():
    spread = [an_inference(0.4 + i / 1000, 0.6 - i / 1000, 0.0) for i in range(200, 550)]
    data = [datum for datum in a_tally(*spread).data({"Stack": "dev"}) if datum["MetricName"] == "Confidence"]
    assert [len(datum["Values"]) for datum in data] == [150, 150, 50]


def data_points(sizes):
    return [{"MetricName": f"m{i}", "Values": [0.5] * size} for i, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 150), max_size=300).map(data_points))
def test_requests_hold_every_data_point_in_order_within_the_limits(data):
    requests = list(metrics.requests(data))
    assert [datum for request in requests for datum in request] == data
    for request in requests:
        assert 0 < len(request) <= 1000
        assert sum(len(datum["Values"]) or 1 for datum in request) <= 5000


def test_long_distributions_fill_a_request_up_to_five_thousand_values():
    assert [len(request) for request in metrics.requests(data_points([150] * 40))] == [33, 7]


def test_single_values_fill_a_request_up_to_a_thousand():
    data = [metrics.single("m", {}, NOW, 1) for _ in range(2500)]
    assert [len(request) for request in metrics.requests(data)] == [1000, 1000, 500]


@pytest.mark.parametrize(
    ("age", "fits"),
    [
        (timedelta(0), True),
        (timedelta(days=13, hours=23), True),
        (timedelta(days=14), False),
        (timedelta(hours=-1), True),
        (timedelta(hours=-2), False),
    ],
)
def test_data_points_that_cloudwatch_would_refuse_are_counted_and_left_out(age, fits):
    fit, refused = metrics.publishable([metrics.single("m", {}, NOW - age, 1)], NOW)
    assert (len(fit), refused) == ((1, 0) if fits else (0, 1))


def test_a_single_value_has_its_minute_its_dimensions_and_its_unit():
    assert metrics.single("Executions", {"Stack": "dev", "Outcome": "fault"}, NOW, 1, counts=True) == {
        "MetricName": "Executions",
        "Dimensions": [{"Name": "Stack", "Value": "dev"}, {"Name": "Outcome", "Value": "fault"}],
        "Timestamp": datetime(2026, 5, 3, 14, 20, tzinfo=UTC),
        "Value": 1,
        "Unit": "Count",
    }
