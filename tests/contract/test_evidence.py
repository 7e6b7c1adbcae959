"""Evidence: what is written is read back, what can't be is refused by its name, and its answers obey laws."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.evidence import EvidenceError, parse_evidence, to_document
from tests.contract.evidence_builders import evidence_of, photo_lists


@given(photo_lists)
def test_what_is_written_is_read_back(photos: list[tuple[float, bool]]) -> None:
    evidence = evidence_of(photos)
    assert parse_evidence(json.dumps(to_document(evidence))) == evidence


@given(photo_lists, st.floats(0, 1))
def test_a_threshold_is_answered_as_if_its_photos_were_counted(
    photos: list[tuple[float, bool]], threshold: float
) -> None:
    inside = [right for confidence, right in photos if confidence >= threshold]
    found = evidence_of(photos).at(threshold)
    assert (found.accepted, found.wrong) == (len(inside), inside.count(False))


@given(photo_lists, st.floats(0.001, 1))
def test_the_lowest_supported_threshold_is_supported_and_nothing_below_it_is(
    photos: list[tuple[float, bool]], target: float
) -> None:
    evidence = evidence_of(photos)
    lowest = evidence.lowest_supported(target)
    if lowest is None:
        assert not any(row.bound <= target for row in evidence.rows)
        assert not any(evidence.supports(threshold, target) for threshold in (0.34, 0.9, 1.0))
        return
    assert evidence.supports(lowest.threshold, target)
    below = [row for row in evidence.rows if row.threshold < lowest.threshold]
    assert not any(row.bound <= target or evidence.supports(row.threshold, target) for row in below)


@given(photo_lists, st.floats(0.001, 1), st.floats(0.34, 1), st.floats(0.34, 1))
def test_raising_the_threshold_never_turns_supported_into_refused(
    photos: list[tuple[float, bool]], target: float, first: float, second: float
) -> None:
    evidence = evidence_of(photos)
    if evidence.supports(min(first, second), target):
        assert evidence.supports(max(first, second), target)


@given(photo_lists, st.floats(0.001, 1), st.floats(0.34, 1))
def test_a_threshold_whose_own_bound_meets_the_target_is_supported(
    photos: list[tuple[float, bool]], target: float, threshold: float
) -> None:
    evidence = evidence_of(photos)
    assert evidence.supports(threshold, target) or evidence.at(threshold).bound > target


@given(photo_lists, st.floats(0, 1), st.floats(0, 1), st.floats(0.34, 1))
def test_a_looser_target_supports_what_a_stricter_one_does(
    photos: list[tuple[float, bool]], first: float, second: float, threshold: float
) -> None:
    evidence = evidence_of(photos)
    if evidence.supports(threshold, min(first, second)):
        assert evidence.supports(threshold, max(first, second))


def test_a_threshold_that_few_photos_reach_is_supported_by_a_lower_one() -> None:
    evidence = evidence_of([*[(0.8, True)] * 600, (1.0, False)])
    assert evidence.at(1.0).bound == 1
    lowest = evidence.lowest_supported(0.02)
    assert lowest is not None and lowest.threshold == 0.8
    assert evidence.supports(0.9, 0.02) and evidence.supports(1.0, 0.02)
    assert not evidence_of([(0.9, True)] * 100).supports(1.0, 0.02)


def test_photos_that_no_threshold_accepts_support_none() -> None:
    # the best label of each is neither: its score is 0
    evidence = evidence_of([*[(0.0, True)] * 600, (0.9, False)])
    assert evidence.rows[0].bound < 0.02
    assert evidence.lowest_supported(0.02) is None and not evidence.supports(0.9, 0.02)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(version=2), "version and level must be 1 and 0.95"),
        (lambda d: d.update(level=0.9), "version and level must be 1 and 0.95"),
        (lambda d: d.update(model=""), "model must be a non-empty string"),
        (lambda d: d.update(labels=["a"]), "labels must be two or more different names"),
        (lambda d: d.update(labels=["a", "a"]), "labels must be two or more different names"),
        (lambda d: d.update(image_size=0), "image_size must be a whole number of 1 or more"),
        (lambda d: d.update(image_size=True), "image_size must be a whole number"),
        (lambda d: d.update(dataset=None), "dataset must be a string"),
        (lambda d: d.update(created="2026-11-20"), "created must be an ISO 8601 time with its zone"),
        (lambda d: d.update(created="soon"), "created must be an ISO 8601 time with its zone"),
        (lambda d: d.update(photos=0), "photos must be a whole number of 1 or more"),
        (lambda d: d.update(rows={}), "rows must be a list of objects"),
        (lambda d: d.update(rows=[1]), "rows must be a list of objects"),
        (lambda d: d["rows"][0].update(accepted=99), r"rows\[0\].accepted must be a whole number from 1 to 3"),
        (lambda d: d["rows"][0].update(wrong=4), r"rows\[0\].wrong must be a whole number from 0 to 3"),
        (lambda d: d["rows"][0].update(bound=0.1), r"rows\[0\].bound must be at least the share observed, 1/3"),
        (lambda d: d["rows"][1].update(threshold=0.1), r"rows\[1\].threshold must be above the row's before"),
        (lambda d: d["rows"][0].update(threshold="x"), r"rows\[0\].threshold must be a number from 0 to 1"),
        (lambda d: d.update(strangers=[]), "strangers must be an object of groups"),
        (lambda d: d["strangers"]["unseen"].update(routed=[1]), "counts and bounds for each of the 2 rows"),
        (
            lambda d: d["strangers"]["unseen"].update(routed=[11, 0]),
            "unseen.routed must be .* from 0 to 10",
        ),
        (lambda d: d.update(recommended=2), "recommended must be a number from 0 to 1"),
    ],
)
def test_evidence_that_can_t_be_is_refused_by_its_field(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    document: dict[str, Any] = json.loads(
        json.dumps(to_document(evidence_of([(0.5, False), (0.9, True), (0.9, True)])))
    )
    change(document)
    with pytest.raises(EvidenceError, match=reason):
        parse_evidence(json.dumps(document))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', b"\xff", "[" * 100_000])
def test_what_is_no_evidence_is_refused_in_one_sentence(text: str | bytes) -> None:
    with pytest.raises(EvidenceError, match=r"^s3://x: |^s3://x (is not JSON|must be an object)"):
        parse_evidence(text, "s3://x")
