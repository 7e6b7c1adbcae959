"""Which confidence thresholds mean something: one rule for settings, functions, evaluation and report."""

from __future__ import annotations


def is_threshold(value: float, labels: int | None) -> bool:
    """Whether a photo can be below `value` as well as at or above it.

    Args:
        value: a probability; NaN is none.
        labels: how many labels the model has, two or more; None when that is not known yet.
    """
    # the greatest of n probabilities is never below 1/n: from there down, everything would be accepted
    return (1 / labels if labels else 0) < value <= 1


def allowed_thresholds(labels: int | None) -> str:
    """What `is_threshold` allows, for a message: "a number above 0.5 and at most 1 for 2 labels"."""
    return (
        f"a number above {1 / labels:.4g} and at most 1 for {labels} labels"
        if labels
        else ("a number above 0 and at most 1")
    )
