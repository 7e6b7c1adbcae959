import io
import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

from tests.assertions import at_least_one
from tests.training.evaluation.evidence_builders import predictions, some_predictions
from training.evaluation.findings import evaluate, to_document
from training.evaluation.pictures import (
    PICTURES,
    draw_pictures,
    paint_confusion,
    paint_reliability,
    paint_risk_coverage,
    paint_thresholds,
)
from training.evaluation.statistics import error_upper_bound
from training.evaluation.strangers import ScoredStrangers
from training.evaluation.table import show

FIVE = ("bicycle", "motorcycle", "poppy", "tulip", "willow_tree")


def shown(evaluation, width=100, *, terminal=True):
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal, color_system=None)
    show(evaluation, console)
    return console.file.getvalue()


def test_the_evaluation_counts_what_is_right():
    evaluation = evaluate(predictions([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]], [0, 1, 1]))
    assert (evaluation.right, evaluation.photos) == (2, 3)
    assert evaluation.confusion.tolist() == [[1, 0], [1, 1]]
    assert [each.recall for each in evaluation.per_class] == [1.0, 0.5]
    assert evaluation.configured is None
    assert evaluation.configured_sentence == ""


def test_the_configured_threshold_is_judged_against_the_target():
    evaluation = evaluate(some_predictions(), configured=0.8)
    there = evaluation.configured
    assert there.bound == error_upper_bound(there.errors, there.accepted, 0.95)
    holds = "is shown to hold" if there.bound <= 0.02 else "is not shown to hold"
    assert evaluation.configured_sentence.endswith(f"2 % {holds}")
    assert evaluation.configured_sentence.startswith("The configured 0.8 accepts ")


def test_a_configured_threshold_that_accepts_nothing_is_said():
    evaluation = evaluate(predictions([[0.6, 0.4]], [0]), configured=0.99)
    assert evaluation.configured_sentence == "The configured 0.99 accepts no photo"


def test_the_document_is_strict_json_with_the_figures():
    evaluation = evaluate(some_predictions(classes=FIVE), configured=0.8)
    document = json.loads(json.dumps(to_document(evaluation), allow_nan=False))
    assert document["accuracy"]["value"] == evaluation.accuracy
    assert document["recommended"]["threshold"] == evaluation.recommendation.found.threshold
    assert document["recommended"]["sentence"] == evaluation.recommendation.sentence
    assert list(document["per_class"]) == list(FIVE)
    assert document["calibration"]["binning"] == "15 bins of equal width"
    assert sum(map(sum, document["confusion"]["photos"])) == document["photos"] == 600
    points = document["risk_coverage"]["points"]
    assert len(points) <= 200
    assert points[-1]["coverage"] == 1
    assert points[-1]["risk"] == pytest.approx(1 - evaluation.accuracy)
    assert document["strangers"] == {}


def test_a_class_without_photos_has_no_figures_rather_than_wrong_ones():
    evaluation = evaluate(predictions([[0.9, 0.1, 0.0]], [0], ("a", "b", "c")))
    document = json.loads(json.dumps(to_document(evaluation), allow_nan=False))
    assert document["per_class"]["c"]["recall"] is None
    assert document["recommended"]["threshold"] is None
    assert "-" in shown(evaluation)


def test_the_screen_says_the_recommendation_and_every_class():
    scored = some_predictions(classes=FIVE)
    evaluation = evaluate(scored, configured=0.8)
    text = shown(evaluation)
    assert evaluation.recommendation.sentence in text
    for label in FIVE:
        assert label in text
    for figure in ("accuracy", "log loss", "Brier score", "calibration error", "area under risk-coverage"):
        assert figure in text


LABELS = ("bicycle", "motorcycle", "neither")


def with_strangers(scored=None, count=200, routed=4):
    """A model of two classes and neither that routes `routed` of `count` strangers of each group, surely."""
    scored = scored or some_predictions(600, LABELS[:2])
    probabilities = np.hstack([scored.probabilities * 0.99, np.full((len(scored.keys), 1), 0.01)])
    answers = np.tile([0.02, 0.01, 0.97], (count, 1))
    answers[:routed] = [0.96, 0.03, 0.01]
    groups = {
        name: ScoredStrangers(
            [f"strangers/{name}/{kinds[place % 2]}/{place}.png" for place in range(count)],
            [kinds[place % 2] for place in range(count)],
            answers,
            np.full(count, 0.01),
        )
        for name, kinds in (("seen", ("bus", "cup")), ("unseen", ("tank", "sea")))
    }
    return predictions(probabilities, scored.labels, LABELS, strangers=groups)


def test_strangers_are_counted_by_group_kind_label_and_threshold():
    evaluation = evaluate(with_strangers(), configured=0.8)
    unseen = evaluation.strangers["unseen"]
    assert (unseen.photos, unseen.configured.routed) == (200, 4)
    assert unseen.configured.bound == error_upper_bound(4, 200)
    assert unseen.taken_for == {"bicycle": 4, "motorcycle": 0, "neither": 196}
    assert unseen.kinds["tank"]["photos"] == 100 and unseen.kinds["tank"]["configured"] == 2
    shares = [each.share for each in unseen.curve]
    assert shares == sorted(shares, reverse=True) and shares[0] == 0.02 and unseen.curve[-1].threshold == 1
    document = json.loads(json.dumps(to_document(evaluation), allow_nan=False))
    assert document["strangers"]["unseen"]["configured"]["share"] == 0.02
    assert document["recommended"]["target_strangers"] == 0.05


