"""How counts become percentages: one rounding for every text, in which the parts of a whole sum to 100."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentages(counts: Sequence[int], *, tenths: bool = False) -> list[str]:
    """What part of their sum each count is, as text, such as `81 %`; of nothing `0 %` each.

    Whole percents, or tenths for all when a part would otherwise read as 0 or be lost in the rounding (below 1 %), or
    when `tenths` asks for them.
    What rounding takes from the sum goes to the parts with the largest remainders, so that the texts sum to 100.

    Raises:
        ValueError: a count is negative.
    """
    if any(count < 0 for count in counts):
        raise ValueError(f"counts must not be negative, got {list(counts)}")
    total = sum(counts)
    if total == 0:
        return ["0 %"] * len(counts)
    tenths = tenths or any(0 < 100 * count < total for count in counts)
    units = 1000 if tenths else 100
    parts = [units * count // total for count in counts]
    remainders = [units * count % total for count in counts]
    for index in sorted(range(len(counts)), key=lambda index: -remainders[index])[: units - sum(parts)]:
        parts[index] += 1
    return [_text(part, units, count, total) for part, count in zip(parts, counts, strict=True)]


def percent(share: float, *, tenths: bool = False) -> str:
    """A single share, from 0 to 1, rounded as a part of a whole is; in tenths where a whole percent is too coarse.

    Raises:
        ValueError: it is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share must be from 0 to 1, got {share!r}")
    # as a count of a billion: exact, but for shares nearer to 0 or 1 than any count that we have
    billion = 1_000_000_000
    count = round(share * billion)
    count = min(max(count, 1), billion - 1) if 0 < share < 1 else count
    return percentages([count, billion - count], tenths=tenths)[0]


def at_most(bound: float) -> str:
    """An upper bound of a share, in tenths of a percent and never below what it is.

    Raises:
        ValueError: it is outside [0, 1].
    """
    if not 0 <= bound <= 1:
        raise ValueError(f"a share must be from 0 to 1, got {bound!r}")
    return f"{math.ceil(round(1000 * bound, 6)) / 10:g} %"


def unbroken(text: str) -> str:
    """A text in which no line ends between a number and its %."""
    return text.replace(" %", "\u00a0%")


def _text(part: int, units: int, count: int, total: int) -> str:
    if units == 100:
        return f"{part} %"
    if count in (0, total):
        return f"{part // 10} %"
    if part == 0:
        return "under 0.1 %"
    if part == units:
        return "over 99.9 %"
    return f"{part / 10:.1f} %"
