"""Held-out corrections are scored beside the test, and bend none of its figures."""

import dataclasses
import json

import numpy as np
import pytest

from tests.training.dataset.test_corrections import answer
from tests.training.evaluation.evidence_builders import endpoint, png, some_predictions
from training.cli import main
from training.dataset.answered import FolderPlace, read_answers
from training.dataset.archive import Archive
from training.dataset.manifest import read_manifest
from training.dataset.prepare import prepare
from training.evaluation.corrected import ScoredCorrections, measure_corrected
from training.evaluation.findings import evaluate, to_document
from training.evaluation.predictions import PredictionsError, read_predictions, write_predictions
from training.synthetic.synthesize import write_archive

LABELS = ("bicycle", "motorcycle")


def scored(*photos):
    """Each: what people said, what the earlier model had said, what the model is sure of now."""
    said, before, now = zip(*photos, strict=True)
    return ScoredCorrections(
        [f"corrected/{label}/{place}.png" for place, label in enumerate(said)],
        np.array([LABELS.index(label) for label in said]),
        np.array([[0.9, 0.1] if label == "bicycle" else [0.1, 0.9] for label in now]),
        np.full(len(said), 0.01),
        list(before),
    )


BIKE, MOTOR = LABELS
SIX = scored(
    (BIKE, MOTOR, BIKE),  # fixed
    (MOTOR, BIKE, MOTOR),  # fixed
    (BIKE, BIKE, MOTOR),  # lost
    (BIKE, BIKE, BIKE),
    (MOTOR, "", MOTOR),  # nobody was asked
    (MOTOR, "", BIKE),
)


def test_what_was_fixed_and_lost_is_told_of_those_that_were_asked_before():
    figures = measure_corrected(SIX, LABELS, 0.95)
    assert (figures.photos, figures.right, figures.accuracy) == (6, 4, pytest.approx(2 / 3))
    assert (figures.asked, figures.right_before, figures.fixed, figures.lost) == (4, 2, 2, 1)
    assert figures.sentence == (
        "Corrected photos, held out: 4 of 6 right (0.667, 95 % interval 0.300 to 0.903); "
        "the models that were not sure of them had 2 of 4: 2 fixed, 1 lost"
    )


def test_corrections_without_an_earlier_answer_are_compared_with_nothing():
    figures = measure_corrected(scored((BIKE, "", BIKE)), LABELS, 0.95)
    assert figures.sentence.endswith("1 of 1 right (1.000, 95 % interval 0.207 to 1.000)")


def test_they_change_no_other_figure():
    plain = some_predictions()
    documents = [to_document(evaluate(each)) for each in (plain, dataclasses.replace(plain, corrected=SIX))]
    assert documents[0].pop("corrected") is None and documents[1].pop("corrected")["right"] == 4
    assert documents[0] == documents[1]


def test_they_are_read_back_as_they_were_written(tmp_path):
    path = tmp_path / "p.jsonl"
    write_predictions(path, dataclasses.replace(some_predictions(), corrected=SIX))
    found = read_predictions(path)
    assert len(found.keys) == 600 and found.corrected is not None
    assert (found.corrected.keys, found.corrected.before) == (SIX.keys, SIX.before)
    assert found.corrected.labels.tolist() == SIX.labels.tolist()
    assert found.corrected.probabilities.tolist() == SIX.probabilities.tolist()


def test_a_wrong_line_is_named(tmp_path):
    path = tmp_path / "p.jsonl"
    write_predictions(path, dataclasses.replace(some_predictions(), corrected=SIX))
    path.write_text(path.read_text().replace('"corrected_from": ""', '"corrected_from": 5', 1))
    with pytest.raises(PredictionsError, match=r"p\.jsonl:606: corrected_from must be a string, got 5"):
        read_predictions(path)


def test_a_dataset_s_own_go_through_the_endpoint_with_the_test(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    for red in range(100, 250):
        answer(tmp_path / "corrections", BIKE, f"{red}.png", png(red, 50))
    archive = write_archive(tmp_path / "a.tar.gz", classes=LABELS, train_per_class=20, test_per_class=10)
    dataset, found = tmp_path / "dataset", read_answers(FolderPlace(tmp_path / "corrections"))
    prepare(Archive(archive), LABELS, dataset, corrections=found)
    held_out = read_manifest(dataset).model_said
    assert len(held_out) > 15
    with endpoint(monkeypatch) as requests:
        words = ["evaluate", "--dataset", str(dataset), "--endpoint", "scones-dev", "--output", str(tmp_path / "out")]
        assert main(words) == 0
    figures = json.loads((tmp_path / "out/evaluation.json").read_text())["corrected"]
    assert len(requests) == 20 + len(held_out) and figures["photos"] == len(held_out)
    # red enough for the endpoint to take it for the first class; every earlier model had said motorcycle
    assert 0 < figures["right"] == figures["fixed"] < figures["photos"] and figures["right_before"] == 0
    assert figures["sentence"] in capsys.readouterr().out
