"""Bays are called what people call them, and CloudWatch takes the metrics all the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.loading_bays import LONGEST_BAY, dimension_of, problem_with_bay

DIMENSION = re.compile(r"(?!:)[\x20-\x7e]{1,1024}")
"""What CloudWatch takes (API reference, Dimension)."""


@pytest.mark.parametrize(
    ("bay", "dimension"),
    [
        ("bay 1", "bay 1"),
        ("Tor 2 – Fahrräder", "Tor 2 - Fahrraeder"),
        ("Tor 2 – Fahrra\u0308der", "Tor 2 - Fahrraeder"),
        ("GROẞE Straße", "GROSSE Strasse"),
        ("Quai nº 3, côté été", "Quai no 3, cote ete"),
        ("門 2", "U+9580 2"),
        ("🚲", "U+1F6B2"),
        ("１", "1"),
    ],
)
def test_a_dimension_is_the_name_in_ascii(bay, dimension):
    assert dimension_of(bay) == dimension
    assert problem_with_bay(bay) is None


@given(st.text())
def test_cloudwatch_takes_the_dimension_of_any_text(text):
    assert DIMENSION.fullmatch(dimension_of(text))


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=LONGEST_BAY))
def test_an_ascii_name_that_is_allowed_stays_as_it_is(name):
    if problem_with_bay(name) is None:
        assert dimension_of(name) == name.strip()


@given(st.text(min_size=1, max_size=LONGEST_BAY))
def test_a_name_that_is_allowed_is_never_cut(name):
    if problem_with_bay(name) is None:
        assert len(dimension_of(name)) < 1024


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "non-empty"),
        (" ", "non-empty"),
        ("bay\n1", "line breaks"),
        ("bay\u200b1", "can't be printed"),
        (":1", "colon"),
        ("b" * 101, "at most 100 characters"),
    ],
)
def test_a_name_that_fields_of_aws_refuse_is_refused(name, problem):
    assert problem in (problem_with_bay(name) or "")
