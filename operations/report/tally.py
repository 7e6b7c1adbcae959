"""Everything a report needs, counted while the records stream by, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from operations.captures.period import from_microseconds
from operations.captures.records import Batch, Picture
from operations.report.binning import (
    COARSE,
    DURATION_EDGES,
    FINE,
    Floats,
    Ints,
    confidence_bins,
    duration_bins,
)
from operations.report.decisions import Decision, DecisionIndex
from operations.report.sample import Smallest
from operations.report.series import Series

POINTS = 1500
"""Photos drawn one by one over time; of more, a fair draw."""
THUMBNAILS = 12
_QUARTER = 900_000_000


@dataclass(frozen=True, slots=True)
class DrawnPhoto:
    """One inference, kept to be drawn or shown."""

    time: int
    """Microseconds since 1970."""
    scores: tuple[float, ...]
    accepted: bool
    inference_id: str | None
    picture: Picture | None
    """Only of photos that are shown as thumbnails."""
    object: str | None
    """`bucket/key`, when the decision says it."""

    @property
    def label(self) -> int:
        """The predicted class: the first of the greatest scores."""
        return self.scores.index(max(self.scores))

    @property
    def confidence(self) -> float:
        """The greatest score."""
        return max(self.scores)


class Tally:
    """Counts inferences of `classes` classes.

    A photo counts as routed automatically when its recorded decision says so, or without one when its
    confidence is at least `threshold`. Hours of the day are those of `zone`. `seed` draws the samples.
    """

    def __init__(
        self,
        classes: int,
        threshold: float,
        zone: ZoneInfo,
        decisions: DecisionIndex | None = None,
        seed: int = 0,
    ) -> None:
        self.classes, self.threshold, self.zone = classes, threshold, zone
        self.confidences: Ints = np.zeros((classes, 2, FINE), np.int64)
        """By predicted label, by routed (1) or sent to people (0), by fine bin of confidence."""
        self.hours: Ints = np.zeros((24, COARSE), np.int64)
        """By local hour of the day, by coarse bin of confidence."""
        self.latency: Ints = np.zeros(len(DURATION_EDGES) - 1, np.int64)
        """From the inference to its recorded decision."""
        self.series = Series(classes)
        self.decided = 0
        """Inferences whose recorded decision was found."""
        self.first: int | None = None
        self.last: int | None = None
        self._decisions = decisions
        self._random = np.random.default_rng(seed)
        self._points: Smallest[DrawnPhoto] = Smallest(POINTS)
        self._least_sure: Smallest[DrawnPhoto] = Smallest(THUMBNAILS)
        self._sure: Smallest[DrawnPhoto] = Smallest(THUMBNAILS)

    @property
    def count(self) -> int:
        """Photos counted."""
        return int(self.confidences.sum())

    @property
    def points(self) -> list[DrawnPhoto]:
        """A fair draw of all photos, in order of time."""
        return sorted(self._points.items, key=lambda photo: photo.time)

    @property
    def least_sure(self) -> list[DrawnPhoto]:
        """The photos with the least confidence, least first."""
        return self._least_sure.items

    @property
    def sure(self) -> list[DrawnPhoto]:
        """A fair draw of the photos that were routed automatically, in order of time."""
        return sorted(self._sure.items, key=lambda photo: photo.time)

    def offset(self) -> timedelta:
        """The zone's distance from UTC at the first photo."""
        if self.first is None:
            return timedelta()
        return from_microseconds(self.first).astimezone(self.zone).utcoffset() or timedelta()

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        if not len(batch):
            return
        labels = batch.scores.argmax(axis=1)
        confidences: Floats = batch.scores.max(axis=1)
        accepted = confidences >= self.threshold
        found = self._decisions.find(batch.ids) if self._decisions is not None else {}
        if found:
            self._take_decisions(batch, found, accepted)
        fine = confidence_bins(confidences)
        np.add.at(self.confidences, (labels, accepted.astype(np.int64), fine), 1)
        coarse = fine // (FINE // COARSE)
        self.series.add(batch.times, coarse, labels, (~accepted).astype(np.int64))
        np.add.at(self.hours, (self._local_hours(batch.times), coarse), 1)
        first, last = int(batch.times.min()), int(batch.times.max())
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        draw = self._random.random(len(batch))
        for kept, keys, shown in (
            (self._points, draw, False),
            (self._least_sure, confidences, True),
            (self._sure, np.where(accepted, self._random.random(len(batch)), np.inf), True),
        ):
            kept.offer(
                [
                    (float(keys[i]), self._photo(batch, i, bool(accepted[i]), found, shown))
                    for i in kept.candidates(keys)
                ]
            )

    def _take_decisions(self, batch: Batch, found: Mapping[str, Decision], accepted: np.ndarray) -> None:
        seconds: list[float] = []
        times: list[int] = batch.times.tolist()
        for position, name in enumerate(batch.ids):
            decision = found.get(name) if name is not None else None
            if decision is not None:
                accepted[position] = decision.accepted
                seconds.append((decision.decided_at - times[position]) / 1e6)
        self.decided += len(seconds)
        np.add.at(self.latency, duration_bins(np.array(seconds)), 1)

    def _local_hours(self, times: Ints) -> Ints:
        quarters, position = np.unique(times // _QUARTER, return_inverse=True)
        hours = [from_microseconds(q * _QUARTER).astimezone(self.zone).hour for q in quarters.tolist()]
        return np.array(hours, np.int64)[position]

    @staticmethod
    def _photo(batch: Batch, position: int, accepted: bool, found: Mapping[str, Decision], shown: bool) -> DrawnPhoto:
        name = batch.ids[position]
        decision = found.get(name) if name is not None else None
        return DrawnPhoto(
            time=int(batch.times[position]),
            scores=tuple(batch.scores[position].tolist()),
            accepted=accepted,
            inference_id=name,
            picture=batch.inputs[position] if shown else None,
            object=decision.object if decision else None,
        )
