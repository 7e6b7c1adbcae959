"""Pictures of none of the classes: how many would be routed as if they were of one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from contract.decisions import NEITHER
from training.evaluation.statistics import Floats, error_upper_bound

CURVE_STEP = 0.01
"""Between the thresholds of the curve in evaluation.json."""


def acceptance(probabilities: Floats, labels: Sequence[str]) -> Floats:
    """What is compared with a threshold: the confidence where the best label is a class, 0 where it is neither."""
    confidences = probabilities.max(axis=1)
    if NEITHER not in labels:
        return confidences
    return np.where(probabilities.argmax(axis=1) == labels.index(NEITHER), 0.0, confidences)


@dataclass(frozen=True, slots=True)
class ScoredStrangers:
    """What a model answered about pictures of none of its classes."""

    keys: list[str]
    kinds: list[str]
    """What each picture shows."""
    probabilities: Floats
    """A row per picture, a column per label."""
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Routed:
    """How many strangers a threshold lets through."""

    threshold: float
    photos: int
    routed: int
    bound: float
    """Upper bound of the share of such strangers that is routed (Clopper-Pearson)."""

    @property
    def share(self) -> float:
        """Of the photos, those that are routed."""
        return self.routed / self.photos if self.photos else 0.0


def routed_at(threshold: float, scores: Floats, confidence: float = 0.95) -> Routed:
    """What a threshold does to strangers.

    Args:
        threshold: inclusive.
        scores: of the strangers, as `acceptance` gives them.
        confidence: the level of the upper bound.
    """
    routed = int((scores >= threshold).sum())
    return Routed(threshold, len(scores), routed, error_upper_bound(routed, len(scores), confidence))


@dataclass(frozen=True, slots=True)
class StrangerFigures:
    """What becomes of one group of strangers, such as those of unseen kinds."""

    photos: int
    taken_for: Mapping[str, int]
    """Photos by the label that is most probable."""
    kinds: Mapping[str, Mapping[str, int]]
    """For each kind: its photos, and how many are routed at the recommended and the configured threshold."""
    recommended: Routed | None
    configured: Routed | None
    curve: Sequence[Routed]
    """At thresholds a hundredth apart."""


def measure_strangers(
    scored: ScoredStrangers,
    labels: Sequence[str],
    *,
    recommended: float | None,
    configured: float | None,
    confidence: float = 0.95,
) -> StrangerFigures:
    """Everything about a group of strangers.

    Args:
        scored: the group.
        labels: the model's.
        recommended: the recommended threshold, if there is one.
        configured: the stack's, if it is known.
        confidence: the level of the upper bounds.
    """
    scores = acceptance(scored.probabilities, labels)
    thresholds = {
        name: value for name, value in (("recommended", recommended), ("configured", configured)) if value is not None
    }
    photos = Counter(scored.kinds)
    kinds: dict[str, dict[str, int]] = {kind: {"photos": photos[kind]} for kind in sorted(photos)}
    for name, threshold in thresholds.items():
        through = Counter(
            kind for kind, passes in zip(scored.kinds, (scores >= threshold).tolist(), strict=True) if passes
        )
        for kind, figures in kinds.items():
            figures[name] = through[kind]
    predicted = Counter(cast("list[int]", scored.probabilities.argmax(axis=1).tolist()))
    first = math.floor(1 / len(labels) / CURVE_STEP) + 1
    steps = range(first, round(1 / CURVE_STEP) + 1)
    return StrangerFigures(
        photos=len(scores),
        taken_for={label: predicted[place] for place, label in enumerate(labels)},
        kinds=kinds,
        recommended=None if recommended is None else routed_at(recommended, scores, confidence),
        configured=None if configured is None else routed_at(configured, scores, confidence),
        curve=[routed_at(round(step * CURVE_STEP, 2), scores, confidence) for step in steps],
    )
