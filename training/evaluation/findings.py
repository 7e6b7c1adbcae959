"""Everything that held-out predictions say about a model, and the evaluation.json that holds it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from contract.decisions import classes_of
from contract.intervals import wilson_interval
from contract.shares import at_most, percent
from training.evaluation.corrected import CorrectedFigures, measure_corrected
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import (
    CALIBRATION_BINS,
    ClassFigures,
    Ints,
    ReliabilityBin,
    RiskCoverage,
    brier_score,
    calibration_error,
    class_figures,
    confusion_matrix,
    log_loss,
    reliability_bins,
    risk_coverage,
)
from training.evaluation.strangers import Routed, StrangerFigures, acceptance, measure_strangers
from training.evaluation.threshold import Acceptance, Recommendation, at_threshold, recommend, recommend_per_class

CURVE_POINTS = 200
"""Points of the risk-coverage curve in evaluation.json, at most; the area is that of the whole curve."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a model is on photos that it never saw, and from which confidence on it can be trusted."""

    predictions: Predictions
    confidence: float
    """Level of the intervals and of the recommendation."""
    right: int
    accuracy_interval: tuple[float, float]
    """Wilson's."""
    confusion: Ints
    """A row per class, a column per label."""
    per_class: list[ClassFigures]
    log_loss: float
    brier: float
    reliability: list[ReliabilityBin]
    """In bins of equal width."""
    calibration_error: float
    calibration_error_equal_mass: float
    curve: RiskCoverage
    recommendation: Recommendation
    per_class_recommendations: list[Recommendation]
    configured: Acceptance | None
    """What the stack's own threshold does; None when it is not known."""
    strangers: Mapping[str, StrangerFigures]
    """By group; empty when none were scored."""
    corrected: CorrectedFigures | None
    """Of held-out corrections, which count in no other figure; None when there are none."""

    @property
    def photos(self) -> int:
        """How many photos were scored."""
        return len(self.predictions.keys)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that can be accepted: all but neither."""
        return classes_of(self.predictions.classes)

    @property
    def accuracy(self) -> float:
        """Share of photos whose most probable class is the true one."""
        return self.right / self.photos

    @property
    def configured_sentence(self) -> str:
        """What the configured threshold does to the held-out photos, against the target; "" when unknown."""
        there, target = self.configured, self.recommendation.target_error
        if there is None:
            return ""
        if there.accepted == 0:
            return f"The configured {there.threshold:g} accepts no photo"
        verdict = "is shown to hold" if there.bound <= target else "is not shown to hold"
        return (
            f"The configured {there.threshold:g} accepts {percent(there.coverage)} of photos, "
            f"{percent(there.error_rate, tenths=True)} of them wrong, at most {at_most(there.bound)} "
            f"({100 * self.confidence:g} %): {100 * target:g} % {verdict}"
        )


def evaluate(
    predictions: Predictions,
    *,
    target_error: float = 0.02,
    confidence: float = 0.95,
    configured: float | None = None,
    target_strangers: float = 0.05,
) -> Evaluation:
    """Every figure about `predictions`.

    Args:
        predictions: of held-out photos, and of strangers if there are any.
        target_error: the share of accepted photos that may be wrong.
        confidence: the level of intervals, bounds and recommendations.
        configured: the threshold that the stack runs with, if known.
        target_strangers: the share of strangers of each group that may be routed.
    """
    confidences, correct, accepted = predictions.confidences, predictions.correct, predictions.acceptance
    predicted, labels = predictions.predicted, predictions.classes
    classes = len(classes_of(labels))
    square = confusion_matrix(predictions.labels, predicted, len(labels))
    groups = [acceptance(scored.probabilities, labels) for scored in predictions.strangers.values()]
    recommendation = recommend(
        accepted,
        correct,
        classes=len(labels),
        target_error=target_error,
        confidence=confidence,
        strangers=groups,
        target_strangers=target_strangers,
    )
    right = int(correct.sum())
    reliability = reliability_bins(confidences, correct)
    return Evaluation(
        predictions=predictions,
        confidence=confidence,
        right=right,
        accuracy_interval=wilson_interval(right, len(correct), confidence),
        confusion=square[:classes],
        per_class=class_figures(square, confidence)[:classes],
        log_loss=log_loss(predictions.labels, predictions.probabilities),
        brier=brier_score(predictions.labels, predictions.probabilities),
        reliability=reliability,
        calibration_error=calibration_error(reliability),
        calibration_error_equal_mass=calibration_error(reliability_bins(confidences, correct, binning="mass")),
        curve=risk_coverage(accepted, correct),
        recommendation=recommendation,
        per_class_recommendations=recommend_per_class(
            accepted,
            correct,
            predicted,
            classes=classes,
            labels=len(labels),
            target_error=target_error,
            confidence=confidence,
        ),
        configured=None if configured is None else at_threshold(configured, accepted, correct, confidence),
        strangers={
            group: measure_strangers(
                scored,
                labels,
                recommended=recommendation.found.threshold if recommendation.found else None,
                configured=configured,
                confidence=confidence,
            )
            for group, scored in predictions.strangers.items()
        },
        corrected=measure_corrected(predictions.corrected, labels, confidence) if predictions.corrected else None,
    )


def to_document(evaluation: Evaluation) -> dict[str, object]:
    """The evaluation as evaluation.json holds it; figures without a value are null."""
    predictions, curve = evaluation.predictions, evaluation.curve
    seconds = predictions.seconds
    points = np.unique(np.linspace(0, len(curve.risk) - 1, CURVE_POINTS).astype(int))
    return {
        "version": 1,
        "created": predictions.created,
        "model": predictions.model,
        "endpoint": predictions.endpoint,
        "classes": list(predictions.classes),
        "photos": evaluation.photos,
        "confidence_level": evaluation.confidence,
        "accuracy": {"value": evaluation.accuracy, "interval": list(evaluation.accuracy_interval)},
        "per_class": {
            label: dataclasses.asdict(figures)
            for label, figures in zip(evaluation.classes, evaluation.per_class, strict=True)
        },
        "confusion": {
            "rows": "true class",
            "columns": "predicted label",
            "photos": evaluation.confusion.tolist(),
        },
        "log_loss": evaluation.log_loss,
        "brier_score": {"value": evaluation.brier, "definition": "summed over the classes: 0 to 2"},
        "calibration": {
            "expected_calibration_error": evaluation.calibration_error,
            "binning": f"{CALIBRATION_BINS} bins of equal width",
            "expected_calibration_error_equal_mass": evaluation.calibration_error_equal_mass,
            "reliability": [dataclasses.asdict(each) for each in evaluation.reliability],
        },
        "risk_coverage": {
            "area": curve.area,
            "points": [
                {
                    "threshold": float(curve.thresholds[place]),
                    "coverage": float(curve.coverage[place]),
                    "risk": float(curve.risk[place]),
                }
                for place in points
            ],
        },
        "recommended": _recommendation(evaluation.recommendation),
        "per_class_recommended": {
            label: _recommendation(each)
            for label, each in zip(evaluation.classes, evaluation.per_class_recommendations, strict=True)
        },
        "configured": None
        if evaluation.configured is None
        else {**_acceptance(evaluation.configured), "sentence": evaluation.configured_sentence},
        "seconds": {"median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95))},
        "strangers": {
            group: {
                "photos": figures.photos,
                "taken_for": figures.taken_for,
                "kinds": figures.kinds,
                "recommended": _routed(figures.recommended),
                "configured": _routed(figures.configured),
                "curve": [_routed(each) for each in figures.curve],
            }
            for group, figures in evaluation.strangers.items()
        },
        "corrected": _corrected(evaluation.corrected),
    }


def _corrected(figures: CorrectedFigures | None) -> dict[str, object] | None:
    if figures is None:
        return None
    return {**dataclasses.asdict(figures), "accuracy": figures.accuracy, "sentence": figures.sentence}


def _routed(routed: Routed | None) -> dict[str, object] | None:
    return None if routed is None else {**dataclasses.asdict(routed), "share": routed.share}


def _acceptance(acceptance: Acceptance) -> dict[str, object]:
    return {
        **dataclasses.asdict(acceptance),
        "coverage": acceptance.coverage,
        "error_rate": acceptance.error_rate,
    }


def _recommendation(recommendation: Recommendation) -> dict[str, object]:
    found = recommendation.found
    return {
        "threshold": None if found is None else found.threshold,
        "target_error": recommendation.target_error,
        "target_strangers": recommendation.target_strangers,
        "confidence": recommendation.confidence,
        "questions": recommendation.questions,
        "ended_at": None if recommendation.ended is None else _acceptance(recommendation.ended),
        "photos": recommendation.photos,
        **({} if found is None else _acceptance(found)),
        "sentence": recommendation.sentence,
    }
