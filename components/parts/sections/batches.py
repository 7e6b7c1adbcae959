"""How everything under a prefix is classified."""

from __future__ import annotations

from dataclasses import dataclass

from components.parts import bounds
from components.parts.config_reader import ConfigReader

KEYS = ("batchConcurrency", "batchToleratedFailurePercent")


@dataclass(frozen=True, slots=True)
class Batches:
    """How many photos at a time, and how many faults are borne."""

    concurrency: int
    tolerated_failure_percent: int


def read_batches(reader: ConfigReader) -> Batches:
    """The settings of batches."""
    return Batches(
        concurrency=reader.whole_number("batchConcurrency", *bounds.BATCH_CONCURRENCY),
        tolerated_failure_percent=reader.whole_number(
            "batchToleratedFailurePercent", *bounds.TOLERATED_FAILURE_PERCENT
        ),
    )
