"""Which classes a stack may have: one rule for its settings and for the dataset that is prepared for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contract.decisions import NEITHER

FEWEST_CLASSES, MOST_CLASSES = 2, 100
"""As many as CIFAR-100 has."""
CLASS_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""What folders, metric dimensions and events can all hold."""


def problem_with_classes(classes: Sequence[str]) -> tuple[str, str] | None:
    """What is wrong with a list of classes; None when nothing is.

    Returns:
        What the list must do, and what it does instead: `must {0}, got {1}`.
    """
    if not FEWEST_CLASSES <= len(classes) <= MOST_CLASSES:
        return f"hold {FEWEST_CLASSES} to {MOST_CLASSES} names", f"{len(classes)}: {', '.join(classes) or 'none'}"
    if twice := [name for name in dict.fromkeys(classes) if classes.count(name) > 1]:
        return "hold every name once", f"{', '.join(twice)} more than once"
    if odd := [name for name in classes if not CLASS_NAME.fullmatch(name)]:
        return "be names of small letters, digits, _ and -", ", ".join(odd)
    if NEITHER in classes:
        return f"leave the name {NEITHER} to pictures of none of them", NEITHER
    return None
