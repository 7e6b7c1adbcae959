"""Two models on the very same photos: what one has right and the other wrong, and what that shows.

McNemar's exact test (1947): of the photos on which only one of the two is right, as many should favour each if they
were equally good. Held-out photos and each group of strangers are a question of their own, at a part of the level each
(Bonferroni), so that looking at several does not make a difference out of chance. Held-out corrections are told and
decide nothing: they are there because a model was unsure of them, so that the one that was asked stands worse on them
than it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

from contract.decisions import NEITHER
from contract.errors import UserError
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import Bools

LEVEL = 0.95
"""Of intervals, and 1 minus the share of verdicts that chance alone would give to equally good models."""
PHOTOS = "held-out photos"
STRANGERS = "strangers, kinds {}"
Verdict = Literal["better", "not shown to be better", "worse"]


@dataclass(frozen=True, slots=True)
class Paired:
    """What two models say of the same photos; "now" is the one that serves, "new" the candidate."""

    photos: int
    now: int
    """Photos that the serving model has right."""
    new: int
    """Photos that the candidate has right."""
    gained: int
    """Photos that only the candidate has right."""
    lost: int
    """Photos that only the serving model has right."""
    p: float
    """The probability of so great a difference, either way, between equally good models."""
    difference: tuple[float, float]
    """Interval, at LEVEL, of the candidate's share right minus the serving model's."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is compared."""

    sets: Mapping[str, Paired]
    """Those that decide, by name."""
    corrected: Paired | None
    """Held-out corrections, if there are any."""
    verdict: Verdict


def paired(now: Bools, new: Bools) -> Paired:
    """Compare two models on one set of photos.

    Args:
        now: whether the serving model is right, for each photo.
        new: whether the candidate is, in the same order.
    """
    photos = len(now)
    gained, lost = int((new & ~now).sum()), int((now & ~new).sum())
    different = gained + lost
    p = float(stats.binomtest(gained, different).pvalue) if different else 1.0  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return Paired(photos, int(now.sum()), int(new.sum()), gained, lost, p, _difference(photos, gained, lost))


def compare(now: Predictions, new: Predictions) -> Comparison:
    """Compare two models.

    Args:
        now: what the serving model answered.
        new: what the candidate answered, about the same photos.

    Raises:
        UserError: they were not asked about the same.
    """
    if now.classes != new.classes or now.keys != new.keys or now.strangers.keys() != new.strangers.keys():
        raise UserError(
            "two models are compared on the same photos and labels, and these answered about different ones"
        )
    sets = {PHOTOS: paired(now.correct, new.correct)}
    for group, strangers in now.strangers.items():
        if NEITHER in now.classes:
            sets[STRANGERS.format(group)] = paired(
                _is_neither(strangers.probabilities, now), _is_neither(new.strangers[group].probabilities, now)
            )
    corrected = None
    if now.corrected and new.corrected:
        corrected = paired(
            now.corrected.probabilities.argmax(axis=1) == now.corrected.labels,
            new.corrected.probabilities.argmax(axis=1) == new.corrected.labels,
        )
    return Comparison(sets, corrected, verdict(sets))


def verdict(sets: Mapping[str, Paired]) -> Verdict:
    """What the sets show together: a gain in one and a loss in another show nothing."""
    level = (1 - LEVEL) / len(sets)
    shown = [each for each in sets.values() if each.p <= level]
    gains, losses = any(each.gained > each.lost for each in shown), any(each.lost > each.gained for each in shown)
    if gains == losses:
        return "not shown to be better"
    return "better" if gains else "worse"


def _is_neither(probabilities: np.ndarray, predictions: Predictions) -> Bools:
    """Whether a stranger is taken for what it is."""
    return probabilities.argmax(axis=1) == predictions.classes.index(NEITHER)


def _difference(photos: int, gained: int, lost: int) -> tuple[float, float]:
    """Agresti and Min's interval for matched pairs (2005): Wald's, with half a photo added to each of four cells."""
    count, up, down = photos + 2, gained + 0.5, lost + 0.5
    middle = (up - down) / count
    half = float(stats.norm.isf((1 - LEVEL) / 2)) * math.sqrt(up + down - (up - down) ** 2 / count) / count  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return max(-1.0, middle - half), min(1.0, middle + half)
