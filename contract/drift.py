"""How far the confidences of a window are from those of the baseline, and how far chance alone takes them.

The population stability index (PSI) of two histograms is `sum((p - q) * ln(p / q))` over their bins: 0 when
they have the same proportions, symmetric, without bound. Its size depends on the sample: divided by `1/n +
1/m` it is about chi-square distributed with bins - 1 degrees of freedom when nothing changed (Yurdakul,
Statistical Properties of Population Stability Index, 2018), as long as no bin is nearly empty:
`merge_sparse` sees to that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from contract.chi_square import chi_square_quantile
from contract.names import PROJECT

LEAST_EXPECTED = 5.0
"""Observations a bin must hold in expectation for the chi-square law to be a fair one (Cochran's rule)."""
PSEUDO_OBSERVATIONS = 1.0
"""Added to each side by the smoothing of population_stability_index."""
LEAST_SAMPLE = 30
"""Photos from which on a sample is judged, by the observe function as by the report."""
PSI_MATTERS = 0.1
"""PSI below which a difference is of no practical size, however certain: the usual line of "look into it"."""
DRIFT_EVENT_SOURCE = f"{PROJECT}.monitoring"
DRIFT_DETECTED = "DriftDetected"
"""The event of a drift, on the stack's bus, for a pipeline that retrains."""
SIGNIFICANCE = 0.001
"""Probability of a false alarm per independent window that the observe function judges."""


def population_stability_index(baseline_counts: Sequence[int], counts: Sequence[int]) -> float:
    """PSI of two histograms over the same bins, in nats.

    Smoothed so that a bin that is empty on one side stays finite: each side gets one observation more,
    spread over the bins as the mean of both sides' proportions is. So equal proportions still give exactly
    0, and bins empty on both sides count for nothing.

    Raises:
        ValueError: different lengths, negative counts, or a side without observations.
    """
    pairs = _pairs(baseline_counts, counts)
    n, m = sum(baseline_counts), sum(counts)
    first_weight = PSEUDO_OBSERVATIONS / (n + PSEUDO_OBSERVATIONS)
    second_weight = PSEUDO_OBSERVATIONS / (m + PSEUDO_OBSERVATIONS)
    total = 0.0
    for a, b in pairs:
        p, q = a / n, b / m
        if p == q:
            continue
        mean = (p + q) / 2
        p_smooth, q_smooth = p + first_weight * (mean - p), q + second_weight * (mean - q)
        total += (p_smooth - q_smooth) * math.log(p_smooth / q_smooth)
    return total


def psi_critical_value(n_baseline: int, n_window: int, bins: int, significance: float) -> float:
    """The PSI that two samples of one population exceed with probability `significance`, in nats.

    Raises:
        ValueError: a sample without an observation, fewer than two bins, or a significance outside (0, 1).
    """
    for name, value, least in (("n_baseline", n_baseline, 1), ("n_window", n_window, 1), ("bins", bins, 2)):
        if value < least:
            raise ValueError(f"{name} must be {least} or more, got {value}")
    if not 0 < significance < 1:
        raise ValueError(f"significance must be between 0 and 1, got {significance!r}")
    return (1 / n_baseline + 1 / n_window) * chi_square_quantile(significance, bins - 1)


def merge_sparse(
    baseline_counts: Sequence[int], counts: Sequence[int], least: float = LEAST_EXPECTED
) -> tuple[list[int], list[int]]:
    """Both histograms with neighbouring bins joined until each holds `least` observations in expectation.

    Expectation means: the mean of both proportions, in the smaller sample. (The proportion in both
    samples together would hide a small sample that lies where a large one has nothing.) One bin remains when
    the samples are too small or too alike to tell anything.

    Raises:
        ValueError: as population_stability_index does.
    """
    pairs = _pairs(baseline_counts, counts)
    n, m = sum(baseline_counts), sum(counts)
    merged: list[tuple[int, int]] = []
    first = second = 0
    for a, b in pairs:
        first, second = first + a, second + b
        if (first / n + second / m) / 2 * min(n, m) >= least:
            merged.append((first, second))
            first = second = 0
    if first or second or not merged:
        last = merged.pop() if merged else (0, 0)
        merged.append((last[0] + first, last[1] + second))
    return [a for a, _ in merged], [b for _, b in merged]


@dataclass(frozen=True, slots=True)
class ConfidenceDrift:
    """How far a sample is from the baseline, and how far it may be."""

    psi: float
    limit: float
    """The PSI that chance gives with probability SIGNIFICANCE, but at least PSI_MATTERS."""

    @property
    def score(self) -> float:
        """Above 1 when the difference is both beyond chance and large enough to matter."""
        return self.psi / self.limit


def confidence_drift(baseline_counts: Sequence[int], counts: Sequence[int]) -> ConfidenceDrift | None:
    """The drift of a histogram from the baseline's; None when either has fewer than LEAST_SAMPLE observations."""
    if min(sum(baseline_counts), sum(counts)) < LEAST_SAMPLE:
        return None
    before, now = merge_sparse(baseline_counts, counts)
    if len(before) < 2:
        return ConfidenceDrift(0.0, PSI_MATTERS)  # all in one bin, on both sides
    critical = psi_critical_value(sum(before), sum(now), len(before), SIGNIFICANCE)
    return ConfidenceDrift(population_stability_index(before, now), max(critical, PSI_MATTERS))


def _pairs(baseline_counts: Sequence[int], counts: Sequence[int]) -> list[tuple[int, int]]:
    """Both histograms bin by bin, checked."""
    if len(baseline_counts) != len(counts):
        raise ValueError(f"counts must have as many bins as the baseline, {len(baseline_counts)}, got {len(counts)}")
    for name, side in (("baseline_counts", baseline_counts), ("counts", counts)):
        if any(count < 0 for count in side) or not any(side):
            raise ValueError(f"{name} must hold an observation and nothing negative, got {list(side)}")
    return list(zip(baseline_counts, counts, strict=True))
