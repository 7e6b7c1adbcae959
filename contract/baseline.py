"""The baseline: how sure the model was of held-out photos, for drift to be measured against.

`python -m training evaluate` writes it as baseline.json; the observe function and the report read it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

from contract.inferences import best_of
from contract.thresholds import allowed_thresholds, is_threshold

VERSION = 1
"""Of the file's format."""
BINS = 20
BIN_EDGES = tuple(index / BINS for index in range(BINS + 1))
"""Of confidence histograms; a bin holds `edge <= confidence < next edge`, the last one 1.0 too."""


def bin_of(confidence: float) -> int:
    """The bin that holds a confidence.

    Raises:
        ValueError: it is outside [0, 1].
    """
    if not 0 <= confidence <= 1:
        raise ValueError(f"confidence must be from 0 to 1, got {confidence!r}")
    return min(bisect_right(BIN_EDGES, confidence), BINS) - 1


def confidence_histogram(confidences: Iterable[float]) -> list[int]:
    """How many confidences fall into each bin of BIN_EDGES.

    Raises:
        ValueError: one is outside [0, 1].
    """
    counts = [0] * BINS
    for confidence in confidences:
        counts[bin_of(confidence)] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the evaluation saw on the held-out photos: the world as it was when the model was accepted."""

    created: datetime
    """When it was measured; aware."""
    model: str
    classes: tuple[str, ...]
    """The model's labels, in label order."""
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


def measure_baseline(
    scores: Iterable[Sequence[float]], *, classes: Sequence[str], threshold: float, model: str, created: datetime
) -> Baseline:
    """The baseline of the photos with those scores.

    Args:
        scores: each photo's probabilities, one a class.
        classes: the model's labels, in label order.
        threshold: what the stack accepts from.
        model: its training job.
        created: when the photos were scored; aware.
    """
    confidences: list[float] = []
    class_counts = dict.fromkeys(classes, 0)
    for photo in scores:
        best = best_of(photo)
        confidences.append(photo[best])
        class_counts[classes[best]] += 1
    return Baseline(
        created=created,
        model=model,
        classes=tuple(classes),
        threshold=threshold,
        count=len(confidences),
        confidence_counts=tuple(confidence_histogram(confidences)),
        class_counts=class_counts,
        below_threshold=sum(confidence < threshold for confidence in confidences),
    )


def to_document(baseline: Baseline) -> dict[str, object]:
    """What baseline.json holds, for `json.dumps`; `parse_baseline` reads it back."""
    return {
        "version": VERSION,
        "created": baseline.created.isoformat(),
        "model": baseline.model,
        "classes": list(baseline.classes),
        "threshold": baseline.threshold,
        "count": baseline.count,
        "confidence_histogram": {"edges": list(BIN_EDGES), "counts": list(baseline.confidence_counts)},
        "class_counts": dict(baseline.class_counts),
        "below_threshold": baseline.below_threshold,
    }


def parse_baseline(document: object) -> Baseline:
    """The baseline in a parsed baseline.json.

    Raises:
        BaselineError: a field is missing, of the wrong type, or contradicts another.
    """
    if not _is_object(document):
        raise BaselineError(f"baseline must be an object, got {_shown(document)}")
    if document.get("version") != VERSION:
        raise BaselineError(f"baseline.version must be {VERSION}, got {_shown(document.get('version'))}")
    classes = document.get("classes")
    if not _is_strings(classes) or len(classes) < 2 or len(set(classes)) < len(classes):
        raise BaselineError(f"baseline.classes must be two or more different names, got {_shown(classes)}")
    count = _count(document.get("count"), "count", least=1)
    below = _count(document.get("below_threshold"), "below_threshold")
    if below > count:
        raise BaselineError(f"baseline.below_threshold must be at most the count, {count}, got {below}")
    return Baseline(
        created=_created(document.get("created")),
        model=_model(document.get("model")),
        classes=tuple(classes),
        threshold=_threshold(document.get("threshold"), len(classes)),
        count=count,
        confidence_counts=_confidence_counts(document.get("confidence_histogram"), count),
        class_counts=_class_counts(document.get("class_counts"), classes, count),
        below_threshold=below,
    )


def _threshold(value: object, labels: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_threshold(value, labels):
        raise BaselineError(f"baseline.threshold must be {allowed_thresholds(labels)}, got {_shown(value)}")
    return float(value)


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
        raise BaselineError(f"baseline.model must be a string, got {_shown(value)}")
    return value


def _same_edge(value: object, edge: float) -> bool:
    return isinstance(value, int | float) and math.isclose(value, edge, abs_tol=1e-9)


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_strings(value: object) -> TypeGuard[list[str]]:
    return _is_list(value) and all(isinstance(item, str) for item in value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
