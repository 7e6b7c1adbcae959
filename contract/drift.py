"""How far the confidences of a window are from those of the baseline, and how far chance alone takes them.

The population stability index (PSI) of two histograms is `sum((p - q) * ln(p / q))` over their bins: 0 when
they have the same proportions, symmetric, without bound. Its size depends on the sample: divided by `1/n +
1/m` it is about chi-square distributed with bins - 1 degrees of freedom when nothing changed (Yurdakul,
Statistical Properties of Population Stability Index, 2018), as long as no bin is nearly empty:
`merge_sparse` sees to that.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

from contract.chi_square import chi_square_quantile

BINS = 20
BIN_EDGES = tuple(index / BINS for index in range(BINS + 1))
"""Of the confidence histograms; a bin holds `edge <= confidence < next edge`, the last one 1.0 too."""
LEAST_EXPECTED = 5.0
"""Observations a bin must hold in expectation for the chi-square law to be a fair one (Cochran's rule)."""
PSEUDO_OBSERVATIONS = 1.0
"""Added to each side by the smoothing of population_stability_index."""
FEWEST = 30
"""Observations below which a sample is not judged."""
PSI_MATTERS = 0.1
"""PSI below which a difference is of no practical size, however certain: the usual line of "look into it"."""
SIGNIFICANCE = 0.001
"""Probability of a false alarm per independent window."""


def confidence_histogram(confidences: Iterable[float]) -> list[int]:
    """How many confidences fall into each bin of BIN_EDGES. ValueError for one outside [0, 1]."""
    counts = [0] * BINS
    for confidence in confidences:
        if not 0 <= confidence <= 1:
            raise ValueError(f"confidence must be from 0 to 1, got {confidence!r}")
        counts[min(bisect_right(BIN_EDGES, confidence), BINS) - 1] += 1
    return counts


def population_stability_index(baseline_counts: Sequence[int], counts: Sequence[int]) -> float:
    """PSI of two histograms over the same bins, in nats.

    Smoothed so that a bin that is empty on one side stays finite: each side gets one observation more,
    spread over the bins as the mean of both sides' proportions is. So equal proportions still give exactly
    0, and bins empty on both sides count for nothing. ValueError for different lengths, negative counts or
    a side without observations.
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


def psi_critical_value(n_baseline: int, n_window: int, bins: int, significance: float = 0.01) -> float:
    """The PSI that two samples of one population exceed with probability `significance`, in nats.

    ValueError unless both samples have an observation, there are two bins or more, and 0 < significance < 1.
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
    the samples are too small or too alike to tell anything. ValueError as for population_stability_index.
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
class Drift:
    """How far a sample is from the baseline, and how far it may be."""

    psi: float
    limit: float
    """The PSI that chance gives with probability SIGNIFICANCE, but at least PSI_MATTERS."""

    @property
    def score(self) -> float:
        """Above 1 when the difference is both beyond chance and large enough to matter."""
        return self.psi / self.limit


def measure_drift(baseline_counts: Sequence[int], counts: Sequence[int]) -> Drift | None:
    """The drift of a histogram from the baseline's; None when either has fewer than FEWEST observations."""
    if min(sum(baseline_counts), sum(counts)) < FEWEST:
        return None
    before, now = merge_sparse(baseline_counts, counts)
    if len(before) < 2:
        return Drift(0.0, PSI_MATTERS)  # all in one bin, on both sides
    critical = psi_critical_value(sum(before), sum(now), len(before), SIGNIFICANCE)
    return Drift(population_stability_index(before, now), max(critical, PSI_MATTERS))


def _pairs(baseline_counts: Sequence[int], counts: Sequence[int]) -> list[tuple[int, int]]:
    """Both histograms bin by bin, checked."""
    if len(baseline_counts) != len(counts):
        raise ValueError(f"counts must have as many bins as the baseline, {len(baseline_counts)}, got {len(counts)}")
    for name, side in (("baseline_counts", baseline_counts), ("counts", counts)):
        if any(count < 0 for count in side) or not any(side):
            raise ValueError(f"{name} must hold an observation and nothing negative, got {list(side)}")
    return list(zip(baseline_counts, counts, strict=True))


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the evaluation saw on the held-out photos: the world as it was when the model was accepted."""

    created: datetime
    """When it was measured; aware."""
    model: str
    classes: tuple[str, ...]
    """In label order."""
    threshold: float
    count: int
    """Photos."""
    confidence_counts: tuple[int, ...]
    """Photos per bin of BIN_EDGES."""
    class_counts: Mapping[str, int]
    """Photos per predicted label."""
    below_threshold: int
    """Photos whose confidence was below `threshold`."""


class BaselineError(ValueError):
    """A baseline file that can't be used; the message names field, value and what is allowed."""


def parse_baseline(document: object) -> Baseline:
    """The baseline in a parsed baseline.json (version 1). Raises BaselineError."""
    if not _is_object(document):
        raise BaselineError(f"baseline must be an object, got {_shown(document)}")
    if document.get("version") != 1:
        raise BaselineError(f"baseline.version must be 1, got {_shown(document.get('version'))}")
    classes = document.get("classes")
    if not _is_texts(classes) or len(classes) < 2 or len(set(classes)) < len(classes):
        raise BaselineError(f"baseline.classes must be two or more different names, got {_shown(classes)}")
    threshold = document.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise BaselineError(f"baseline.threshold must be a number above 0 and up to 1, got {_shown(threshold)}")
    count = _count(document.get("count"), "count", least=1)
    below = _count(document.get("below_threshold"), "below_threshold")
    if below > count:
        raise BaselineError(f"baseline.below_threshold must be at most the count, {count}, got {below}")
    return Baseline(
        created=_created(document.get("created")),
        model=_model(document.get("model")),
        classes=tuple(classes),
        threshold=float(threshold),
        count=count,
        confidence_counts=_confidence_counts(document.get("confidence_histogram"), count),
        class_counts=_class_counts(document.get("class_counts"), classes, count),
        below_threshold=below,
    )


def _confidence_counts(histogram: object, count: int) -> tuple[int, ...]:
    name = "confidence_histogram"
    if not _is_object(histogram):
        raise BaselineError(f"baseline.{name} must be an object, got {_shown(histogram)}")
    edges, counts = histogram.get("edges"), histogram.get("counts")
    if not _is_list(edges) or len(edges) != len(BIN_EDGES) or not all(map(_same_edge, edges, BIN_EDGES)):
        raise BaselineError(f"baseline.{name}.edges must be 0.0, 0.05, … 1.0, got {_shown(edges)}")
    if not _is_list(counts) or len(counts) != BINS:
        raise BaselineError(f"baseline.{name}.counts must be {BINS} whole numbers, got {_shown(counts)}")
    numbers = tuple(_count(value, f"{name}.counts[{index}]") for index, value in enumerate(counts))
    if sum(numbers) != count:
        raise BaselineError(f"baseline.{name}.counts must sum to the count, {count}, got {sum(numbers)}")
    return numbers


def _class_counts(counts: object, classes: Sequence[str], count: int) -> dict[str, int]:
    if not _is_object(counts) or not set(counts) <= set(classes):
        raise BaselineError(f"baseline.class_counts must have the keys {list(classes)}, got {_shown(counts)}")
    numbers = {label: _count(counts.get(label, 0), f"class_counts.{label}") for label in classes}
    if sum(numbers.values()) != count:
        raise BaselineError(f"baseline.class_counts must sum to the count, {count}, got {sum(numbers.values())}")
    return numbers


def _count(value: object, name: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BaselineError(f"baseline.{name} must be a whole number of {least} or more, got {_shown(value)}")
    return value


def _created(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BaselineError(f"baseline.created must be an ISO 8601 time with its zone, got {_shown(value)}")
    return moment


def _model(value: object) -> str:
    if not isinstance(value, str):
        raise BaselineError(f"baseline.model must be a text, got {_shown(value)}")
    return value


def _same_edge(value: object, edge: float) -> bool:
    return isinstance(value, int | float) and math.isclose(value, edge, abs_tol=1e-9)


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return _is_list(value) and all(isinstance(item, str) for item in value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
