"""Photos of none of the classes: how often they are accepted, and what would catch them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract.intervals import wilson_interval
from training.evaluation.statistics import Floats, auroc, entropies, margins

ROUNDING = 9
"""Decimals to which scores are compared, so that noise in the last bits makes no difference."""


@dataclass(frozen=True, slots=True)
class Detector:
    """How well one score, high for photos of the classes, tells the others."""

    name: str
    auroc: float
    """Probability that a photo of the classes scores higher than one of none."""
    cut: float
    """Accepting from this score on keeps as many held-out photos as the threshold does."""
    caught: float
    """Share of the photos of none of the classes that lies below the cut."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a threshold lets through."""

    threshold: float
    accepted: int
    share: float
    interval: tuple[float, float]
    """Wilson's 95 % interval of the share."""


@dataclass(frozen=True, slots=True)
class Neither:
    """What happens to photos of none of the classes."""

    photos: int
    taken_for: dict[str, int]
    """Photos by the class that they are taken for."""
    recommended: Accepted | None
    configured: Accepted | None
    kept: int
    """Held-out photos that the detectors' cuts keep."""
    detectors: list[Detector]

    @property
    def sentence(self) -> str:
        """What a score made of the probabilities could do about them."""
        if len(self.taken_for) == 2:
            return (
                "With two classes, margin and entropy rank photos exactly as confidence does: "
                "nothing made of the two probabilities catches more."
            )
        best = max(self.detectors, key=lambda each: each.caught)
        plain = next(each for each in self.detectors if each.name == "confidence")
        if best.caught <= plain.caught:
            return "Neither margin nor entropy catches more of them than confidence does."
        return (
            f"At the same coverage, {best.name} catches {100 * best.caught:.0f} % of them, "
            f"confidence {100 * plain.caught:.0f} %."
        )


def detector_scores(probabilities: Floats) -> dict[str, Floats]:
    """Scores that are high when the model is sure of one class.

    An energy score would need the raw outputs (logits) behind the probabilities, which an endpoint does
    not give; entropy is the nearest thing that probabilities allow.
    """
    scores = {
        "confidence": probabilities.max(axis=1),
        "margin": margins(probabilities),
        "entropy": -entropies(probabilities),
    }
    return {name: np.round(score, ROUNDING) for name, score in scores.items()}


def measure_neither(
    known: Floats,
    neither: Floats,
    classes: Sequence[str],
    *,
    recommended: float | None,
    configured: float | None,
) -> Neither:
    """Compare the probabilities of held-out photos (`known`) with those of photos of `neither` class.

    The detectors keep as many held-out photos as the recommended threshold accepts, or else the
    configured one, or else 95 % of them.
    """
    reference = recommended if recommended is not None else configured
    kept = int((known.max(axis=1) >= reference).sum()) if reference is not None else round(0.95 * len(known))
    kept = max(1, kept)
    predicted = neither.argmax(axis=1)
    detectors: list[Detector] = []
    others = detector_scores(neither)
    for name, score in detector_scores(known).items():
        cut = float(np.sort(score)[::-1][kept - 1])
        detectors.append(Detector(name, auroc(score, others[name]), cut, float((others[name] < cut).mean())))
    return Neither(
        photos=len(neither),
        taken_for={label: int((predicted == place).sum()) for place, label in enumerate(classes)},
        recommended=_accepted(neither, recommended),
        configured=_accepted(neither, configured),
        kept=kept,
        detectors=detectors,
    )


def _accepted(neither: Floats, threshold: float | None) -> Accepted | None:
    if threshold is None:
        return None
    accepted = int((neither.max(axis=1) >= threshold).sum())
    return Accepted(threshold, accepted, accepted / len(neither), wilson_interval(accepted, len(neither)))
