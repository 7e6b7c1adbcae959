import json

import pytest

from tests.assertions import at_least_one
from tests.training.evaluation.evidence_builders import predictions, some_predictions
from tests.training.evaluation.test_findings import with_strangers
from training.evaluation.predictions import PredictionsError, read_predictions, write_predictions

HEADER = {"classes": ["bicycle", "motorcycle"], "model": "m", "endpoint": "e", "created": "2026-11-20T10:00:00Z"}
PHOTO = {"key": "test/bicycle/1.png", "label": "bicycle", "inferences": [0.9, 0.1], "seconds": 0.02}


def written(tmp_path, *lines):
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def refused(tmp_path, *lines):
    with pytest.raises(PredictionsError) as caught:
        read_predictions(written(tmp_path, *lines))
    return str(caught.value).removeprefix(f"{tmp_path}/")


def test_what_is_written_is_read_again_to_the_last_bit(tmp_path):
    before = some_predictions(50)
    write_predictions(tmp_path / "p.jsonl", before)
    after = read_predictions(tmp_path / "p.jsonl")
    assert (after.classes, after.model, after.endpoint) == (before.classes, before.model, before.endpoint)
    assert (after.created, after.keys) == (before.created, before.keys)
    for name in ("labels", "probabilities", "seconds"):
        assert (getattr(after, name) == getattr(before, name)).all()


def test_the_first_class_wins_a_tie():
    tied = predictions([[0.5, 0.5], [0.2, 0.8]], [1, 1])
    assert tied.predicted.tolist() == [0, 1]
    assert tied.correct.tolist() == [False, True]
    assert tied.confidences.tolist() == [0.5, 0.8]


def test_seconds_may_be_missing_and_empty_lines_mean_nothing(tmp_path):
    photo = {name: value for name, value in PHOTO.items() if name != "seconds"}
    read = read_predictions(written(tmp_path, HEADER, photo, "", PHOTO))
    assert read.seconds.tolist() == [0.0, 0.02]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inferences": [0.9]}, "inferences must hold 2 numbers, one a class, got 1"),
        ({"inferences": None}, "inferences must be a list of numbers, got None"),
        ({"inferences": [0.9, "0.1"]}, "inferences[1] must be a number from 0 to 1, got '0.1'"),
        ({"inferences": [1.2, -0.2]}, "inferences[0] must be a number from 0 to 1, got 1.2"),
        ({"inferences": [True, False]}, "inferences[0] must be a number from 0 to 1, got True"),
        ({"inferences": [float("nan"), 1]}, "inferences[0] must be a number from 0 to 1, got nan"),
        ({"inferences": [0.5, 0.4]}, "inferences must sum to 1 within 0.01, got 0.9"),
        ({"label": "tulip"}, "label must be one of bicycle, motorcycle, got 'tulip'"),
        ({"label": 0}, "label must be one of bicycle, motorcycle, got 0"),
        ({"key": None}, "key must be a string, got None"),
        ({"seconds": -1}, "seconds must be a number from 0 on, got -1"),
        ({"seconds": float("inf")}, "seconds must be a number from 0 on, got inf"),
    ],
)
def test_a_wrong_photo_is_named_by_its_line(tmp_path, change, message):
    assert refused(tmp_path, HEADER, PHOTO, PHOTO | change) == f"predictions.jsonl:3: {message}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["bicycle"]}, "classes must be two or more different names, got ['bicycle']"),
        ({"classes": ["a", "a"]}, "classes must be two or more different names, got ['a', 'a']"),
        ({"classes": ["a", 1, "b"]}, "classes must be two or more different names, got ['a', 1, 'b']"),
        ({"classes": None}, "classes must be two or more different names, got None"),
        ({"created": "yesterday"}, "created must be an ISO 8601 time with its zone, got 'yesterday'"),
        (
            {"created": "2026-11-20T10:00:00"},
            "created must be an ISO 8601 time with its zone, got '2026-11-20T10:00:00'",
        ),
        ({"model": 5}, "model must be a string, got 5"),
    ],
)
def test_a_wrong_header_is_the_first_lines_fault(tmp_path, change, message):
    assert refused(tmp_path, HEADER | change, PHOTO) == f"predictions.jsonl:1: {message}"


@pytest.mark.parametrize("line", ["{", "[]", "nonsense", "[" * 100_000])
def test_a_line_that_is_no_object_is_named(tmp_path, line):
    assert refused(tmp_path, HEADER, line).startswith("predictions.jsonl:2: must be a JSON object, got ")


def test_empty_files_and_missing_files_are_said(tmp_path):
    assert refused(tmp_path) == "predictions.jsonl:1: must be a JSON object, got ''"
    assert refused(tmp_path, HEADER) == "predictions.jsonl must hold at least one photo after its header"
    with pytest.raises(PredictionsError, match="can't be read: No such file"):
        read_predictions(tmp_path / "none.jsonl")


def test_strangers_are_read_back_as_they_were_written(tmp_path):
    scored = with_strangers()
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, scored)
    back = read_predictions(path)
    assert list(back.strangers) == ["seen", "unseen"] and back.keys == scored.keys
    for group, given in at_least_one(scored.strangers.items()):
        assert (back.strangers[group].keys, back.strangers[group].kinds) == (given.keys, given.kinds)
        assert (back.strangers[group].probabilities == given.probabilities).all()


def test_a_stranger_without_its_kind_is_refused(tmp_path):
    line = {"key": "a.png", "stranger": "seen", "inferences": [0.9, 0.1]}
    assert refused(tmp_path, HEADER, PHOTO, line) == "predictions.jsonl:3: kind must be a string, got None"
