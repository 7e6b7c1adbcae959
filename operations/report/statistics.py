"""Control limits and distances between distributions, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

from operations.arrays import Ints

THREE_SIGMA = 0.0027
"""The share of windows that a p-chart's three-sigma limits leave outside when nothing has changed."""


def control_limits(rate: float, count: int) -> tuple[float, float]:
    """The rates between which a window of `count` photos lies (both ends included) unless something changed.

    Exact binomial limits for the long-run `rate`, each side leaving out at most half of 0.27 %. For many
    photos they are the p-chart's `rate ± 3 sqrt(rate (1 - rate) / count)`; for few photos, where those would
    be wrong (below 0, or far too narrow on one side), they still hold.
    """
    if count <= 0:
        return 0.0, 1.0
    low = float(stats.binom.ppf(THREE_SIGMA / 2, count, rate))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    high = float(stats.binom.ppf(1 - THREE_SIGMA / 2, count, rate))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return low / count, high / count


def outside_limits(successes: Sequence[int], counts: Sequence[int], rate: float) -> list[int]:
    """The positions of the windows whose own rate lies outside the control limits around `rate`."""
    found: list[int] = []
    for index, (hits, count) in enumerate(zip(successes, counts, strict=True)):
        low, high = control_limits(rate, count)
        if not round(low * count) <= hits <= round(high * count):
            found.append(index)
    return found


def usual_rate(successes: Sequence[int], counts: Sequence[int]) -> float:
    """The rate of the windows that agree with each other, so that what went wrong does not define what is
    normal.

    All windows' pooled rate; while windows lie outside its limits, the one furthest out (in standard errors)
    is left out and the rate taken anew, until none is outside or half of the windows are gone.
    """
    kept = list(range(len(counts)))
    while True:
        hits, photos = sum(successes[i] for i in kept), sum(counts[i] for i in kept)
        rate = hits / photos if photos else 0.0
        outside = outside_limits([successes[i] for i in kept], [counts[i] for i in kept], rate)
        if not outside or 2 * (len(kept) - 1) < len(counts):
            return rate

        def deviation(position: int, rate: float = rate) -> float:
            index = kept[position]
            return abs(successes[index] - rate * counts[index]) / max(counts[index], 1) ** 0.5

        kept.pop(max(outside, key=deviation))


def ks_distance(first: Ints, second: Ints) -> float:
    """The greatest distance between two cumulative distributions, read at the bins' edges.

    Values inside a bin are not told apart, so it never exceeds the distance of the values themselves.
    """
    if first.sum() == 0 or second.sum() == 0:
        return 0.0
    return float(np.max(np.abs(np.cumsum(first) / first.sum() - np.cumsum(second) / second.sum())))


def ks_critical_distance(n_first: int, n_second: int, significance: float) -> float:
    """The distance that two samples of one distribution exceed with probability `significance`.

    Smirnov's limit law; for binned values the true probability is smaller.
    """
    effective = n_first * n_second / (n_first + n_second)
    return float(stats.kstwobign.isf(significance)) / float(np.sqrt(effective))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
