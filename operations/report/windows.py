"""Intervals of one width, and the photos in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from contract.decisions import OUTCOMES
from operations.arrays import Floats, Ints
from operations.captures.period import from_microseconds
from operations.report.photos import Photos

WIDTHS = (1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)
"""Seconds that a window may be wide."""
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until `end`: the times from position `first` until `last`."""

    start: datetime
    end: datetime
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Window:
    """The classified photos from `start` until `end`."""

    start: datetime
    end: datetime
    confidences: Floats
    classes: Ints
    """Photos by best label, in label order."""
    outcomes: Ints
    """Photos by outcome, in the order of OUTCOMES."""

    @property
    def count(self) -> int:
        """Photos in the window."""
        return len(self.confidences)


def cut(times: Ints, most: int, enough: int, offset: timedelta = timedelta()) -> list[Span]:
    """The narrowest equal spans of which there are at most `most`, with `enough` times in each on average.

    Spans without a time are left out.

    Args:
        times: microseconds since 1970, in rising order.
        most: spans.
        enough: times.
        offset: from UTC; moves the spans' edges to local hours and days.
    """
    if not len(times):
        return []
    shift = int(offset.total_seconds())
    seconds = times // SECOND + shift
    starts, width = np.unique(seconds // WIDTHS[0]), WIDTHS[0]
    for width in WIDTHS:
        starts = np.unique(seconds // width)
        if len(starts) == 1 or (len(starts) <= most and len(times) >= enough * len(starts)):
            break
    edges = np.searchsorted(seconds, [*(starts * width).tolist(), int(seconds[-1]) + 1]).tolist()
    return [
        Span(_moment(start * width - shift), _moment((start + 1) * width - shift), first, last)
        for start, first, last in zip(starts.tolist(), edges, edges[1:], strict=False)
    ]


def windows(photos: Photos, labels: int, most: int, enough: int, offset: timedelta = timedelta()) -> list[Window]:
    """The photos in the spans that `cut` makes of their times; `labels` is the number of labels."""
    return list(_windows(photos, labels, cut(photos.times, most, enough, offset)))


def _windows(photos: Photos, labels: int, spans: list[Span]) -> Iterator[Window]:
    for span in spans:
        inside = slice(span.first, span.last)
        yield Window(
            span.start,
            span.end,
            photos.confidences[inside],
            np.bincount(photos.labels[inside], minlength=labels),
            np.bincount(photos.outcomes[inside], minlength=len(OUTCOMES)),
        )


def _moment(second: int) -> datetime:
    return from_microseconds(second * SECOND)
