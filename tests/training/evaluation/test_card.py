"""The model card: what a person reads before trusting a model."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pytest

from contract.evidence import to_document
from tests.training.evaluation.evidence_builders import predictions, some_predictions
from training.evaluation.card import Made, card
from training.evaluation.evidence import evidence_of
from training.evaluation.findings import evaluate
from training.evaluation.strangers import ScoredStrangers

COMMAND = "python -m training evaluate --dataset build/dataset"
MANIFEST = {
    "splits": {
        "train": {"images": 800, "per_class": {"bicycle": 401, "motorcycle": 399}},
        "validation": {"images": 200, "per_class": {"bicycle": 99, "motorcycle": 101}},
        "test": {"images": 600, "per_class": {"bicycle": 300, "motorcycle": 300}},
    },
    "neither": {
        "kinds": {"seen": {"near": ["bus"], "far": ["apple", "chair"]}, "unseen": {"near": [], "far": ["sea"]}}
    },
}


def strangers(routed: int, of: int = 50) -> ScoredStrangers:
    """So many surely taken for a bicycle, the rest for neither."""
    sure, other = [0.98, 0.01, 0.01], [0.01, 0.01, 0.98]
    rows = np.array([sure] * routed + [other] * (of - routed))
    return ScoredStrangers([f"{place}.png" for place in range(of)], ["sea"] * of, rows, np.zeros(of))


def evaluation(**changes):
    values = some_predictions(classes=("bicycle", "motorcycle"))
    wide = np.column_stack([values.probabilities, np.zeros(len(values.keys))])
    return evaluate(predictions(wide, values.labels, ("bicycle", "motorcycle", "neither"), **changes), configured=0.9)


def made(found, manifest=MANIFEST) -> Made:
    evidence = evidence_of(found, dataset="1f" * 32, image_size=32)
    return Made(evidence, json.dumps(to_document(evidence)).encode(), manifest, COMMAND)


@pytest.fixture(scope="module")
def told():
    found = evaluation(strangers={"seen": strangers(0), "unseen": strangers(9)})
    return found, made(found)


def test_the_same_evaluation_gives_the_same_card_on_about_a_page(told):
    text = card(*told)
    assert text == card(*told)
    assert len(text.splitlines()) < 60 and len(text.split()) < 650
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# scones-dev-1a2b", "## Data", "## Figures", "## Limits", "## Evidence",
    ]  # fmt: skip


def test_it_says_what_the_model_is_for_and_what_it_was_made_of(told):
    text = card(*told)
    assert "says what it shows, bicycle or motorcycle, so that its driver is sent to a loading bay" in text
    assert "| train | 401 | 399 | 0 | 800 |" in text and "| test | 300 | 300 | 0 | 600 |" in text
    assert "3 kinds were seen in training under *neither*, 1 never were" in text
    assert f"Dataset `{'1f' * 32}`, pictures of 32 pixels a side" in text and "Corrections: none." in text


def test_its_figures_are_those_of_the_evaluation_with_their_intervals(told):
    found, known = told
    text, (low, high) = card(found, known), found.accuracy_interval
    assert f"{found.right} of 600 held-out photos are right" in text
    assert f"accuracy between the classes {found.accuracy:.3f} (95 % interval {low:.3f} to {high:.3f})" in text
    assert found.recommendation.sentence in text and found.configured_sentence in text
    assert re.search(
        r"supports for 2 % wrong, whatever becomes of strangers, is 0\.\d+: .*, at most (1\.\d|2) % of", text
    )
    assert "| unseen | 50 | 0.9 | 9 | 29.4 % |" in text


def test_it_names_the_evidence_by_its_digest_when_it_was_made_and_the_command(told):
    text = card(*told)
    assert f"SHA-256 `{hashlib.sha256(told[1].content).hexdigest()}`" in text
    assert "scored on 2026-11-20T10:00:00+00:00, endpoint `scones-dev`" in text and f"- `{COMMAND}`" in text


def test_its_limits_are_those_of_this_model(told):
    assert "get through more often: 9 of 50 at 0.9, instead of 0 of 50" in card(*told)
    assert "shrunk to 32 x 32 pixels" in card(*told)
    alone = evaluation()
    assert "Nothing is known of pictures of none of the classes" in card(alone, made(alone))
    few = evaluate(some_predictions(photos=20))
    text = card(few, made(few))
    assert "No threshold was shown to meet the targets" in text
    assert "it has no label for pictures of none of them" in text


def test_without_the_dataset_it_says_so(told):
    text = card(told[0], made(told[0], {}))
    assert "The dataset was not at hand" in text and "Dataset `" not in text


def test_no_figure_is_not_a_number_and_no_value_is_python_s(told):
    for text in (card(*told), card(told[0], made(told[0], {}))):
        assert not re.search(r"\bnan\b|None|\{|\}", text)
