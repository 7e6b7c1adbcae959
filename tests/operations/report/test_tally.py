import json
import tracemalloc
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from operations.captures.period import epoch_microseconds
from operations.captures.records import Batch
from operations.report import figures
from operations.report.decisions import DecisionIndex
from operations.report.tally import POINTS, THUMBNAILS, Tally
from tests.operations.builders import START, decisions, some_records

UTC = ZoneInfo("UTC")


def batch_of(records) -> Batch:
    return Batch(
        np.array([epoch_microseconds(datetime.fromisoformat(r["eventMetadata"]["inferenceTime"])) for r in records]),
        np.array([json.loads(r["captureData"]["endpointOutput"]["data"]) for r in records]),
        [r["eventMetadata"]["inferenceId"] for r in records],
        [("BASE64", f"picture {r['eventMetadata']['inferenceId']}") for r in records],
    )


def tally_of(records, size=64, **kwargs) -> Tally:
    tally = Tally(2, 0.8, **({"zone": UTC} | kwargs))
    for start in range(0, len(records), size):
        tally.add(batch_of(records[start : start + size]))
    return tally


def test_every_photo_is_counted_by_label_and_by_the_inclusive_threshold():
    tally = Tally(2, 0.8, UTC)
    scores = np.array([[0.8, 0.2], [0.7999, 0.2001], [0.1, 0.9], [0.5, 0.5]])
    tally.add(Batch(np.full(4, epoch_microseconds(START)), scores, list("abcd"), [None] * 4))
    assert tally.confidences.sum(axis=2).tolist() == [[2, 1], [0, 1]]
    assert tally.count == 4


def test_the_recorded_decision_stands_against_the_threshold_of_today():
    records = some_records(10)
    rows = [row | {"decision": "review"} for row in decisions(records)][:4]
    tally = tally_of(records, decisions=DecisionIndex(rows))
    by_threshold = sum(max(json.loads(r["captureData"]["endpointOutput"]["data"])) < 0.8 for r in records[4:])
    assert int(tally.confidences[:, 0].sum()) == 4 + by_threshold
    assert tally.decided == 4


def test_latency_is_from_the_inference_to_its_decision():
    records = some_records(100)
    tally = tally_of(records, decisions=DecisionIndex(decisions(records, seconds=3.0)))
    latency = figures.latency(tally.latency, "x")
    assert latency is not None
    assert latency.count == 100
    assert latency.median == pytest.approx(3.0, rel=0.13)


def test_without_decisions_no_latency_is_invented():
    assert figures.latency(tally_of(some_records(20)).latency, "x") is None


def test_the_least_sure_photos_are_kept_with_their_pictures_least_first():
    records = some_records(500)
    tally = tally_of(records)
    lowest = sorted(max(json.loads(r["captureData"]["endpointOutput"]["data"])) for r in records)[:THUMBNAILS]
    assert [photo.confidence for photo in tally.least_sure] == lowest
    assert all(photo.picture == ("BASE64", f"picture {photo.inference_id}") for photo in tally.least_sure)


def test_the_sure_sample_holds_only_photos_that_were_routed():
    tally = tally_of(some_records(500))
    assert len(tally.sure) == THUMBNAILS
    assert all(photo.accepted for photo in tally.sure)


def test_of_few_photos_every_one_is_drawn_and_of_many_a_fair_draw():
    assert len(tally_of(some_records(100)).points) == 100
    many = tally_of(some_records(6000), size=1024).points
    assert len(many) == POINTS
    first_half = sum(photo.time < epoch_microseconds(START) + 24 * 3600 * 10**6 for photo in many)
    assert 0.42 < first_half / POINTS < 0.58
    assert all(photo.picture is None for photo in many)


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 8), ("Europe/London", 9), ("Asia/Kolkata", 13), ("America/New_York", 4)]
)
def test_hours_of_the_day_are_local(zone, hour):
    tally = tally_of(some_records(5, hours=0.01), zone=ZoneInfo(zone))
    assert tally.hours.sum(axis=1).nonzero()[0].tolist() == [hour]


def test_the_hour_follows_the_change_of_the_clocks():
    winter = datetime.fromisoformat("2026-10-25T00:30:00+00:00")
    records = some_records(1, start=winter) + some_records(1, start=winter.replace(hour=1), seed=2)
    tally = tally_of(records, zone=ZoneInfo("Europe/London"))
    assert tally.hours.sum(axis=1).nonzero()[0].tolist() == [1]  # 01:30 twice
    assert tally.hours.sum() == 2


def test_how_the_records_are_cut_into_batches_makes_no_difference_to_the_counts():
    records = some_records(700)
    one, other = tally_of(records, size=3), tally_of(records, size=700)
    assert np.array_equal(one.confidences, other.confidences)
    assert np.array_equal(one.hours, other.hours)
    assert one.least_sure == other.least_sure
    first, second = one.series.windows(48, 20), other.series.windows(48, 20)
    assert [(w.start, w.count, w.review) for w in first] == [(w.start, w.count, w.review) for w in second]


def test_memory_does_not_grow_with_the_number_of_records():
    draw = np.random.default_rng(1)
    tally = Tally(2, 0.8, UTC)

    def feed(first: int, count: int) -> None:
        for start in range(first, first + count, 1000):
            confidence = 0.5 + draw.random(1000) / 2
            times = epoch_microseconds(START) + np.arange(start, start + 1000) * 1_000_000
            tally.add(
                Batch(
                    times,
                    np.column_stack([confidence, 1 - confidence]),
                    [f"{number:032x}" for number in range(start, start + 1000)],
                    [("BASE64", "x" * 3000)] * 1000,
                )
            )

    feed(0, 100_000)
    tracemalloc.start()
    feed(100_000, 100_000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tally.count == 200_000
    assert grown < 3_000_000


def test_the_rarest_of_many_classes_are_drawn_together():
    tally = Tally(9, 0.5, UTC)
    draw = np.random.default_rng(3)
    scores = draw.dirichlet(np.r_[np.full(4, 3.0), np.full(5, 0.1)], 400)
    tally.add(Batch(np.full(400, epoch_microseconds(START)), scores, [None] * 400, [None] * 400))
    drawn = figures.confidence_by_class(tally, [f"c{i}" for i in range(9)])
    assert drawn.labels[:4] == ["c0", "c1", "c2", "c3"]
    assert drawn.labels[-1] == figures.OTHERS and len(drawn.labels) == 6
    assert sum(map(sum, drawn.routed)) + sum(map(sum, drawn.review)) == 400
