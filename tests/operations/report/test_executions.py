from datetime import timedelta

from contract.photos import StoredObject, inference_id
from operations.captures.period import Period
from operations.report import executions
from operations.report.decisions import Decisions
from operations.report.executions import MOST_DESCRIBED, NOT_LOOKED_UP, read_executions
from operations.report.faults import EXAMPLES, faults_by_error
from tests.operations.builders import MACHINE, START, Cloud


def executions_of(cloud, period=None, for_people=frozenset()):
    return read_executions(cloud, MACHINE, period or Period(), for_people)


def test_a_fault_has_its_time_its_photo_its_error_and_its_cause():
    cloud = Cloud()
    cloud.run(1, error="InvalidImage", cause="the photo is damaged")
    cloud.run(2, status="TIMED_OUT")
    cloud.run(3, "accepted")
    found = executions_of(cloud)
    assert [(fault.error, fault.message, fault.object) for fault in found.faults] == [
        ("InvalidImage", "the photo is damaged", "photos/incoming/1.png"),
        ("TIMED_OUT", "", "photos/incoming/2.png"),
    ]
    assert found.faults[0].time == START + timedelta(seconds=3)
    assert found.by_status == {"FAILED": 1, "TIMED_OUT": 1, "SUCCEEDED": 1}


def test_only_failures_that_no_decision_explains_are_looked_up():
    cloud = Cloud()
    cloud.run(1, "review")
    cloud.run(2, "neither")
    cloud.run(3, error="InvalidImage")
    rows = [row | {"decided_at": START.isoformat(), "inference_id": f"{n}"} for n, row in enumerate(cloud.rows)]
    found = executions_of(cloud, for_people=Decisions(rows).for_people)
    assert cloud.asked == [f"{MACHINE}:3"]
    assert len(found.faults) == 1 and len(found.seconds) == 2


def test_a_failure_by_design_without_a_decision_is_no_fault():
    cloud = Cloud()
    cloud.run(1, error="ThresholdNotMet")
    found = executions_of(cloud)
    assert found.faults == []
    assert found.unrecorded == {inference_id(StoredObject("photos", "incoming/1.png", "")): "review"}


def test_only_executions_that_started_in_the_period_count():
    cloud = Cloud()
    for number in (0, 10, 20):
        cloud.run(number, error="InvalidImage")
    found = executions_of(cloud, Period(START + timedelta(seconds=5), START + timedelta(seconds=20)))
    assert [fault.object for fault in found.faults] == ["photos/incoming/10.png"]


def test_of_a_long_history_the_newest_executions_are_read(monkeypatch):
    monkeypatch.setattr(executions, "MOST_EXECUTIONS", 3)
    cloud = Cloud()
    for number in range(4):
        cloud.run(number, error="InvalidImage")
    found = executions_of(cloud)
    assert found.cut and [fault.object for fault in found.faults] == [f"photos/incoming/{n}.png" for n in (1, 2, 3)]


def test_beyond_so_many_failures_the_errors_of_the_oldest_are_not_looked_up():
    cloud = Cloud()
    for number in range(MOST_DESCRIBED + 3):
        cloud.run(number, error="InvalidImage")
    found = executions_of(cloud)
    assert len(cloud.asked) == MOST_DESCRIBED
    assert [fault.error for fault in found.faults].count(NOT_LOOKED_UP) == 3
    assert {fault.error for fault in found.faults[:3]} == {NOT_LOOKED_UP}


def test_an_execution_of_somebody_else_s_input_is_a_fault_without_a_photo():
    cloud = Cloud()
    cloud.run(1, error="InvalidEvent")
    for text in ("[]", "{}", "not json", None):
        cloud.described[f"{MACHINE}:1"]["input"] = text
        (fault,) = executions_of(cloud).faults
        assert (fault.object, fault.inference_id) == ("", None)


def test_faults_are_grouped_by_error_the_most_frequent_first_with_their_latest_examples():
    cloud = Cloud()
    for number in range(5):
        cloud.run(number, error="InvalidImage")
    cloud.run(9, error="ImageTooLarge")
    first, second = faults_by_error(executions_of(cloud).faults)
    assert (first.error, first.count, first.share) == ("InvalidImage", 5, "83 %")
    assert (second.error, second.count, second.share) == ("ImageTooLarge", 1, "17 %")
    assert [fault.object for fault in first.examples] == [f"photos/incoming/{n}.png" for n in (4, 3, 2)][:EXAMPLES]
    assert first.latest == first.examples[0].time
