"""What the model tells apart, when its answer counts, and where each class loads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from components.parts import bounds
from components.parts.bounds import shown
from components.parts.config_reader import ConfigReader
from contract.classes import problem_with_classes
from contract.decisions import NEITHER, classes_of
from contract.thresholds import allowed_thresholds, is_threshold

KEYS = ("classes", "neitherClass", "confidenceThreshold", "loadingBays")
DECIMAL = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
"""Not all that Python's float takes: digits of other scripts, 0_9, nan."""


def read_classes(reader: ConfigReader) -> tuple[str, ...]:
    """The classes, in label order."""
    names = reader.texts("classes")
    if reader.is_good("classes"):
        problem = problem_with_classes(names)
        if problem:
            reader.must("classes", *problem)
    return tuple(names)


def read_threshold(reader: ConfigReader, labels: tuple[str, ...]) -> float:
    """The least confidence that is accepted."""
    text = reader.text("confidenceThreshold")
    if not (reader.is_good("confidenceThreshold") and reader.is_good("classes")):
        return 1.0
    threshold = float(text) if DECIMAL.fullmatch(text) else float("nan")
    if not is_threshold(threshold, len(labels)):
        reader.must("confidenceThreshold", f"be {allowed_thresholds(len(labels))}", shown(text))
    return threshold


def read_loading_bays(reader: ConfigReader, classes: tuple[str, ...]) -> Mapping[str, str]:
    """Class -> bay."""
    bays = reader.mapping("loadingBays")
    judge = bounds.problems_with_bays(
        bays, classes, classes_are_good=reader.is_good("loadingBays") and reader.is_good("classes")
    )
    for problem in list(judge):
        reader.must(f"loadingBays{problem.below}", problem.allowed, problem.got)
    return bounds.named_bays(bays)


def require_labels(reader: ConfigReader, labels: tuple[str, ...], held: tuple[str, ...], what: str, how: str) -> None:
    """Report classes that are not those of a dataset or a model."""
    if not (reader.is_good("classes") and reader.is_good("neitherClass")) or held == labels:
        return
    again = " (or prepare it again)" if how == "prepared" else ""
    if classes_of(held) != classes_of(labels):
        allowed = f"be the classes of {what}, {shown(list(classes_of(held)))} in this order{again}"
        reader.must("classes", allowed, shown(list(classes_of(labels))))
    else:
        has = NEITHER in held
        reader.must("neitherClass", f"be {str(has).lower()}, as {what} was {how}{again}", str(not has).lower())
