"""An alarm of the local cloud tells the truth: of its own dimensions, period by period."""

import pytest

from localcloud.emulator import state_of

NOW = 10_000.0


def alarm(**what):
    return {"Period": 300, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0,
            "TreatMissingData": "notBreaching", **what}  # fmt: skip


def state(points, **what):
    found = [{"Timestamp": NOW - age, "Value": value} for age, value in points]
    return state_of(alarm(**what), found, NOW, lambda chosen: sum(each["Value"] for each in chosen))


@pytest.mark.parametrize(
    ("points", "what", "expected"),
    [
        ([(10, 1)], {}, "ALARM"),
        ([(10, 0)], {}, "OK"),
        ([(301, 1)], {}, "OK"),
        ([(10, 1), (20, 1)], {"Threshold": 2.0}, "OK"),
        ([(10, 1), (20, 1)], {"Threshold": 2.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}, "ALARM"),
        ([(10, 1)], {"ComparisonOperator": "LessThanThreshold", "Threshold": 2.0}, "ALARM"),
        # two of three periods
        ([(10, 1), (310, 1)], {"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, "ALARM"),
        ([(10, 1), (20, 1)], {"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, "OK"),
        ([(10, 1)], {"EvaluationPeriods": 2}, "OK"),
        # no data
        ([], {}, "OK"),
        ([], {"TreatMissingData": "ignore"}, None),
        ([], {"TreatMissingData": "missing"}, "INSUFFICIENT_DATA"),
        ([], {"TreatMissingData": "breaching"}, "ALARM"),
    ],
)
def test_the_latest_periods_decide(points, what, expected):
    assert state(points, **what) == expected
