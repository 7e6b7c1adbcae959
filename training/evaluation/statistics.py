"""How right and how well calibrated scored photos are: pure functions over arrays.

`labels` are the true classes as indices, `probabilities` has a row per photo and a column per class,
`confidences` are the rows' maxima and `correct` says whether the most probable class (the first one on a
tie) is the true one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

from contract.intervals import wilson_interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Binning = Literal["width", "mass"]

CALIBRATION_BINS = 15
"""Bins of a calibration error, as in Guo et al., On Calibration of Modern Neural Networks (2017)."""


def error_upper_bound(errors: int, accepted: int, confidence: float = 0.95) -> float:
    """The exact (Clopper-Pearson) one-sided upper bound of an error rate, for a set fixed beforehand."""
    if errors >= accepted:
        return 1.0
    return float(stats.beta.isf(1 - confidence, errors + 1, accepted - errors))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def confusion_matrix(labels: Ints, predicted: Ints, classes: int) -> Ints:
    """Photos by true class (rows) and predicted class (columns)."""
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fares; a figure is None when there is nothing to divide by."""

    photos: int
    """Photos of this class."""
    predicted: int
    """Photos taken for this class."""
    precision: float | None
    recall: float | None
    recall_interval: tuple[float, float]
    """Wilson's interval."""
    f1: float | None


def class_figures(confusion: Ints, confidence: float = 0.95) -> list[ClassFigures]:
    """Precision, recall and F1 of each class, in label order, from a confusion matrix."""
    figures: list[ClassFigures] = []
    for index in range(len(confusion)):
        hits = int(confusion[index, index])
        photos, predicted = int(confusion[index].sum()), int(confusion[:, index].sum())
        figures.append(
            ClassFigures(
                photos,
                predicted,
                hits / predicted if predicted else None,
                hits / photos if photos else None,
                wilson_interval(hits, photos, confidence),
                2 * hits / (photos + predicted) if photos + predicted else None,
            )
        )
    return figures


def log_loss(labels: Ints, probabilities: Floats) -> float:
    """Mean of -ln(probability of the true class), in nats; 0 counts as the float's epsilon."""
    of_truth = probabilities[np.arange(len(labels)), labels]
    epsilon = np.finfo(np.float64).eps
    return float(-np.log(np.clip(of_truth, epsilon, 1 - epsilon)).mean())


def brier_score(labels: Ints, probabilities: Floats) -> float:
    """The squared differences to the truth, summed over the classes, as the mean over the photos.

    Brier's own definition (1950): 0 is perfect, 2 is certain and always wrong. With two classes it is
    twice the score that looks at one class only.
    """
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The photos whose confidence lies in a range, and how often they were right."""

    low: float
    high: float
    photos: int
    confidence: float
    """Mean confidence."""
    accuracy: float
    interval: tuple[float, float]
    """Wilson's 95 % interval of the accuracy."""


def reliability_bins(
    confidences: Floats, correct: Bools, bins: int = CALIBRATION_BINS, binning: Binning = "width"
) -> list[ReliabilityBin]:
    """The bins that hold photos, from low to high; a bin holds low < confidence <= high.

    `width`: `bins` equal ranges of 0 to 1. `mass`: ranges with about equally many photos; photos of the same
    confidence share a bin, so there may be fewer bins.
    """
    if len(confidences) == 0:
        return []
    if binning == "width":
        edges = np.linspace(0, 1, bins + 1)
    else:
        edges = np.unique(np.quantile(confidences, np.arange(1, bins + 1) / bins, method="inverted_cdf"))
        edges = np.concatenate([[0.0], edges])
    places = np.maximum(np.searchsorted(edges, confidences, side="left"), 1)
    found: list[ReliabilityBin] = []
    for place in range(1, len(edges)):
        inside = places == place
        photos = int(inside.sum())
        if photos:
            right = int(correct[inside].sum())
            found.append(
                ReliabilityBin(
                    float(edges[place - 1]),
                    float(edges[place]),
                    photos,
                    float(confidences[inside].mean()),
                    right / photos,
                    wilson_interval(right, photos),
                )
            )
    return found


def calibration_error(bins: list[ReliabilityBin]) -> float:
    """Expected calibration error: |accuracy - mean confidence| of the bins, weighted by their photos."""
    photos = sum(each.photos for each in bins)
    return sum(each.photos * abs(each.accuracy - each.confidence) for each in bins) / photos if photos else 0.0


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """For each threshold that tells photos apart: the share accepted, and the share wrong among these."""

    thresholds: Floats
    """The distinct confidences, falling; accepting is inclusive."""
    accepted: Ints
    errors: Ints
    coverage: Floats
    risk: Floats

    @property
    def area(self) -> float:
        """Area under the curve (AURC), smaller is better.

        The mean over the photos of the risk at which each is accepted (Geifman, Uziel, El-Yaniv, Bias-Reduced
        Uncertainty Estimation, 2019), photos of the same confidence being accepted together.
        """
        return float((np.diff(self.coverage, prepend=0.0) * self.risk).sum())


def risk_coverage(confidences: Floats, correct: Bools) -> RiskCoverage:
    """The risk-coverage curve, from the most confident photos to all whose confidence is not 0."""
    order = np.argsort(-confidences, kind="stable")
    # 0 is what no threshold accepts
    order = order[confidences[order] > 0]
    falling = confidences[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)) if len(falling) else np.array([], int)
    errors: Ints = np.cumsum(~correct[order], dtype=np.int64)[last]
    accepted = last + 1
    return RiskCoverage(falling[last], accepted, errors, accepted / max(1, len(confidences)), errors / accepted)
