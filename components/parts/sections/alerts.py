"""Who is told, and when."""

from __future__ import annotations

from dataclasses import dataclass

from components.parts import bounds
from components.parts.config_reader import ConfigReader

KEYS = ("alertEmail", "reviewRateAlarmPercent", "retrainOnDrift", "monthlyBudgetDollars")


@dataclass(frozen=True, slots=True)
class Alerts:
    """Who is told, and when; no `email` means that nobody subscribes."""

    email: str | None
    review_rate_percent: int
    monthly_budget_dollars: int
    """What the stack may cost in a month before somebody is told; 0 for no budget."""
    retrain_on_drift: bool


def read_alerts(reader: ConfigReader) -> Alerts:
    """What is told, and to whom."""
    return Alerts(
        email=reader.pattern("alertEmail", bounds.EMAIL.pattern, f"{bounds.EMAIL.what} or empty"),
        review_rate_percent=reader.whole_number("reviewRateAlarmPercent", *bounds.REVIEW_RATE_PERCENT),
        monthly_budget_dollars=reader.whole_number("monthlyBudgetDollars", *bounds.BUDGET_DOLLARS),
        retrain_on_drift=reader.boolean("retrainOnDrift"),
    )
