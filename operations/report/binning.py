"""How confidences, times and durations are sorted into bins, for every count and picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FINE = 1000
"""Bins of the whole period's confidence histograms (0.001 wide)."""
COARSE = 100
"""Bins of a stretch of time (0.01 wide)."""
FINE_EDGES: Floats = np.arange(FINE + 1) / FINE

DECADES = (-3, 6)
PER_DECADE = 20
DURATION_EDGES: Floats = 10.0 ** np.linspace(*DECADES, (DECADES[1] - DECADES[0]) * PER_DECADE + 1)
"""Bins of durations in seconds, from a millisecond to eleven days, each 12 % wider than the one before."""


def confidence_bins(confidences: Floats) -> Ints:
    """The fine bin of each confidence: `edge <= confidence < next edge`, and 1.0 in the last one."""
    found = np.searchsorted(FINE_EDGES, confidences, side="right") - 1
    return np.clip(found, 0, FINE - 1).astype(np.int64)


def coarser(counts: Ints, bins: int) -> Ints:
    """The same counts in fewer `bins` (a divisor of the number there are), along the last axis."""
    return counts.reshape(*counts.shape[:-1], bins, -1).sum(axis=-1)


def duration_bins(seconds: Floats) -> Ints:
    """The bin of each duration; shorter and longer ones go to the first and the last."""
    found = np.searchsorted(DURATION_EDGES, seconds, side="right") - 1
    return np.clip(found, 0, len(DURATION_EDGES) - 2).astype(np.int64)


def quantile(counts: Ints, edges: Floats, share: float) -> float | None:
    """The value below which `share` of the counted values lie, interpolated; None without values."""
    total = int(counts.sum())
    if total == 0:
        return None
    upto = np.cumsum(counts)
    rank = share * total
    index = int(np.searchsorted(upto, rank, side="left"))
    while counts[index] == 0:  # share 0 lands on the empty bins before the first value
        index += 1
    within = (rank - (upto[index] - counts[index])) / counts[index]
    return float(edges[index] + min(max(within, 0.0), 1.0) * (edges[index + 1] - edges[index]))
