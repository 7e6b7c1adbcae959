"""How long things are kept."""

from __future__ import annotations

from dataclasses import dataclass

from components.parts import bounds
from components.parts.config_reader import ConfigReader

KEYS = (
    *("photoRetentionDays", "correctionRetentionDays", "captureRetentionDays", "decisionRetentionDays"),
    *("logRetentionDays", "protectData"),
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days things are kept."""

    photo_days: int
    """What arrived, its old versions included."""
    correction_days: int
    """What people answered, which is training data; its old versions included."""
    capture_days: int
    decision_days: int
    log_days: int


def read_retention(reader: ConfigReader) -> Retention:
    """How many days each thing is kept, as far as one may outlive the other."""
    photos = reader.whole_number("photoRetentionDays", *bounds.PHOTO_RETENTION_DAYS)
    captures = reader.whole_number("captureRetentionDays", *bounds.RETENTION_DAYS)
    decisions = reader.whole_number("decisionRetentionDays", *bounds.RETENTION_DAYS)
    for key, days, why in (
        ("photoRetentionDays", photos, "a photo whose decision is forgotten would be decided anew, and counts as lost"),
        ("captureRetentionDays", captures, "`operations forget` finds a photo's captures by its decision"),
    ):
        if reader.is_good(key) and reader.is_good("decisionRetentionDays") and days > decisions:
            reader.must(key, f"be at most decisionRetentionDays ({decisions}), as {why}", str(days))
    return Retention(
        photo_days=photos,
        correction_days=reader.whole_number("correctionRetentionDays", *bounds.PHOTO_RETENTION_DAYS),
        capture_days=captures,
        decision_days=decisions,
        log_days=reader.one_of_numbers("logRetentionDays", bounds.LOG_RETENTION_DAYS),
    )
