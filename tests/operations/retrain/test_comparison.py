"""Two models on the same photos: swapping them mirrors every figure, and chance alone shows nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UserError
from operations.retrain.comparison import PHOTOS, STRANGERS, Comparison, Paired, compare, paired, verdict
from training.evaluation.corrected import ScoredCorrections
from training.evaluation.predictions import Predictions
from training.evaluation.strangers import ScoredStrangers

LABELS = ("bicycle", "motorcycle", "neither")
MIRRORED = {"better": "worse", "worse": "better", "not shown to be better": "not shown to be better"}
RIGHT = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200)


def bools(values: list[bool]) -> np.ndarray:
    return np.array(values, dtype=bool)


def probabilities(said: Sequence[int]) -> np.ndarray:
    return np.eye(len(LABELS))[list(said)] * 0.9 + 0.1 / len(LABELS)


def answers(photos: list[int], strangers: Sequence[int] = (), corrected: Sequence[int] = ()) -> Predictions:
    """Of photos that are all bicycles, of strangers, and of corrections that are all bicycles."""
    unsure = ScoredCorrections(
        [f"c{place}" for place in range(len(corrected))], np.zeros(len(corrected), dtype=np.int64),
        probabilities(corrected), np.zeros(len(corrected)), ["motorcycle"] * len(corrected),
    )  # fmt: skip
    kinds = ["car"] * len(strangers)
    group = ScoredStrangers(
        [f"s{place}" for place in range(len(strangers))], kinds, probabilities(strangers), np.zeros(len(strangers))
    )
    return Predictions(
        LABELS, "model", "endpoint", "2026-11-25T13:00:00+00:00", [f"p{place}" for place in range(len(photos))],
        np.zeros(len(photos), dtype=np.int64), probabilities(photos), np.zeros(len(photos)),
        {"seen": group} if strangers else {}, unsure if corrected else None,
    )  # fmt: skip


def mirror(each: Paired) -> Paired:
    low, high = each.difference
    return replace(each, now=each.new, new=each.now, gained=each.lost, lost=each.gained, difference=(-high, -low))


@given(RIGHT)
def test_swapping_the_models_mirrors_all_figures(right: list[tuple[bool, bool]]) -> None:
    now, new = (bools([each[side] for each in right]) for side in (0, 1))
    there, back = paired(now, new), paired(new, now)
    assert mirror(back).difference == pytest.approx(there.difference)
    assert replace(mirror(back), difference=there.difference) == there


@given(st.lists(RIGHT, min_size=1, max_size=3))
def test_swapping_the_models_mirrors_the_verdict(sets: list[list[tuple[bool, bool]]]) -> None:
    def judged(first: int, second: int) -> str:
        return verdict(
            {
                str(name): paired(bools([each[first] for each in one]), bools([each[second] for each in one]))
                for name, one in enumerate(sets)
            }
        )

    assert judged(0, 1) == MIRRORED[judged(1, 0)]


@given(RIGHT)
def test_the_counts_add_up_and_the_probability_is_the_binomial_s_own(right: list[tuple[bool, bool]]) -> None:
    found = paired(bools([now for now, _ in right]), bools([new for _, new in right]))
    assert found.new - found.now == found.gained - found.lost
    different, fewer = found.gained + found.lost, min(found.gained, found.lost)
    tail = sum(math.comb(different, place) for place in range(fewer + 1)) / 2**different
    assert found.p == pytest.approx(min(1.0, 2 * tail))
    low, high = found.difference
    assert -1 <= low <= high <= 1


def test_as_many_gained_as_lost_shows_nothing_and_many_more_gained_show_a_better_model() -> None:
    right, wrong = 0, 1
    even = compare(answers([right, wrong] * 50), answers([wrong, right] * 50))
    assert (even.sets[PHOTOS].gained, even.sets[PHOTOS].lost, even.verdict) == (50, 50, "not shown to be better")
    more = compare(answers([wrong] * 10 + [right] * 90), answers([right] * 100))
    assert more.verdict == "better" and more.sets[PHOTOS].difference[0] > 0


def test_a_gain_on_photos_does_not_make_up_for_strangers_that_get_through() -> None:
    neither, vehicle = 2, 0
    now = answers([1] * 20 + [0] * 80, [neither] * 40)
    new = answers([0] * 100, [vehicle] * 40)
    both = compare(now, new)
    assert both.sets[STRANGERS.format("seen")].lost == 40 and both.verdict == "not shown to be better"
    assert compare(answers([0] * 9, [neither] * 40), answers([0] * 9, [vehicle] * 40)).verdict == "worse"


def test_two_questions_at_once_need_a_smaller_probability_each() -> None:
    # six gained and none lost: p = 0.03
    alone = compare(answers([1] * 6 + [0] * 60), answers([0] * 66))
    asked_twice = compare(answers([1] * 6 + [0] * 60, [2] * 30), answers([0] * 66, [2] * 30))
    assert alone.sets[PHOTOS].p == pytest.approx(2**-5) == asked_twice.sets[PHOTOS].p
    assert (alone.verdict, asked_twice.verdict) == ("better", "not shown to be better")


def test_corrected_photos_are_told_and_decide_nothing() -> None:
    found = compare(answers([0] * 50, corrected=[1] * 40), answers([0] * 50, corrected=[0] * 40))
    told = cast("Paired", found.corrected)
    assert (told.gained, told.lost, told.p < 1e-9, found.verdict) == (40, 0, True, "not shown to be better")


def test_answers_about_different_photos_are_not_compared() -> None:
    with pytest.raises(UserError, match="on the same photos"):
        compare(answers([0] * 5), answers([0] * 6))


def test_a_model_without_the_label_neither_is_judged_by_its_photos_alone() -> None:
    now = replace(answers([0, 0], [0, 1]), classes=("bicycle", "motorcycle", "car"))
    assert list(compare(now, now).sets) == [PHOTOS]
    assert isinstance(compare(now, now), Comparison)