def test_a_vehicle_taken_for_neither_is_wrong_but_never_accepted():
    scored = predictions([[0.9, 0.05, 0.05], [0.02, 0.08, 0.9], [0.1, 0.8, 0.1]], [0, 0, 1], LABELS)
    evaluation = evaluate(scored, configured=0.5)
    assert evaluation.right == 2 and evaluation.configured.accepted == 2 and evaluation.configured.errors == 0
    assert evaluation.curve.coverage[-1] == pytest.approx(2 / 3)
    assert evaluation.confusion.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert evaluation.classes == LABELS[:2] and len(evaluation.per_class) == 2


def test_the_screen_says_what_happens_to_strangers():
    text = shown(evaluate(with_strangers(), configured=0.8))
    assert "Strangers: pictures of none of the classes" in text
    assert "unseen in training" in text and "configured 0.8" in text and "4 (2.0 %)" in text
    assert "strangers, seen" in text


def test_both_curves_are_drawn_and_strangers_have_their_rows_in_the_confusion(tmp_path):
    evaluation = evaluate(with_strangers(), configured=0.8)
    figure = Figure()
    paint_thresholds(figure, evaluation)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["strangers routed, unseen"].get_ydata()) == [
        each.share for each in evaluation.strangers["unseen"].curve
    ]
    assert list(lines["wrong among the accepted"].get_ydata()) == evaluation.curve.risk.tolist()
    figure = Figure()
    paint_confusion(figure, evaluation)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()][2:] == [
        "strangers, seen",
        "strangers, unseen",
    ]
    assert len(draw_pictures(evaluation, tmp_path)) == 5


@pytest.mark.parametrize("classes", [FIVE[:2], FIVE, tuple(f"class {i}" for i in range(20))])
def test_the_pictures_are_drawn_for_any_number_of_classes(tmp_path, classes):
    paths = draw_pictures(evaluate(some_predictions(200, classes), configured=0.7), tmp_path)
    assert [path.stem for path in paths] == list(PICTURES)
    for path in at_least_one(paths):
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert min(image.size) > 500
            assert len(set(image.convert("L").resize((40, 40)).tobytes())) > 5


def test_the_pictures_of_one_photo_are_drawn_too(tmp_path):
    assert len(draw_pictures(evaluate(predictions([[1.0, 0.0]], [0])), tmp_path)) == 5


def test_what_is_drawn_is_what_was_measured():
    evaluation = evaluate(some_predictions(), configured=0.8)
    figure = Figure()
    paint_risk_coverage(figure, evaluation)
    axes = figure.axes[0]
    curve = axes.lines[0]
    assert curve.get_xdata().tolist() == evaluation.curve.coverage.tolist()
    assert curve.get_ydata().tolist() == evaluation.curve.risk.tolist()
    found = evaluation.recommendation.found
    marked = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert marked[f"recommended {found.threshold:g}"] == [[found.coverage, found.error_rate]]
    assert marked["configured 0.8"] == [[evaluation.configured.coverage, evaluation.configured.error_rate]]
    figure = Figure()
    paint_reliability(figure, evaluation)
    accuracies = figure.axes[0].containers[0].lines[0].get_ydata()
    assert list(accuracies) == [each.accuracy for each in evaluation.reliability]
    assert [bar.get_height() for bar in figure.axes[1].patches] == [each.photos for each in evaluation.reliability]
    figure = Figure()
    paint_confusion(figure, evaluation)
    counts = [int(text.get_text().split("\n")[0]) for text in figure.axes[0].texts]
    assert counts == evaluation.confusion.ravel().tolist()


def test_in_a_pipe_nothing_is_padded_wrapped_or_cut():
    text = shown(evaluate(with_strangers(), configured=0.8), width=20, terminal=False)
    assert evaluate(with_strangers(), configured=0.8).recommendation.sentence in text.splitlines()
    assert not any(line != line.rstrip(" ") or "  " in line or "\u2502" in line for line in text.splitlines())
    assert [line.count("\t") for line in text.splitlines() if line.startswith(("class\t", "bicycle\t"))][:2] == [6, 6]


@pytest.mark.parametrize("width", [45, 100])
def test_on_a_narrow_terminal_no_line_is_wider_and_the_numbers_stay_whole(width):
    evaluation = evaluate(with_strangers(), configured=0.8)
    text = shown(evaluation, width)
    tables = text[text.index("Classes") :]
    assert max(len(line) for line in tables.splitlines()) <= width
    for figures in at_least_one(evaluation.strangers.values()):
        assert f"{figures.configured.routed} ({100 * figures.configured.share:.1f} %)" in tables
    assert f"{evaluation.accuracy:.4f}" in tables and "\u2026" not in tables


def test_a_confusion_without_room_lists_what_is_confused_most_often():
    evaluation = evaluate(some_predictions(classes=FIVE), configured=0.8)
    assert "Confused most often" in shown(evaluation, 45) and "Taken for" not in shown(evaluation, 45)
    assert "Taken for" in shown(evaluation, 100)
