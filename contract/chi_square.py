"""The chi-square distribution for whole degrees of freedom; SciPy is too heavy for a function."""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=256)
def chi_square_quantile(tail: float, freedom: int) -> float:
    """The value that a chi-square variable exceeds with probability `tail`, by bisection."""
    low, high = 0.0, float(freedom)
    while chi_square_tail(high, freedom) > tail:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if chi_square_tail(middle, freedom) > tail else (low, middle)
    return high


def chi_square_tail(x: float, freedom: int) -> float:
    """P(X > x): the closed form for whole degrees of freedom (a Poisson sum, and erfc for odd ones)."""
    half = x / 2
    if freedom % 2:
        total, power = math.erfc(math.sqrt(half)), 0.5
    else:
        total, power = 0.0, 0.0
    while power < freedom / 2:
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1)) if half else float(power == 0)
        power += 1
    return total
