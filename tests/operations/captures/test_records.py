import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.captures import DamagedRecord, read_line
from operations.captures.period import epoch_microseconds
from operations.captures.records import Columns, read_lines
from tests.capture_builders import line, record

scores = st.one_of(
    st.floats(0, 1).map(lambda p: [p, 1 - p]),
    st.floats(0, 1).map(lambda p: [1 - p, p * 1.0001]),
    st.just([1, 0]),
    st.just([True, False]),
    st.just(["0.5", "0.5"]),
    st.just([0.5, None]),
    st.just([[0.5, 0.5]]),
    st.just([0.2, 0.3, 0.5]),
    st.just([-0.1, 1.1]),
    st.just([0.5]),
    st.just([]),
    st.just([0.9, 0.3]),
    st.just({"a": 1.0}),
    st.just(None),
)
times = st.sampled_from(
    [
        "2026-05-03T14:00:00Z",
        "2026-05-03T14:00:59Z",
        "2026-05-03T14:00:60Z",
        "2026-02-30T14:00:00Z",
        "2026-05-03T24:00:00Z",
        "2026-05-03T14:00:00.5Z",
        "2026-05-03T14:00:00+01:00",
        "2026-05-03T14:00:00",
        "2026-05-03 14:00:00Z",
        "2026-05-03t14:00:00Z",
        "2026-W18-7T14:00:00Z",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "٢٠٢٦-05-03T14:00:00Z",
        "NaT",
        "",
        None,
        5,
    ]
)


@st.composite
def lines(draw) -> bytes:
    kind = draw(st.integers(0, 9))
    item = record(draw(st.sampled_from([(0.9, 0.1), (0.25, 0.75)])), encoding=draw(st.sampled_from(["JSON", "BASE64"])))
    if kind >= 7:  # as it should be
        return json.dumps(item).encode()
    item["eventMetadata"]["inferenceTime"] = draw(times)
    values = draw(scores)
    item["captureData"]["endpointOutput"] |= {
        "data": draw(st.sampled_from([json.dumps(values), json.dumps(values) + "x", values, "NaN", "[NaN, 1.0]", ""])),
        "encoding": draw(st.sampled_from(["JSON", "JSON", "BASE64", "CSV", None])),
    }
    item["eventMetadata"]["inferenceId"] = draw(st.sampled_from(["a", None, 5, [], "\ud800"]))
    if kind == 1:
        item["eventMetadata"]["eventId"] = draw(st.sampled_from([None, 3, "x"]))
    if kind == 2:
        item["captureData"]["endpointInput"] = draw(st.sampled_from([None, {}, {"data": 1, "encoding": "CSV"}, []]))
    if kind == 3:
        del item["captureData"]["endpointInput"]
    if kind == 4:
        item.pop(draw(st.sampled_from(["captureData", "eventMetadata", "eventVersion"])))
    text = json.dumps(item, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if kind == 5:
        text = text[: draw(st.integers(0, len(text)))]
    if kind == 6:
        text = draw(st.sampled_from([b"[]", b"3", b"null", b"  ", b"\xff\xfe", b"[" * 3000, b"{}", text + b"{}"]))
    return text


def slowly(given_lines, classes):
    """What contract.captures alone says of the lines: the truth."""
    rows, problems = [], []
    for position, text in enumerate(given_lines):
        try:
            inference = read_line(text)
            if inference is None:
                continue
            classes = classes or len(inference.scores)
            if len(inference.scores) != classes:
                raise DamagedRecord(f"scores of {len(inference.scores)} classes, where {classes} were expected")
        except DamagedRecord as problem:
            problems.append((position, str(problem)))
            continue
        rows.append(
            (epoch_microseconds(inference.time), inference.scores, inference.inference_id, inference.observed_input)
        )
    return rows, problems


def quickly(given_lines, classes):
    columns, problems = Columns(classes), []
    read_lines(given_lines, columns, lambda position, problem: problems.append((position, problem)))
    batch = columns.take()
    rows = [
        (batch.times.tolist()[i], tuple(batch.scores[i].tolist()), batch.ids[i], batch.inputs[i])
        for i in range(len(batch))
    ]
    return rows, problems


@settings(max_examples=400, deadline=None)
@given(st.lists(lines(), max_size=40), st.sampled_from([None, 2, 3]))
def test_the_fast_way_and_the_slow_way_agree_on_every_record_and_on_every_damage(given_lines, classes):
    assert quickly(given_lines, classes) == slowly(given_lines, classes)


@settings(max_examples=300, deadline=None)
@given(times, scores)
def test_they_agree_on_a_single_oddity_among_usual_records(time, values):
    odd = record()
    odd["eventMetadata"]["inferenceTime"] = time
    odd["captureData"]["endpointOutput"]["data"] = json.dumps(values)
    given_lines = [line((0.5, 0.5)).strip()] * 9 + [json.dumps(odd).encode()] + [line().strip()] * 9
    assert quickly(given_lines, 2) == slowly(given_lines, 2)


def test_usual_records_take_the_fast_way(monkeypatch):
    monkeypatch.setattr("operations.captures.records.read_line", lambda text: pytest.fail("slow"))
    rows, problems = quickly([line().strip()] * 500, 2)
    assert len(rows) == 500 and not problems


def test_one_damaged_line_sends_few_neighbours_the_slow_way(monkeypatch):
    asked = []
    monkeypatch.setattr("operations.captures.records.read_line", lambda text: asked.append(text) or read_line(text))
    rows, problems = quickly([line().strip()] * 1000 + [b"{"] + [line().strip()] * 1000, 2)
    assert (len(rows), len(problems), problems[0][0]) == (2000, 1, 1000)
    assert len(asked) <= 40  # the eight about the damage, and last groups too short for the fast way


def test_a_score_is_read_to_the_last_bit():
    text = json.dumps(record((0.1 + 0.2, 1 - (0.1 + 0.2)))).encode()
    (row,), _ = quickly([text], 2)
    assert row[1] == tuple(orjson.loads(orjson.loads(text)["captureData"]["endpointOutput"]["data"]))
