"""Ended executions and alarms, as Step Functions and CloudWatch tell of them."""

import json
from datetime import UTC, datetime

import pytest

from contract.errors import InvalidEvent
from handlers.observe.events import read_alarm, read_execution

STOPPED = 1_777_818_033_250


def an_execution(status="SUCCEEDED", **detail):
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "status": status,
            "stopDate": STOPPED,
            "output": None,
            "error": None,
            "cause": None,
            **detail,
        },
    }


def an_alarm(value="ALARM", **changes):
    state = {"value": value, "reason": "Threshold Crossed", "timestamp": "2026-05-03T14:20:33.250+0000"}
    return {
        "source": "aws.cloudwatch",
        "alarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:drift",
        "alarmData": {"alarmName": "drift", "state": {**state, **changes}},
    }


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        ("SUCCEEDED", None, "accepted"),
        ("FAILED", "ThresholdNotMet", "review"),
        ("FAILED", "NoneOfTheClasses", "neither"),
        ("FAILED", "InvalidImage", "fault"),
        ("FAILED", None, "fault"),
        ("TIMED_OUT", "ThresholdNotMet", "fault"),
        ("TIMED_OUT", None, "fault"),
        ("ABORTED", None, "fault"),
    ],
)
def test_reviews_and_strangers_are_told_from_faults_by_the_error(status, error, outcome):
    assert read_execution(an_execution(status, error=error)).outcome == outcome


def test_the_time_is_that_of_the_end():
    assert read_execution(an_execution()).time == datetime(2026, 5, 3, 14, 20, 33, 250_000, UTC)


def test_the_loading_bay_is_read_from_the_output():
    output = json.dumps({"label": "motorcycle", "loading_bay": "bay 2"})
    assert read_execution(an_execution(output=output)).loading_bay == "bay 2"


@pytest.mark.parametrize("output", [None, "", "{", "[]", "{}", '{"loading_bay": 2}'])
def test_an_output_that_was_left_out_gives_no_bay(output):
    assert read_execution(an_execution(output=output)).loading_bay == ""


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({}, "detail must be an object, got None"),
        (an_execution("RUNNING"), "detail.status must be one of SUCCEEDED, FAILED, TIMED_OUT, ABORTED, got 'RUNNING'"),
        (an_execution(stopDate=None), "detail.stopDate must be milliseconds since 1970, got None"),
        (an_execution(stopDate=True), "detail.stopDate must be"),
    ],
)
def test_an_event_of_no_ended_execution_is_refused(event, complaint):
    with pytest.raises(InvalidEvent, match=complaint):
        read_execution(event)


def test_an_alarm_is_read():
    alarm = read_alarm(an_alarm())
    assert (alarm.state, alarm.reason) == ("ALARM", "Threshold Crossed")


def test_a_transition_has_one_id_however_often_it_is_told():
    first = read_alarm(an_alarm()).transition_id
    assert len(first) == 32
    assert read_alarm(an_alarm()).transition_id == first
    assert read_alarm(an_alarm(timestamp="2026-05-04T14:20:33.250+0000")).transition_id != first
    assert read_alarm(an_alarm("OK")).transition_id != first


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({}, "alarmData must be an object"),
        ({"alarmData": {}}, "alarmData.state must be an object"),
        ({**an_alarm(), "alarmArn": ""}, "alarmArn must be a non-empty string"),
        (an_alarm(value=None), "alarmData.state.value must be a non-empty string, got None"),
        (an_alarm(timestamp=7), "alarmData.state.timestamp must be a non-empty string"),
    ],
)
def test_an_event_of_no_alarm_is_refused(event, complaint):
    with pytest.raises(InvalidEvent, match=complaint):
        read_alarm(event)
