"""A model is served when its evidence says so; what speaks against it is told at once, with the way out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UserError
from contract.outputs import StackOutputs
from contract.promotion import lowest_named, problems_with_evidence, s3_place, served_model
from contract.thresholds import is_threshold
from tests.contract.evidence_builders import evidence_of, photo_lists

OUTPUTS = StackOutputs(
    training_job_name="job-1",
    model_artifact="s3://b/models/job-1/output/model.tar.gz",
    evidence_uri="s3://b/models/job-1/evidence.json",
    labels=("a", "b", "neither"),
    image_size=32,
    region="us-east-1",
)
MODEL = served_model(OUTPUTS, "dev")
PHOTOS = [*[(0.95, True)] * 400, *[(0.9, True)] * 395, *[(0.9, False)] * 5, *[(0.6, False)] * 200]


def problems(threshold: float = 0.95, target: float = 0.02, **changes: object) -> list[str]:
    evidence = replace(evidence_of(PHOTOS), **changes)
    return problems_with_evidence(evidence, MODEL, threshold=threshold, target=target)


def test_a_model_whose_evidence_supports_the_threshold_has_no_problem() -> None:
    assert problems() == [] == problems(0.9)


def test_all_that_is_wrong_with_evidence_comes_out_at_once() -> None:
    found = problems(0.5, model="job-2", labels=("b", "a", "neither"), image_size=64)
    place = "the evidence in s3://b/models/job-1/evidence.json must be of"
    assert found[:3] == [
        f"{place} the model job-1, got job-2",
        f"{place} the labels a, b, neither in this order, got b, a, neither",
        f"{place} pictures of 32 pixels a side, got 64 pixels",
    ]
    assert len(found) == 4 and found[3].startswith("scones:confidenceThreshold must be 0.9 or more")


def test_a_threshold_that_is_not_supported_is_refused_with_its_figures_and_the_lowest_one_that_is() -> None:
    (told,) = problems(0.5, recommended=0.95)
    assert told == (
        "scones:confidenceThreshold must be 0.9 or more to keep wrong answers at or below 2 % (targetRiskPercent), "
        "got 0.5: of the 1000 of 1000 held-out photos that it accepts 205 are wrong, so up to 22.7 % may be "
        "(95 % sure); 0.9 is the lowest that is supported and accepts 80 % of photos, and the evaluation "
        "recommends 0.95"
    )


def test_a_recommendation_that_this_target_does_not_support_is_not_repeated() -> None:
    (told,) = problems(0.5, recommended=0.6)
    assert "recommends" not in told


def test_where_no_threshold_is_supported_the_refusal_says_what_it_takes() -> None:
    evidence = evidence_of([(0.9, True)] * 50)
    (told,) = problems_with_evidence(evidence, MODEL, threshold=0.95, target=0.02)
    assert told.startswith("scones:confidenceThreshold can't be supported, as no threshold is shown")
    assert "it accepts none of 50 held-out photos; it takes a better model, or more held-out photos" in told


@given(photo_lists, st.floats(0.001, 1))
def test_the_threshold_that_is_named_can_be_configured_and_is_supported_with_all_above(
    photos: list[tuple[float, bool]], target: float
) -> None:
    evidence = evidence_of(photos)
    named, lowest = lowest_named(evidence, target), evidence.lowest_supported(target)
    if named is None or lowest is None:
        assert named is lowest is None
        return
    assert is_threshold(named, len(evidence.labels)) and named == float(f"{named:g}")
    assert evidence.supports(named, target) and named - lowest.threshold < 2e-4
    assert problems_with_evidence(evidence, MODEL, threshold=named, target=target) == []


@given(st.floats(0.3334, 1), st.integers(0, 3))
def test_a_named_threshold_never_lies_below_the_photos_that_support_it(confidence: float, ulps: int) -> None:
    for _ in range(ulps):
        confidence = min(1.0, math.nextafter(confidence, 2))
    evidence = evidence_of([*[(confidence, True)] * 200, *[(0.3334, False)] * 200])
    named = lowest_named(evidence, 0.02)
    assert named is None or evidence.supports(named, 0.02)


def test_a_stack_that_never_came_up_is_named_with_all_that_it_does_not_export() -> None:
    with pytest.raises(UserError, match="the stack dev does not export modelArtifact, imageSize: bring it up first"):
        served_model(replace(OUTPUTS, model_artifact="", image_size=None), "dev")


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "s3:///key", "https://bucket/key"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(UserError, match="an address must be s3://BUCKET/KEY, got"):
        s3_place(uri)


def test_an_address_is_bucket_and_key() -> None:
    assert s3_place("s3://b/models/x/evidence.json") == ("b", "models/x/evidence.json")
