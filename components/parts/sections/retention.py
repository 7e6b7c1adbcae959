"""How long things are kept."""

from __future__ import annotations

from dataclasses import dataclass

from components.parts import bounds
from components.parts.config_reader import ConfigReader

KEYS = ("captureRetentionDays", "decisionRetentionDays", "logRetentionDays", "protectData")


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days things are kept."""

    capture_days: int
    decision_days: int
    log_days: int


def read_retention(reader: ConfigReader) -> Retention:
    """How many days each thing is kept."""
    return Retention(
        capture_days=reader.whole_number("captureRetentionDays", *bounds.RETENTION_DAYS),
        decision_days=reader.whole_number("decisionRetentionDays", *bounds.RETENTION_DAYS),
        log_days=reader.one_of_numbers("logRetentionDays", bounds.LOG_RETENTION_DAYS),
    )
