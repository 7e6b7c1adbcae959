"""Intervals for shares that were counted: one way for evaluations and reports."""

from __future__ import annotations

from scipy import stats  # pyright: ignore[reportMissingTypeStubs]


def wilson_interval(successes: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share: sensible for few photos and at 0 and 1; (0, 1) for none.

    Args:
        successes: how many of them.
        count: of how many.
        confidence: the probability with which such intervals hold the share.
    """
    if count <= 0:
        return 0.0, 1.0
    found = stats.binomtest(successes, count).proportion_ci(confidence_level=confidence, method="wilson")
    return float(found.low), float(found.high)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
