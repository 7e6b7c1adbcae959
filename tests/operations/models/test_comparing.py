"""`operations models A B`: two versions side by side, and on the very same photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.cli import main
from operations.models import command
from tests.operations.models.stack import running_stack
from tests.training.evaluation.evidence_builders import some_predictions
from training.evaluation.predictions import write_predictions


@pytest.fixture
def stack(tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with running_stack(tmp_path) as made:
        monkeypatch.setattr(command, "_sagemaker", lambda outputs: made.sagemaker)
        made.model("job-a", wrong=60, served={"dev": 20}, num_layers="18", epochs="30")
        made.model("job-b", wrong=3, num_layers="34", epochs="30", momentum="0.9")
        yield made


def answered(stack, folder: Path, **certainty: float) -> None:
    """Put predictions beside models: the more certain, the more often right."""
    for job, certain in certainty.items():
        path = folder / "predictions.jsonl"
        write_predictions(path, some_predictions(photos=300, certainty=certain))
        stack.put(f"models/job-{job}/predictions.jsonl", path.read_bytes())


def compared(stack, capsys, *words: str) -> str:
    assert main(["models", *words, "--outputs", stack.outputs("job-a")]) == 0
    return capsys.readouterr().out


def test_what_differs_is_shown_side_by_side_and_what_does_not_is_left_out(stack, capsys):
    lines = dict(line.split("\t", 1) for line in compared(stack, capsys, "1", "2").splitlines() if "\t" in line)
    assert lines["training job"] == "job-a\tjob-b"
    assert lines["num_layers"] == "18\t34" and lines["momentum"] == "\t0.9" and "epochs" not in lines
    first, second = lines["accuracy (95 %)"].split("\t")
    assert first.startswith("0.800 (0.75") and second.startswith("0.990 (0.97")
    assert lines["threshold"] == "0.9 for 2 %\t0.9 for 2 %" and lines["accepts"] == "80 %\t99 %"


def test_on_the_same_photos_the_better_one_is_said_to_be_better_with_its_numbers(stack, tmp_path, capsys):
    answered(stack, tmp_path, a=0.5, b=3.0)
    *_, sets, verdict = compared(stack, capsys, "1", "2").splitlines()
    assert sets.startswith("held-out photos: ") and "McNemar, exact" in sets
    assert verdict == "version 2 against version 1: better"
    assert compared(stack, capsys, "job-b", "job-a").splitlines()[-1] == "version 1 against version 2: worse"


def test_equal_answers_show_nothing(stack, tmp_path, capsys):
    answered(stack, tmp_path, a=1.0, b=1.0)
    *_, sets, verdict = compared(stack, capsys, "1", "2").splitlines()
    assert "0 only by the second, 0 only by the first" in sets and "p = 1 " in sets
    assert verdict == "version 2 against version 1: not shown to be better"


def test_without_answers_about_the_same_photos_there_is_no_test_and_the_reason(stack, tmp_path, capsys):
    assert "no paired test: the predictions of version 1 can't be read" in compared(stack, capsys, "1", "2")
    answered(stack, tmp_path, a=1.0)
    path = tmp_path / "other.jsonl"
    write_predictions(path, some_predictions(photos=40))
    stack.put("models/job-b/predictions.jsonl", path.read_bytes())
    assert "no paired test: " in compared(stack, capsys, "1", "2").splitlines()[-1]


def test_for_scripts_all_of_it_is_json(stack, tmp_path, capsys):
    answered(stack, tmp_path, a=0.5, b=3.0)
    document = json.loads(compared(stack, capsys, "1", "2", "--json"))
    assert [each["model"]["job"] for each in document["versions"]] == ["job-a", "job-b"]
    assert document["hyperparameters_that_differ"] == ["momentum", "num_layers"]
    assert document["paired"]["verdict"] == "better" and document["why_not_paired"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("1", "3"), "'3' is no version of the register, which holds 2 (job-b), 1 (job-a)"),
        (("1", "a"), "both are version 1: name two different models"),
        (("1",), "name two models to compare them, or none, got 1"),
        (("1", "2", "--retained"), "name two models to compare them"),
    ],
)
def test_a_model_that_can_t_be_meant_is_refused(stack, capsys, words, message):
    assert main(["models", *words, "--outputs", stack.outputs("job-a")]) == 2
    assert message in capsys.readouterr().err
