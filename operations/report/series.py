"""Counts over time in a fixed amount of memory: the stretches grow wider as the time covered grows longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from operations.captures.period import from_microseconds
from operations.report.binning import COARSE, Ints

WIDTHS = (1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)
"""Seconds of a stretch; each divides the next, so that stretches can be joined."""
MOST_STRETCHES = 2048
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted from `start` until `end`."""

    start: datetime
    end: datetime
    confidences: Ints
    """COARSE bins."""
    classes: Ints
    """Predicted labels, in label order."""
    review: int

    @property
    def count(self) -> int:
        """Photos in the window."""
        return int(self.classes.sum())


class Series:
    """Photos per stretch of time: confidence histogram, predicted labels, photos sent to people."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._level = 0
        self._stretches: dict[int, Ints] = {}

    @property
    def width(self) -> int:
        """Seconds that one stretch covers now."""
        return WIDTHS[self._level]

    def add(self, times: Ints, coarse_bins: Ints, labels: Ints, review: Ints) -> None:
        """Count photos: `times` in microseconds since 1970, `review` 1 for those sent to people, else 0."""
        starts, position = np.unique(times // (self.width * SECOND), return_inverse=True)
        rows = np.zeros((len(starts), COARSE + self._classes + 1), np.int64)
        np.add.at(rows, (position, coarse_bins), 1)
        np.add.at(rows, (position, COARSE + labels), 1)
        np.add.at(rows[:, -1], position, review)
        for start, row in zip(starts.tolist(), rows, strict=True):
            self._put(self._stretches, start, row)
        while len(self._stretches) > MOST_STRETCHES and self._level + 1 < len(WIDTHS):
            self._widen()

    def windows(self, most: int, enough: int, offset: timedelta = timedelta()) -> list[Window]:
        """The counts in the narrowest equal windows of which there are at most `most`, with `enough` photos
        on average.

        Windows without a photo are left out. `offset` from UTC moves their edges to local hours and days.
        """
        if not self._stretches:
            return []
        shift = int(offset.total_seconds())
        total = sum(int(row[COARSE:-1].sum()) for row in self._stretches.values())
        joined: dict[int, Ints] = {}
        width = self.width
        for width in WIDTHS[self._level :]:
            moved = shift if shift % self.width == 0 else 0
            joined = {}
            for start, row in self._stretches.items():
                begin = (start * self.width + moved) // width * width - moved
                self._put(joined, begin, row)
            if len(joined) == 1 or (len(joined) <= most and total >= enough * len(joined)):
                break
        return [self._window(start, width, joined[start]) for start in sorted(joined)]

    def _window(self, start: int, width: int, row: Ints) -> Window:
        return Window(
            start=from_microseconds(start * SECOND),
            end=from_microseconds((start + width) * SECOND),
            confidences=row[:COARSE],
            classes=row[COARSE:-1],
            review=int(row[-1]),
        )

    def _widen(self) -> None:
        factor = WIDTHS[self._level + 1] // self.width
        joined: dict[int, Ints] = {}
        for start, row in self._stretches.items():
            self._put(joined, start // factor, row)
        self._stretches = joined
        self._level += 1

    @staticmethod
    def _put(stretches: dict[int, Ints], start: int, row: Ints) -> None:
        there = stretches.get(start)
        if there is None:
            stretches[start] = row.copy()
        else:
            stretches[start] = there + row
