"""Held-out corrections: what a model says of photos that an earlier one was not sure of, and a person answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract.intervals import wilson_interval
from training.evaluation.statistics import Floats, Ints


@dataclass(frozen=True, slots=True)
class ScoredCorrections:
    """What a model answered about held-out corrections."""

    keys: list[str]
    labels: Ints
    """What people said, as places in the model's labels; *neither* among them where the model has it."""
    probabilities: Floats
    """A row per photo, a column per label."""
    seconds: Floats
    before: list[str]
    """The best label of the model that was asked at the time; empty where it did not answer."""


@dataclass(frozen=True, slots=True)
class CorrectedFigures:
    """How often the model is right about corrected photos, and how often the one that was asked had been."""

    photos: int
    right: int
    interval: tuple[float, float]
    """Wilson's, of the share that is right."""
    level: float
    asked: int
    """Photos of which the earlier model's best label is known."""
    right_before: int
    """Of those asked."""
    fixed: int
    """Of those asked: wrong before and right now."""
    lost: int
    """Of those asked: right before and wrong now."""

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.photos

    @property
    def sentence(self) -> str:
        """The figures in one line."""
        low, high = self.interval
        text = (
            f"Corrected photos, held out: {self.right} of {self.photos} right "
            f"({self.accuracy:.3f}, {100 * self.level:g} % interval {low:.3f} to {high:.3f})"
        )
        if not self.asked:
            return text
        return (
            f"{text}; the models that were not sure of them had {self.right_before} of {self.asked}: "
            f"{self.fixed} fixed, {self.lost} lost"
        )


def measure_corrected(scored: ScoredCorrections, labels: Sequence[str], confidence: float) -> CorrectedFigures:
    """The figures of held-out corrections.

    Args:
        scored: at least one.
        labels: the model's, in order.
        confidence: the interval's level.
    """
    now = scored.probabilities.argmax(axis=1) == scored.labels
    asked = np.array([said != "" for said in scored.before])
    before = np.array(
        [said == labels[label] for said, label in zip(scored.before, scored.labels, strict=True)], dtype=bool
    )
    right = int(now.sum())
    return CorrectedFigures(
        photos=len(now),
        right=right,
        interval=wilson_interval(right, len(now), confidence),
        level=confidence,
        asked=int(asked.sum()),
        right_before=int((before & asked).sum()),
        fixed=int((now & ~before & asked).sum()),
        lost=int((~now & before & asked).sum()),
    )
