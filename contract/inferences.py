"""What a classifier may answer: one probability a class, in label order."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import cast

from contract.errors import InvalidInference

SUM_TOLERANCE = 0.01
"""How far the sum may lie from 1: a softmax in 32-bit floats, or in 16-bit ones with 100 classes, printed as
text stays within a tenth of this; an answer that is not a distribution does not."""
ROUNDING = 0.001
"""How far a score may lie outside [0, 1]: a 16-bit float next to 1 is exact to 0.0005."""


def read_inferences(answer: object, count: int) -> tuple[float, ...]:
    """Check a model's answer.

    Args:
        answer: a list of numbers or its JSON text, such as `[0.9, 0.1]` or `"[0.9, 0.1]"`.
        count: the number of classes.

    Returns:
        `count` finite probabilities in [0, 1], whose sum is 1 within `SUM_TOLERANCE`; what lies outside by no
        more than `ROUNDING` is rounded to 0 or 1.

    Raises:
        InvalidInference: anything else, with what is wrong.
    """
    if isinstance(answer, str | bytes):
        try:
            answer = cast("object", json.loads(answer))
        except (ValueError, RecursionError) as error:
            raise InvalidInference(f"inferences must be a JSON list of numbers, got {_short(answer)}") from error
    if not isinstance(answer, list | tuple):
        raise InvalidInference(f"inferences must be a list of numbers, got {_short(answer)}")
    items = cast("list[object] | tuple[object, ...]", answer)
    if len(items) != count:
        raise InvalidInference(f"inferences must hold {count} numbers, one a class, got {len(items)}")
    scores: list[float] = []
    for position, item in enumerate(items):
        # bool is an int to Python, never a probability to us
        if isinstance(item, bool) or not isinstance(item, int | float) or not -ROUNDING <= item <= 1 + ROUNDING:
            raise InvalidInference(f"inferences[{position}] must be a number from 0 to 1, got {_short(item)}")
        scores.append(min(max(float(item), 0.0), 1.0))
    total = math.fsum(scores)
    if abs(total - 1) > SUM_TOLERANCE:
        raise InvalidInference(f"inferences must sum to 1 within {SUM_TOLERANCE}, got {total:.6g}")
    return tuple(scores)


def best_of(scores: Sequence[float]) -> int:
    """The label of the greatest probability; of equal ones the first in label order, as NumPy's `argmax`."""
    return scores.index(max(scores))


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
