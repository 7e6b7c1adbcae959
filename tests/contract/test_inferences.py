"""contract.inferences: what is no distribution over the classes is never taken for one."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidInference
from contract.inferences import SUM_TOLERANCE, read_inferences

LOGITS = st.lists(st.floats(-30, 30), min_size=2, max_size=100)


def softmax(logits: list[float], kind: type = np.float64) -> list[float]:
    powers = np.exp(np.array(logits) - max(logits))
    return [float(score) for score in (powers / powers.sum()).astype(kind)]


@given(LOGITS)
def test_text_bytes_tuple_and_list_give_the_same(logits: list[float]):
    scores = softmax(logits)
    text = json.dumps(scores)
    readings = {read_inferences(form, len(scores)) for form in (scores, tuple(scores), text, text.encode())}
    assert readings == {tuple(scores)}


@given(LOGITS, st.sampled_from([np.float32, np.float16]))
def test_a_softmax_of_any_precision_is_taken(logits: list[float], kind: type):
    scores = softmax(logits, kind)
    assert read_inferences(scores, len(scores)) == tuple(scores)
    rounded = [round(score, 6) for score in scores]
    assert read_inferences(rounded, len(scores)) == tuple(rounded)


def test_whole_numbers_are_probabilities_too():
    assert read_inferences("[0, 1]", 2) == (0.0, 1.0)


@pytest.mark.parametrize("answer", [[1.0000001, 0.0], [1.0005, -0.0005], "[1.0009765625, 0]"])
def test_a_score_that_rounding_puts_outside_is_rounded_back(answer: object):
    assert read_inferences(answer, 2) == (1.0, 0.0)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_sum_may_be_off_by_the_tolerance_and_no_more(sign: int):
    read_inferences([0.5, 0.5 + sign * 0.9 * SUM_TOLERANCE], 2)
    with pytest.raises(InvalidInference, match="sum to 1"):
        read_inferences([0.5, 0.5 + sign * 1.1 * SUM_TOLERANCE], 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([0.5, math.nan], r"inferences\[1\].*nan"),
        ([math.inf, 0.5], r"inferences\[0\].*inf"),
        ([-math.inf, 0.5], r"inferences\[0\]"),
        ("[NaN, 0.5]", r"inferences\[0\]"),
        ("[1e999, 0.5]", r"inferences\[0\].*inf"),
        ([-0.1, 1.1], r"inferences\[0\].*from 0 to 1, got -0.1"),
        ([1.002, 0.0], r"inferences\[0\]"),
        ([1.0, -0.002], r"inferences\[1\]"),
        ([True, False], r"inferences\[0\].*True"),
        (["0.9", "0.1"], r"inferences\[0\].*'0.9'"),
        ([[0.9, 0.1]], "must hold 2 numbers, one a class, got 1"),
        ([[0.9], [0.1]], r"inferences\[0\]"),
        ([None, 1.0], r"inferences\[0\]"),
        ([0.2, 0.2], "sum to 1 within 0.01, got 0.4"),
        ([0.9, 0.9], "sum to 1"),
        ([0.0, 0.0], "sum to 1"),
        ([1.0], "must hold 2 numbers.*got 1"),
        ([0.4, 0.3, 0.3], "must hold 2 numbers.*got 3"),
        ([], "got 0"),
        ("", "JSON list"),
        ("0.9, 0.1", "JSON list"),
        ("0.9", "must be a list"),
        ('"[0.9, 0.1]"', "must be a list"),
        ('{"0": 0.9, "1": 0.1}', "must be a list"),
        (b"\xff\xfe", "JSON list"),
        ("[" * 100_000, "JSON list"),
        ("[" + "9" * 5000 + ", 0]", "JSON list"),
        (None, "must be a list"),
        (0.9, "must be a list"),
        ({"inferences": [0.9, 0.1]}, "must be a list"),
        ({0.9, 0.1}, "must be a list"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_anything_else_is_refused_with_what_is_wrong(answer: object, words: str):
    with pytest.raises(InvalidInference, match=words) as refusal:
        read_inferences(answer, 2)
    assert len(str(refusal.value)) < 300
