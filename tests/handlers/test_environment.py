"""handlers.environment: what is set wrong is refused, with its name and value."""

import pytest

from contract.errors import ConfigurationError
from handlers import environment


@pytest.mark.parametrize(("value", "number"), [("0.80", 0.8), ("1", 1.0), ("6e-1", 0.6), (" 0.94 ", 0.94)])
def test_a_threshold_is_a_number(value: str, number: float):
    assert environment.threshold("T", 2, {"T": value}) == number


@pytest.mark.parametrize(
    "value",
    ["", " ", "0", "0.5", "-0.5", "1.0001", "nan", "inf", "80%", "0,8", "[0.8]", "true", "0.8_0", "０.８"],
)
def test_a_threshold_that_is_no_probability_is_refused(value: str):
    with pytest.raises(ConfigurationError, match=r"\bT\b"):
        environment.threshold("T", 2, {"T": value})


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "ten", "²", "１", "1_000"])
def test_a_size_that_is_no_whole_number_is_refused(value: str):
    with pytest.raises(ConfigurationError, match=r"\bN\b"):
        environment.whole_number("N", {"N": value})


def test_a_size_is_a_whole_number():
    assert environment.whole_number("N", {"N": "32"}) == 32


def test_a_whole_number_with_a_default_may_be_missing_and_not_be_wrong():
    assert environment.whole_number("N", {}, 60) == 60
    assert environment.whole_number("N", {"N": "2"}, 60) == 2
    with pytest.raises(ConfigurationError, match=r"\bN\b"):
        environment.whole_number("N", {"N": "soon"}, 60)


def test_classes_are_a_list_of_names_in_order():
    assert environment.names("C", {"C": '["b", "a"]'}) == ("b", "a")


@pytest.mark.parametrize(
    "value", ["", "a,b", "[]", '["a"]', '["a", "a"]', '["a", ""]', '["a", 1]', '{"a": "b"}', '"ab"', "null", "[" * 4000]
)
def test_classes_that_are_no_list_of_different_names_are_refused(value: str):
    with pytest.raises(ConfigurationError, match=r"\bC\b"):
        environment.names("C", {"C": value})


def test_each_class_has_a_bay():
    bays = environment.name_of_each("B", ("a", "b"), {"B": '{"b": "bay 2", "a": "bay 1"}'})
    assert bays == {"a": "bay 1", "b": "bay 2"}


@pytest.mark.parametrize(
    "value", ["", "{}", '{"a": "bay 1"}', '{"a": "bay 1", "b": ""}', '{"a": "x", "b": "y", "c": "z"}', "[]", "{"]
)
def test_a_class_without_a_bay_or_a_bay_without_a_class_is_refused(value: str):
    with pytest.raises(ConfigurationError, match=r"\bB\b"):
        environment.name_of_each("B", ("a", "b"), {"B": value})


def test_what_is_missing_is_named():
    with pytest.raises(ConfigurationError, match="ENDPOINT_NAME must be set"):
        environment.text("ENDPOINT_NAME", {})
