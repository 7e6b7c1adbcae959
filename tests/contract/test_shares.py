import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.shares import at_most, percent, percentages, unbroken

counts = st.lists(st.integers(0, 100_000), min_size=1, max_size=6)


def value(text: str) -> float:
    return float(text.removesuffix(" %").removeprefix("under ").removeprefix("over "))


@given(counts.filter(any))
def test_the_parts_of_a_whole_sum_to_100(parts: list[int]) -> None:
    texts = percentages(parts)
    assume(not any(text.startswith(("under", "over")) for text in texts))
    assert sum(map(value, texts)) == pytest.approx(100, abs=1e-6)


@given(counts.filter(any))
def test_no_part_is_further_from_the_truth_than_its_last_digit(parts: list[int]) -> None:
    for text, count in zip(percentages(parts), parts, strict=True):
        digit = 1 if all(float(other.split()[-2]).is_integer() for other in percentages(parts)) else 0.1
        assert abs(value(text) - 100 * count / sum(parts)) <= digit


@given(counts)
def test_only_nothing_is_0_and_only_everything_is_100(parts: list[int]) -> None:
    for text, count in zip(percentages(parts), parts, strict=True):
        assert (text == "0 %") == (count == 0)
        assert (text == "100 %") == (count == sum(parts) > 0)


def test_a_sentence_and_the_tile_beside_it_agree() -> None:
    assert percentages([807, 193]) == ["81 %", "19 %"] == [percent(0.807), percent(0.193)]


def test_what_rounding_takes_goes_to_the_largest_remainder() -> None:
    assert percentages([1, 1, 1]) == ["34 %", "33 %", "33 %"]
    assert percentages([30, 7, 4, 1]) == ["71 %", "17 %", "10 %", "2 %"]


def test_a_small_part_gives_all_a_decimal() -> None:
    assert percentages([995, 4, 1]) == ["99.5 %", "0.4 %", "0.1 %"]
    assert percentages([999_999, 1]) == ["over 99.9 %", "under 0.1 %"]


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_one_share_alone_reads_as_it_does_beside_the_rest(part: int, rest: int) -> None:
    alone, beside = percent(part / (part + rest)), percentages([part, rest])[0]
    tie = (1000 * part * 2) % (part + rest) == 0
    assert alone == beside or tie


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        percent(share)


def test_a_negative_count_is_refused_and_of_nothing_everything_is_0() -> None:
    with pytest.raises(ValueError, match="negative"):
        percentages([1, -1])
    assert percentages([0, 0]) == ["0 %", "0 %"]


@given(st.floats(0, 1))
def test_an_upper_bound_is_never_said_lower_than_it_is(bound: float) -> None:
    said = value(at_most(bound)) / 100
    assert bound <= said + 1e-9 and said - bound <= 0.001 + 1e-9


def test_tenths_are_said_where_they_are_asked_for() -> None:
    assert percent(0.0294, tenths=True) == "2.9 %"
    assert percentages([0, 3], tenths=True) == ["0 %", "100 %"]


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    assert unbroken("at most 4 %, or under 0.1 %") == "at most 4\u00a0%, or under 0.1\u00a0%"
