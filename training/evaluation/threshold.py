"""Which threshold keeps the errors among accepted decisions below a target, with a guarantee.

Selective classification with guaranteed risk (Geifman and El-Yaniv, Selective Classification for Deep
Neural Networks, 2017): a binary search over thresholds, each step of which asks whether the exact
binomial (Clopper and Pearson) upper bound of the error rate among the accepted photos meets the target.
The search asks several times, so each bound is taken at an equal part of the probability of being wrong:
with five questions, 95 % becomes 99 % each.

Two things are done here beyond the paper, both decided by the confidences alone, before any error is
looked at:

- Only numbers of accepted photos that could pass without a single error are searched. (The paper's
  search starts in the middle; when too few photos are accepted there it can only go on to fewer.)
- The number of questions fits the number of photos: each question more takes more accepted photos to
  answer, and six tell 63 thresholds apart. With 2 % there is one question for 200 photos, there are two
  for 400 and six for 1000.

Strangers (pictures of none of the classes) are a second condition of every question: of each group of them at
most a target share may be routed, by the same kind of bound at the same level. A threshold is recommended only
when all conditions hold, so no condition's bound pays for another's.

The guarantee: photos like the held-out ones, being accepted at the threshold recommended, are wrong more
often than the target with probability 1 - confidence at most over the draw of the held-out photos. It
takes for granted that photos are independent draws, and that the more confident the model is, the less
often it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluation.statistics import Bools, Floats, Ints, error_upper_bound
from training.evaluation.strangers import Routed, routed_at

DECIMALS = 4
"""Of a recommended threshold: what a person can read and configure."""
MOST_QUESTIONS = 6
SEARCHED_SHARE = 0.5
"""Share of the photos that must be left to choose among, for the search to ask more than once.

Of the rules tried (on the scores of models and on drawn ones, 200 to 3000 photos) this one accepted the
most photos, or nearly so, at each size.
"""


def photos_needed(target_error: float, confidence: float = 0.95) -> int:
    """How many accepted photos without an error show that the error rate is at most `target_error`."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-target_error))


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What happens to the held-out photos at one threshold."""

    threshold: float
    """Inclusive: a photo is accepted when its confidence is at least this."""
    photos: int
    accepted: int
    errors: int
    """Wrong among the accepted."""
    bound: float
    """Upper bound of the error rate among accepted photos."""
    strangers: tuple[Routed, ...] = ()
    """What it does to each group of strangers, where a target for them is set."""

    @property
    def coverage(self) -> float:
        """Share of the photos that is accepted."""
        return self.accepted / self.photos if self.photos else 0.0

    @property
    def error_rate(self) -> float:
        """Share wrong among the accepted; 0 when none is."""
        return self.errors / self.accepted if self.accepted else 0.0


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The outcome of the search: the least threshold it found to meet the target, or why there is none."""

    target_error: float
    confidence: float
    """Probability with which the guarantee holds."""
    photos: int
    questions: int
    """Thresholds that the search may ask about: what each bound is corrected for."""
    found: Acceptance | None
    nearest: Acceptance | None
    """Without a find: the threshold asked about that came nearest."""
    target_strangers: float | None = None
    """Share of strangers that may be routed; None when none were scored."""

    @property
    def sentence(self) -> str:
        """The recommendation, or that there is none and why, for people."""
        percent, level = f"{_percent(self.target_error)} wrong", _percent(self.confidence)
        if self.target_strangers is not None:
            percent += f" and at most {_percent(self.target_strangers)} of strangers routed"
        if self.found is not None:
            return (
                f"{self.found.threshold:g} accepts {math.floor(100 * self.found.coverage)} % of photos "
                f"with at most {percent} ({level})"
            )
        plain = f"No threshold is shown to accept photos with at most {percent} ({level})"
        if self.nearest is None:
            needed = photos_needed(self.target_error, self.confidence)
            return f"{plain}: that takes {needed} held-out photos or more, and there are {self.photos}"
        near = self.nearest
        if self.target_strangers is not None and near.bound <= self.target_error:
            worst = max(near.strangers, key=lambda each: each.bound)
            return (
                f"{plain}: the nearest is {near.threshold:g}, where {worst.routed} of {worst.photos} strangers are "
                f"routed, so at most {_percent(worst.bound)}"
            )
        return (
            f"{plain}: the nearest is {near.threshold:g}, where {near.errors} of {near.accepted} accepted "
            f"are wrong, so at most {_percent(near.bound)}"
        )


