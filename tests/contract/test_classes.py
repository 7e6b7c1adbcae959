"""Which classes a stack may have."""

import pytest

from contract.classes import problem_with_classes


@pytest.mark.parametrize(
    "classes", [("bicycle", "motorcycle"), ("a", "0"), tuple(f"class-{n}_x" for n in range(100)), ("a" * 63, "b")]
)
def test_two_to_a_hundred_plain_names_are_classes(classes):
    assert problem_with_classes(classes) is None


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        ((), ("hold 2 to 100 names", "0: none")),
        (("bicycle",), ("hold 2 to 100 names", "1: bicycle")),
        (tuple(map(str, range(101))), ("hold 2 to 100 names", "101: " + ", ".join(map(str, range(101))))),
        (("a", "b", "a"), ("hold every name once", "a more than once")),
        (("Bike!", "car"), ("be names of small letters, digits, _ and -", "Bike!")),
        (("-a", "b"), ("be names of small letters, digits, _ and -", "-a")),
        (("a" * 64, "b"), ("be names of small letters, digits, _ and -", "a" * 64)),
        (("car", "neither"), ("leave the name neither to pictures of none of them", "neither")),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong(classes, problem):
    assert problem_with_classes(classes) == problem
