import tracemalloc
from datetime import datetime

import numpy as np
import pytest

from contract.decisions import OUTCOMES, outcome_of
from contract.errors import ForAPerson
from contract.photos import StoredObject, inference_id
from handlers.filter import Policy, decide
from operations.captures.period import Period, epoch_microseconds
from operations.captures.records import Batch
from operations.report.decisions import Decisions
from operations.report.executions import Executions, read_executions
from operations.report.photos import SHOWN, Collector, Photos
from tests.assertions import at_least_one
from tests.operations.builders import (
    LABELS,
    MACHINE,
    START,
    Cloud,
    decision_of,
    decisions,
    scores_of,
    some_records,
)


def batch_of(records) -> Batch:
    return Batch(
        np.array([epoch_microseconds(datetime.fromisoformat(r["eventMetadata"]["inferenceTime"])) for r in records]),
        np.array([scores_of(r) for r in records]),
        [r["eventMetadata"]["inferenceId"] for r in records],
        [("BASE64", f"picture {r['eventMetadata']['inferenceId']}") for r in records],
    )


def photos_of(records, size=64, threshold=0.8, neither=None, **kwargs) -> Photos:
    collector = Collector(threshold, neither, **kwargs)
    for start in range(0, len(records), size):
        collector.add(batch_of(records[start : start + size]))
    return collector.photos()


def outcomes_of(photos: Photos) -> list[str]:
    return [OUTCOMES[index] for index in photos.outcomes.tolist()]


def test_without_a_decision_the_inclusive_threshold_decides():
    collector = Collector(0.8, None)
    scores = np.array([[0.8, 0.2], [0.7999, 0.2001], [0.1, 0.9], [0.5, 0.5]])
    collector.add(Batch(np.full(4, epoch_microseconds(START)), scores, list("abcd"), [None] * 4))
    photos = collector.photos()
    assert outcomes_of(photos) == ["accepted", "review", "accepted", "review"]
    assert photos.labels.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("threshold", [0.4, 0.8, 1.0])
def test_without_a_decision_a_photo_is_what_the_filter_would_make_of_it(threshold):
    draw = np.random.default_rng(4)
    scores = np.round(draw.dirichlet([0.4, 0.4, 0.4], 300), 3)
    scores[:, 2] = 1 - scores[:, 0] - scores[:, 1]
    scores = np.vstack([np.abs(scores), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [threshold, 1 - threshold, 0.0]]])
    collector = Collector(threshold, LABELS.index("neither"))
    collector.add(Batch(np.full(len(scores), 1), scores, [None] * len(scores), [None] * len(scores)))
    expected = [filtered(row, threshold) for row in scores.tolist()]
    assert len(set(expected)) >= 2
    assert outcomes_of(collector.photos()) == expected


def filtered(scores, threshold) -> str:
    try:
        decide(scores, Policy(LABELS, {"bicycle": "bay 1", "motorcycle": "bay 2"}, threshold))
    except ForAPerson as error:
        return outcome_of("FAILED", type(error).__name__)
    return outcome_of("SUCCEEDED", None)


def test_the_recorded_decision_stands_against_the_threshold_of_today():
    records = some_records(10)
    rows = [row | {"decision": "neither"} for row in decisions(records)][:4]
    photos = photos_of(records, decisions=Decisions(rows))
    assert outcomes_of(photos) == ["neither"] * 4 + [decision_of(record) for record in records[4:]]
    assert (~np.isnan(photos.seconds)).tolist() == [True] * 4 + [False] * 6


def executions_of(cloud, for_people=frozenset()) -> Executions:
    return read_executions(cloud, MACHINE, Period(), for_people)


def record_of(key: str):
    """A sure photo of `key`."""
    (record,) = some_records(1)
    record["eventMetadata"]["inferenceId"] = inference_id(StoredObject("photos", key, ""))
    record["captureData"]["endpointOutput"]["data"] = "[0.99, 0.01]"
    return record


def test_a_photo_whose_execution_ended_in_a_fault_is_no_decided_photo():
    cloud = Cloud()
    cloud.run(1, error="ModelUnavailable", photo="incoming/1.png")
    photos = photos_of([record_of("incoming/1.png"), record_of("incoming/2.png")], executions=executions_of(cloud))
    assert len(photos) == 1 and outcomes_of(photos) == ["accepted"]


def test_a_photo_that_another_execution_decided_after_a_fault_is_decided():
    cloud, record = Cloud(), record_of("incoming/1.png")
    cloud.run(1, error="Throttled", photo="incoming/1.png")
    (row,) = decisions([record])
    found = photos_of([record], decisions=Decisions([row]), executions=executions_of(cloud))
    assert outcomes_of(found) == ["accepted"]
    (row,) = decisions([record])
    own = row | {"execution": f"{MACHINE}:1"}
    assert len(photos_of([record], decisions=Decisions([own]), executions=executions_of(cloud))) == 0


def test_without_a_record_how_the_execution_ended_stands_against_the_threshold_of_today():
    cloud = Cloud()
    cloud.run(1, error="NoneOfTheClasses", photo="incoming/1.png")
    photos = photos_of([record_of("incoming/1.png")], executions=executions_of(cloud))
    assert outcomes_of(photos) == ["neither"]


def test_the_least_sure_photos_are_kept_with_their_pictures_least_first():
    records = some_records(500)
    photos = photos_of(records)
    lowest = sorted(max(scores_of(record)) for record in records)[:SHOWN]
    assert [max(photo.scores) for photo in photos.least_sure] == lowest
    assert all(
        photo.picture == ("BASE64", f"picture {photo.inference_id}") for photo in at_least_one(photos.least_sure)
    )


def test_the_samples_hold_only_photos_of_their_outcome():
    photos = photos_of(some_records(500, strangers=0.2), neither=2)
    assert len(photos.sure) == SHOWN == len(photos.strangers)
    assert {photo.outcome for photo in photos.sure} == {"accepted"}
    assert {photo.outcome for photo in photos.strangers} == {"neither"}


def test_how_the_records_are_cut_into_batches_makes_no_difference():
    records = some_records(700, strangers=0.1)
    one, other = photos_of(records, size=3, neither=2), photos_of(records, size=700, neither=2)
    for column in ("times", "labels", "confidences", "outcomes"):
        assert np.array_equal(getattr(one, column), getattr(other, column))
    assert one.least_sure == other.least_sure


def test_photos_come_in_order_of_time_however_the_files_lie():
    records = some_records(40)
    assert photos_of(records[20:] + records[:20]).times.tolist() == sorted(photos_of(records).times.tolist())


def test_only_the_pictures_that_are_shown_are_kept():
    collector = Collector(0.8, None)
    draw = np.random.default_rng(1)
    tracemalloc.start()
    for start in range(0, 50_000, 1000):
        confidence = 0.5 + draw.random(1000) / 2
        times = epoch_microseconds(START) + np.arange(start, start + 1000) * 1_000_000
        ids = [f"{number:032x}" for number in range(start, start + 1000)]
        pictures = [("BASE64", "x" * 3000 + name) for name in ids]
        collector.add(Batch(times, np.column_stack([confidence, 1 - confidence]), ids, pictures))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(collector.photos()) == 50_000
    assert grown < 10_000_000  # the columns and a batch; with all pictures 150 MB