def at_threshold(
    threshold: float,
    confidences: Floats,
    correct: Bools,
    confidence: float = 0.95,
    strangers: Sequence[Floats] = (),
) -> Acceptance:
    """What happens at a threshold that was fixed without looking at these photos."""
    inside = confidences >= threshold
    accepted, errors = int(inside.sum()), int((inside & ~correct).sum())
    return Acceptance(
        threshold,
        len(confidences),
        accepted,
        errors,
        error_upper_bound(errors, accepted, confidence),
        tuple(routed_at(threshold, scores, confidence) for scores in strangers),
    )


def recommend(
    confidences: Floats,
    correct: Bools,
    *,
    classes: int,
    target_error: float = 0.02,
    confidence: float = 0.95,
    strangers: Sequence[Floats] = (),
    target_strangers: float = 0.05,
) -> Recommendation:
    """The least threshold found at which at most `target_error` of the accepted are wrong.

    The thresholds asked about have DECIMALS decimals and lie above 1 / `classes`, since the most
    probable label always reaches that.

    Args:
        confidences: of the held-out photos; 0 where no threshold accepts (the best label is neither).
        correct: whether each photo's label is the true one.
        classes: how many labels the model has.
        target_error: the share of accepted photos that may be wrong.
        confidence: the probability with which the targets hold.
        strangers: the same scores of each group of strangers; empty groups say nothing.
        target_strangers: the share of each group that may be routed.
    """
    groups = [scores for scores in strangers if len(scores)]
    photos = len(confidences)
    questions = _questions(photos, target_error, confidence)
    level = 1 - (1 - confidence) / max(1, questions)
    candidates = _candidates(confidences, classes, questions, photos_needed(target_error, level))
    found = nearest = None
    least_excess = math.inf
    low, high = 0, len(candidates) - 1
    while low <= high:
        middle = (low + high) // 2
        asked = at_threshold(candidates[middle], confidences, correct, level, groups)
        excess = max(asked.bound / target_error, *(each.bound / target_strangers for each in asked.strangers), 0)
        if excess <= 1:
            found, low = asked, middle + 1
        else:
            if excess < least_excess:
                nearest, least_excess = asked, excess
            high = middle - 1
    return Recommendation(
        target_error,
        confidence,
        photos,
        questions,
        found,
        None if found else nearest,
        target_strangers if groups else None,
    )


def recommend_per_class(
    confidences: Floats,
    correct: Bools,
    predicted: Ints,
    *,
    classes: int,
    labels: int,
    target_error: float = 0.02,
    confidence: float = 0.95,
) -> list[Recommendation]:
    """A threshold of its own for the photos predicted as each class, in label order.

    `classes` are those that can be accepted: the label neither is none.

    All of them hold together with `confidence`: each is found at 1 - (1 - confidence) / classes. So each
    takes more photos than the common threshold does.
    """
    each = 1 - (1 - confidence) / classes
    return [
        recommend(
            confidences[predicted == index],
            correct[predicted == index],
            classes=labels,
            target_error=target_error,
            confidence=each,
        )
        for index in range(classes)
    ]


def _questions(photos: int, target_error: float, confidence: float) -> int:
    """How many questions the photos can pay for: the more, the more accepted photos each one needs."""
    possible = 0
    for questions in range(1, MOST_QUESTIONS + 1):
        needed = photos_needed(target_error, 1 - (1 - confidence) / questions)
        if needed > (photos if questions == 1 else (1 - SEARCHED_SHARE) * photos):
            break
        possible = questions
    return possible


def _candidates(confidences: Floats, classes: int, questions: int, needed: int) -> Sequence[float]:
    """Thresholds to ask about, falling: up to 2^questions - 1, over the accepted numbers that can pass."""
    photos = len(confidences)
    if questions == 0:
        return []
    rising = np.sort(confidences)
    ranks = np.unique(np.linspace(needed, photos, num=min(2**questions - 1, photos - needed + 1)).astype(int))
    scale = 10**DECIMALS
    least = math.floor(scale / classes) + 1
    steps = np.maximum(np.floor(rising[photos - ranks] * scale).astype(int), least)
    thresholds = np.round(np.unique(steps)[::-1] / scale, DECIMALS)
    accepted = photos - np.searchsorted(rising, thresholds, side="left")
    return [float(threshold) for threshold in thresholds[accepted >= needed]]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
