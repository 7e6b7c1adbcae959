"""One line of a capture file: what is read from it, and what is refused and why."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.captures import DamagedRecord, Inference, read_line, read_record
from tests.capture_builders import record

TIME = datetime(2022, 2, 14, 17, 25, 49, tzinfo=UTC)


def a_record(data="[0.98, 0.02]", encoding="JSON", **event):
    found = record(time=TIME, event_id="e-1", inference_id=None, picture="aVZCT1I=")
    found["captureData"]["endpointOutput"] |= {"data": data, "encoding": encoding}
    found["eventMetadata"] |= event
    return found


def changed(path, value):
    """The record with the value at the dotted path replaced; removed when the value is `...`."""
    found = place = a_record()
    *parents, last = path.split(".")
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return found


def test_everything_that_a_record_says_is_read():
    assert read_record(a_record(inferenceId="i-1")) == Inference(
        event_id="e-1",
        inference_id="i-1",
        time=TIME,
        scores=(0.98, 0.02),
        observed_input=("BASE64", "aVZCT1I="),
    )


def test_an_inference_without_an_id_from_the_caller_has_none():
    assert read_record(a_record()).inference_id is None


@pytest.mark.parametrize(
    ("event", "expected"), [({"inferenceId": "evaluation-1"}, True), ({"inferenceId": "e"}, False), ({}, False)]
)
def test_an_inference_says_whether_an_evaluation_asked_for_it(event: dict[str, str], expected: bool):
    assert read_record(a_record(**event)).is_evaluation is expected


def test_an_output_in_base64_reads_the_same_as_in_json():
    encoded = base64.b64encode(b"[0.98, 0.02]").decode()
    assert read_record(a_record(encoded, "BASE64")) == read_record(a_record())


def test_a_record_without_its_input_is_read():
    assert read_record(changed("captureData.endpointInput", ...)).observed_input is None


def test_times_of_another_zone_become_utc():
    moment = read_record(a_record(inferenceTime="2022-02-14T19:25:49.5+02:00")).time
    assert moment == datetime(2022, 2, 14, 17, 25, 49, 500_000, tzinfo=UTC)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(("scores", "index"), [((0.9, 0.1), 0), ((0.1, 0.9), 1), ((0.5, 0.5), 0), ((0.2, 0.4, 0.4), 1)])
def test_the_label_is_the_first_of_the_highest_scores(scores, index):
    assert read_record(a_record(json.dumps(scores))).label_index == index


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (None, "the record must be an object, got None"),
        ([], "the record must be an object"),
        ({}, "the record has no captureData"),
        (changed("captureData", "x"), "captureData must be an object, got 'x'"),
        (changed("captureData.endpointOutput", ...), "captureData has no endpointOutput"),
        (changed("captureData.endpointOutput.data", ...), "endpointOutput.data is missing"),
        (changed("captureData.endpointOutput.data", [0.9, 0.1]), "endpointOutput.data must be a string"),
        (changed("captureData.endpointOutput.encoding", "CSV"), "must be JSON or BASE64, got 'CSV'"),
        (changed("captureData.endpointInput", None), "endpointInput must be an object, got None"),
        (changed("captureData.endpointInput.data", 7), "endpointInput.data must be a string, got 7"),
        (changed("eventMetadata", ...), "the record has no eventMetadata"),
        (changed("eventMetadata.eventId", ...), "eventMetadata.eventId is missing"),
        (changed("eventMetadata.inferenceTime", "yesterday"), "must be a time with its zone"),
        (changed("eventMetadata.inferenceTime", "2022-02-14T17:25:49"), "must be a time with its zone"),
        (changed("eventMetadata.inferenceTime", "0001-01-01T00:00:00+23:00"), "must be a time with its zone"),
        (a_record(inferenceId=7), "eventMetadata.inferenceId must be a string, got 7"),
        (a_record("!!", "BASE64"), "endpointOutput.data is not base64"),
        (a_record("ÿ", "BASE64"), "endpointOutput.data is not base64"),
        (a_record(base64.b64encode(b"\xff\xfe\xfd").decode(), "BASE64"), "not UTF-8"),
        (a_record("[0.98, 0."), "endpointOutput.data is not JSON"),
        (a_record("[" * 100_000), "nested too deep"),
        (a_record("0.98,0.02"), "endpointOutput.data is not JSON"),
        (a_record("0.98"), "must be a list of two or more probabilities, got 0.98"),
        (a_record("[1.0]"), "must be a list of two or more probabilities"),
        (a_record("[[0.5], [0.5]]"), "endpointOutput.data: inferences[0] must be a number from 0 to 1"),
        (
            a_record('["0.9", "0.1"]'),
            "endpointOutput.data: inferences[0] must be a number from 0 to 1, got '0.9'",
        ),
        (
            a_record("[true, false]"),
            "endpointOutput.data: inferences[0] must be a number from 0 to 1, got True",
        ),
        (a_record("[0.5, NaN]"), "endpointOutput.data: inferences[1] must be a number from 0 to 1, got nan"),
        (a_record("[Infinity, 0.0]"), "endpointOutput.data: inferences[0] must be a number from 0 to 1"),
        (a_record("[1.2, -0.2]"), "endpointOutput.data: inferences[0] must be a number from 0 to 1, got 1.2"),
        (a_record(f"[1{'0' * 400}, 0]"), "endpointOutput.data: inferences[0] must be a number from 0 to 1"),
        (a_record("[0.5, 0.4]"), "endpointOutput.data: inferences must sum to 1 within 0.01, got 0.9"),
    ],
)
def test_a_damaged_record_is_refused_with_the_field_that_is_wrong(record, complaint):
    with pytest.raises(DamagedRecord) as caught:
        read_record(record)
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_line_is_read_as_the_record_on_it():
    assert read_line(json.dumps(a_record()).encode() + b"\r\n") == read_record(a_record())


@pytest.mark.parametrize("line", [b"", b"\n", b" \r\n"])
def test_an_empty_line_is_nobodys_inference(line):
    assert read_line(line) is None


@pytest.mark.parametrize("line", [b'{"captureData": {"endp', b"\xff\xfe", b"[" * 100_000, b"7" * 5000])
def test_a_line_that_is_cut_off_or_no_json_is_damaged(line):
    with pytest.raises(DamagedRecord):
        read_line(line)


weights = st.lists(st.floats(0.001, 1), min_size=2, max_size=100)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(weights, moments, zones, st.sampled_from(["JSON", "BASE64"]))
def test_whatever_a_model_says_is_read_back_exactly(values, moment, zone, encoding):
    scores = tuple(value / sum(values) for value in values)
    text = json.dumps(scores)
    data = text if encoding == "JSON" else base64.b64encode(text.encode()).decode()
    moment = moment.replace(tzinfo=zone)
    inference = read_record(a_record(data, encoding, inferenceTime=moment.isoformat()))
    assert inference.scores == scores
    assert inference.time == moment


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.sampled_from(["captureData", "captureData.endpointOutput", "captureData.endpointOutput.data",
                        "captureData.endpointOutput.encoding", "captureData.endpointInput", "eventMetadata",
                        "eventMetadata.inferenceTime", "eventMetadata.inferenceId"]), anything)  # fmt: skip
def test_whatever_stands_in_a_field_is_read_or_called_damaged(path, value):
    try:
        assert isinstance(read_record(changed(path, value)), Inference)
    except DamagedRecord as problem:
        assert str(problem)


@given(st.binary())
def test_whatever_bytes_a_line_holds_nothing_else_is_raised(line):
    try:
        read_line(line)
    except DamagedRecord as problem:
        assert str(problem)
