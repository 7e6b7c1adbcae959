"""Which threshold keeps the errors among accepted decisions below a target, with a guarantee.

Selective classification with guaranteed risk (Geifman and El-Yaniv, Selective Classification for Deep Neural
Networks, 2017), with the thresholds asked about in a fixed sequence (Angelopoulos et al., Learn then Test, 2021):
beginning at a strict one, each is asked whether the exact binomial (Clopper and Pearson) upper bound of the error rate
among the accepted photos meets the target; the first no ends the search, and the last yes is recommended. A sequence
that is fixed before any error is looked at needs no correction for the number of its questions: wrongly saying yes
takes a wrong yes at the first threshold that is too low, and that has the probability of one question. (A binary search
pays for each question: with six, 95 % becomes 99.2 % each. On the scores of 38 trainings of the stand-in, 1000
photos each, it found a threshold for 58 % of them and accepted 23 % of the photos, this one for 76 % and 42 %.)

Which thresholds are asked about is decided by the confidences alone: the first accepts `FIRST_SHARE` of the photos, or
as many as can show the target without a single error, if those are more; up to `MOST_QUESTIONS` follow.

Strangers (pictures of none of the classes) are a second condition of every question: of each group of them at
most a target share may be routed, by the same kind of bound at the same level. A threshold is recommended only
when all conditions hold, so no condition's bound pays for another's.

The guarantee: photos like the held-out ones, being accepted at the threshold recommended, are wrong more
often than the target with probability 1 - confidence at most over the draw of the held-out photos. It
takes for granted that photos are independent draws, and nothing about what the confidences mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract import shares
from training.evaluation.statistics import Bools, Floats, Ints, error_upper_bound
from training.evaluation.strangers import Routed, routed_at

DECIMALS = 4
"""Of a recommended threshold: what a person can read and configure."""
MOST_QUESTIONS = 63
FIRST_SHARE = 0.4
"""Share of the photos that the first threshold asked about accepts.

So few, that few errors are among them; so many, that one error more does not end the search. Of shares from 0.3 to 0.6
it accepted the most of 1000 photos; of 400, where the least that can show 2 % are 0.37, 0.3 and 0.35 were as good.
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
    """Thresholds that the search asked about."""
    found: Acceptance | None
    ended: Acceptance | None
    """The threshold that ended the search, if one did: the first that did not meet the targets."""
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
                f"{self.found.threshold:g} accepts {shares.percent(self.found.coverage)} of photos "
                f"with at most {percent} ({level})"
            )
        plain = f"No threshold is shown to accept photos with at most {percent} ({level})"
        if self.ended is None:
            needed = photos_needed(self.target_error, self.confidence)
            return f"{plain}: that takes {needed} held-out photos or more, and there are {self.photos}"
        near = self.ended
        if self.target_strangers is not None and near.bound <= self.target_error:
            worst = max(near.strangers, key=lambda each: each.bound)
            return (
                f"{plain}: already at {near.threshold:g}, {worst.routed} of {worst.photos} strangers are "
                f"routed, so at most {shares.at_most(worst.bound)}"
            )
        return (
            f"{plain}: already at {near.threshold:g}, {near.errors} of {near.accepted} accepted "
            f"are wrong, so at most {shares.at_most(near.bound)}"
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
    found = ended = None
    questions = 0
    for threshold in _sequence(confidences, classes, photos_needed(target_error, confidence)):
        asked = at_threshold(threshold, confidences, correct, confidence, groups)
        questions += 1
        if asked.bound > target_error or any(each.bound > target_strangers for each in asked.strangers):
            ended = asked
            break
        found = asked
    return Recommendation(
        target_error,
        confidence,
        len(confidences),
        questions,
        found,
        ended,
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


def _sequence(confidences: Floats, classes: int, needed: int) -> Sequence[float]:
    """Thresholds to ask about, falling; none when the photos are fewer than are needed."""
    photos = len(confidences)
    first = max(needed, math.ceil(FIRST_SHARE * photos))
    if first > photos:
        return []
    rising = np.sort(confidences)
    ranks = np.unique(np.linspace(first, photos, num=min(MOST_QUESTIONS, photos - first + 1)).astype(int))
    scale = 10**DECIMALS
    least = math.floor(scale / classes) + 1
    steps = np.maximum(np.floor(rising[photos - ranks] * scale).astype(int), least)
    thresholds = np.round(np.unique(steps)[::-1] / scale, DECIMALS)
    accepted = photos - np.searchsorted(rising, thresholds, side="left")
    return [float(threshold) for threshold in thresholds[accepted >= needed]]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
