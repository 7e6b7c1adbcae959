"""Whether the photos of each window look to the model as those of the evaluation did, and since when they
don't.

Per window, against the baseline: the population stability index (PSI) and the Kolmogorov-Smirnov distance
(KS) of the confidences and of the predicted classes (KS in label order). A window has *changed* when a
measure is both beyond what chance gives for so many photos and so many comparisons (together 1 % of false
alarms, Bonferroni) and large enough to matter (PSI and KS of 0.1 or more: the usual line between "stable"
and "look into it").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from contract.baseline import BIN_EDGES, BINS, Baseline
from contract.drift import (
    LEAST_SAMPLE,
    PSI_MATTERS,
    merge_sparse,
    population_stability_index,
    psi_critical_value,
)
from operations.arrays import Ints
from operations.report.photos import NEITHER
from operations.report.statistics import ks_critical_distance, ks_distance
from operations.report.windows import Window

FALSE_ALARMS = 0.01
"""Probability of any false alarm in a whole report."""
DISTANCE_MATTERS = PSI_MATTERS
"""PSI or KS below which a difference is of no practical size, however certain."""

Verdict = Literal["same", "changed", "too few"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One distance from the baseline and the greatest that chance explains."""

    value: float
    critical: float

    @property
    def changed(self) -> bool:
        """Beyond chance and large enough to matter."""
        return self.value > self.critical and self.value >= DISTANCE_MATTERS


@dataclass(frozen=True, slots=True)
class WindowDrift:
    """One window against the baseline."""

    start: datetime
    end: datetime
    count: int
    verdict: Verdict
    confidence_psi: Measure
    confidence_ks: Measure
    class_psi: Measure
    class_ks: Measure
    confidence_counts: list[int]
    """In the baseline's bins."""
    class_counts: list[int]
    strangers: int
    """Photos of none of the classes."""

    @property
    def confidence_changed(self) -> bool:
        """Whether the confidences differ from the baseline's."""
        return self.verdict == "changed" and (self.confidence_psi.changed or self.confidence_ks.changed)

    @property
    def classes_changed(self) -> bool:
        """Whether the class mix differs from the baseline's."""
        return self.verdict == "changed" and (self.class_psi.changed or self.class_ks.changed)


@dataclass(frozen=True, slots=True)
class Drift:
    """All windows against the baseline."""

    model: str
    created: datetime
    count: int
    """Photos of the baseline."""
    classes: tuple[str, ...]
    median_confidence: float
    class_shares: list[float]
    below_threshold: float
    """The share of the baseline's photos below its threshold."""
    significance: float
    """Of each comparison, after the correction for their number."""
    comparisons: int
    whole: WindowDrift | None
    """The whole period as one window; None without photos."""
    windows: list[WindowDrift]

    @property
    def verdict(self) -> Literal["same", "changed", "changed back", "too few"]:
        """What the windows say together: the last judged window tells how it is now."""
        judged = [window for window in self.judged if window.verdict != "too few"]
        if not judged:
            return "too few"
        if judged[-1].verdict == "changed":
            return "changed"
        if any(window.verdict == "changed" for window in judged[:-1]):
            return "changed back"
        return "changed" if self.whole and self.whole.verdict == "changed" else "same"

    @property
    def judged(self) -> list[WindowDrift]:
        """The windows with enough photos; the whole period when none has."""
        enough = [window for window in self.windows if window.verdict != "too few"]
        return enough or ([self.whole] if self.whole else [])


def median_confidence(windows: Sequence[WindowDrift]) -> float:
    """The median confidence in all the windows together."""
    counts = np.sum([window.confidence_counts for window in windows], axis=0)
    return _median(counts)


def class_shares(windows: Sequence[WindowDrift]) -> list[float]:
    """The share of each class in all the windows together."""
    return _shares(np.sum([window.class_counts for window in windows], axis=0))


def measure_drift(baseline: Baseline, windows: Sequence[Window], label_order: Sequence[str]) -> Drift:
    """Compare each window, and all of them together, with the baseline."""
    base_confidence = np.array(baseline.confidence_counts, np.int64)
    base_classes = np.array([baseline.class_counts.get(label, 0) for label in label_order], np.int64)
    whole = _joined(windows)
    judged = sum(window.count >= LEAST_SAMPLE for window in windows) + (whole is not None and len(windows) > 1)
    comparisons = 4 * max(judged, 1)
    significance = FALSE_ALARMS / comparisons

    def against(window: Window) -> WindowDrift:
        confidence = np.histogram(window.confidences, BIN_EDGES)[0]
        measures = (
            _psi(base_confidence, confidence, significance),
            _ks(base_confidence, confidence, significance),
            _psi(base_classes, window.classes, significance),
            _ks(base_classes, window.classes, significance),
        )
        verdict: Verdict = "same"
        if window.count < LEAST_SAMPLE:
            verdict = "too few"
        elif any(measure.changed for measure in measures):
            verdict = "changed"
        return WindowDrift(
            window.start,
            window.end,
            window.count,
            verdict,
            *measures,
            confidence_counts=confidence.tolist(),
            class_counts=window.classes.tolist(),
            strangers=int(window.outcomes[NEITHER]),
        )

    return Drift(
        model=baseline.model,
        created=baseline.created,
        count=baseline.count,
        classes=tuple(label_order),
        median_confidence=_median(base_confidence),
        class_shares=_shares(base_classes),
        below_threshold=baseline.below_threshold / max(baseline.count, 1),
        significance=significance,
        comparisons=comparisons,
        whole=against(whole) if whole else None,
        windows=[against(window) for window in windows],
    )


def _joined(windows: Sequence[Window]) -> Window | None:
    if not windows:
        return None
    return Window(
        windows[0].start,
        windows[-1].end,
        np.concatenate([window.confidences for window in windows]),
        np.sum([window.classes for window in windows], axis=0),
        np.sum([window.outcomes for window in windows], axis=0),
    )


def _median(counts: Ints) -> float:
    """The middle of the counted confidences, interpolated within its bin; 0 for none."""
    if not counts.sum():
        return 0.0
    upto: list[int] = np.cumsum(counts).tolist()
    half = upto[-1] / 2
    at = next(index for index, below in enumerate(upto) if below >= half)
    inside = int(counts[at])
    return BIN_EDGES[at] + (half - (upto[at] - inside)) / inside / BINS


def _psi(baseline: Ints, counts: Ints, significance: float) -> Measure:
    first, second = merge_sparse(baseline.tolist(), counts.tolist())
    if len(first) < 2:
        return Measure(0.0, 0.0)
    return Measure(
        population_stability_index(first, second),
        psi_critical_value(sum(first), sum(second), len(first), significance),
    )


def _ks(baseline: Ints, counts: Ints, significance: float) -> Measure:
    return Measure(
        ks_distance(baseline, counts),
        ks_critical_distance(int(baseline.sum()), int(counts.sum()), significance),
    )


def _shares(counts: Ints) -> list[float]:
    return (counts / max(int(counts.sum()), 1)).tolist()
