"""The message: what a person needs to decide, with commands that can be pasted, within what SNS takes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.retrain.comparison import PHOTOS, Comparison, paired
from operations.retrain.proposal import Proposal, Standing
from tests.operations.retrain.test_comparison import bools

PAIRED = paired(bools([True] * 50 + [False] * 50), bools([True] * 100))
NOW = Standing("scones-dev-now", 100, 50, (0.4, 0.6), None, 0, (0.0, 0.04), None)
NEW = Standing("scones-dev-new", 100, 100, (0.96, 1.0), 0.61, 80, (0.71, 0.87), 0.58)
PROPOSAL = Proposal(
    stack="dev",
    because="the model drifted",
    created="2026-11-25T13:00:00+00:00",
    now=NOW,
    new=NEW,
    comparison=Comparison({PHOTOS: PAIRED}, None, "better"),
    target=0.02,
    threshold=0.8,
    requires_evidence=True,
    corrections="corrections: 24 of 24 taken",
    added=24,
    evidence="s3://photos/models/scones-dev-new/evidence.json",
    local=False,
)


def test_it_says_figures_verdict_evidence_and_the_commands_of_both_ways() -> None:
    text = PROPOSAL.text()
    for part in (
        "Nothing is deployed.",
        "Verdict: better.",
        "held-out photos: 100 against 50 of 100 right; 50 gained, 0 lost",
        "candidate: threshold 0.61 accepts 80 % of photos (71 % to 87 %); 100 of 100 photos right",
        "serving: no threshold is shown to hold that; 50 of 100 photos right",
        "The stack's threshold 0.8 is supported by the candidate's evidence.",
        "Evidence: s3://photos/models/scones-dev-new/evidence.json",
        "  pulumi config set --stack dev scones:modelJob scones-dev-new\n  pulumi up --stack dev\n",
        "  pulumi config set --stack dev scones:modelJob scones-dev-now\n  pulumi up --stack dev\n",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("threshold", "required", "asked"), [(0.5, True, True), (0.5, False, False), (0.58, True, False)]
)
def test_a_threshold_is_part_of_the_commands_only_where_up_would_refuse_the_present_one(
    threshold: float, required: bool, asked: bool
) -> None:
    found = replace(PROPOSAL, threshold=threshold, requires_evidence=required)
    raised = "pulumi config set --stack dev scones:confidenceThreshold 0.58"
    assert (raised in found.adopt) is asked
    assert found.adopt[-1] == "pulumi up --stack dev" and raised not in found.go_back


def test_a_candidate_whose_evidence_supports_no_threshold_says_so() -> None:
    found = replace(PROPOSAL, new=replace(NEW, supported=None))
    assert "No threshold is supported by the candidate's evidence" in found.text() and len(found.adopt) == 2


def test_on_the_emulators_the_command_is_theirs() -> None:
    (only,) = replace(PROPOSAL, local=True).adopt
    assert only.endswith("-m localcloud up --stack dev --config modelJob=scones-dev-new")


@given(st.text(max_size=200))
def test_the_subject_is_what_sns_takes_whatever_the_stack_is_called(stack: str) -> None:
    subject = replace(PROPOSAL, stack=stack).subject
    assert subject.isascii() and len(subject) < 100


def test_what_is_kept_is_json_and_holds_the_text() -> None:
    kept = json.loads(json.dumps(PROPOSAL.as_plain()))
    assert kept["text"] == PROPOSAL.text() and kept["verdict"] == "better" and kept["adopt"] == list(PROPOSAL.adopt)
    assert kept["comparison"]["sets"][PHOTOS]["gained"] == 50
