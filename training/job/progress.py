"""How far a training job is, what it has reached and what it costs: pure functions over what AWS says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from training.job.prices import PRICES_AS_OF, REGION, USD_PER_HOUR

ENDED_JOB = ("Completed", "Failed", "Stopped")
_EPOCH = re.compile(r"Epoch\[(\d+)\] (Train|Validation)-accuracy=(\d+(?:\.\d+)?(?:e-?\d+)?)")


@dataclass(frozen=True, slots=True)
class Job:
    """What DescribeTrainingJob says that matters to somebody who waits."""

    name: str
    status: str
    """InProgress, Completed, Failed, Stopping or Stopped."""
    stage: str
    """Starting, Downloading, Training, Uploading …"""
    failure_reason: str
    epochs: int | None
    """How many it was asked for; it may stop earlier."""
    instance_type: str
    instances: int
    spot: bool
    started: datetime | None
    """When the instances began; None while it waits for them."""
    ended: datetime | None
    billable_seconds: int | None
    """Per instance; AWS tells it at the end."""
    artifact: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED_JOB


@dataclass(slots=True)
class Learning:
    """Accuracy by epoch, as the log tells it."""

    train: dict[int, float] = field(default_factory=dict[int, float])
    validation: dict[int, float] = field(default_factory=dict[int, float])

    def read(self, lines: Iterable[str]) -> list[int]:
        """Take in log lines, such as `Epoch[3] Validation-accuracy=0.81`; the epochs that came to their end."""
        finished: list[int] = []
        for line in lines:
            for epoch, kind, accuracy in _EPOCH.findall(line):
                (self.train if kind == "Train" else self.validation)[int(epoch)] = float(accuracy)
                if kind == "Validation":
                    finished.append(int(epoch))
        return finished

    @property
    def epochs_done(self) -> int:
        """How many epochs have been validated, counting from the job's first."""
        return max(self.validation, default=-1) + 1

    @property
    def best(self) -> tuple[int, float] | None:
        """Epoch (from 0) and accuracy of the best validation, whose weights the job keeps."""
        if not self.validation:
            return None
        epoch = max(self.validation, key=lambda each: self.validation[each])
        return epoch, self.validation[epoch]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job costs so far."""

    seconds: int
    """Billed, or to be billed at most."""
    usd: float | None
    """None when the instance's price is not known."""
    kind: Literal["billed", "at most"]
    """`billed`: from AWS's own count of billable seconds. `at most`: from the clock; spot costs less."""
    price: str
    """Where the price comes from."""

    @property
    def text(self) -> str:
        """The amount for people."""
        if self.usd == 0:
            return "nothing"
        if self.usd is None:
            return "price unknown"
        amount = f"${self.usd:.4f}" if self.usd < 0.1 else f"${self.usd:.2f}"
        return amount if self.kind == "billed" else f"at most {amount}"


def cost_of(job: Job, now: datetime, price_per_hour: float | None = None, *, local: bool = False) -> Cost:
    """The cost of a job so far.

    Args:
        job: as AWS describes it.
        now: what the clock says; a job that has not ended is billed until then at most.
        price_per_hour: US dollars an instance and hour; None for the price table's.
        local: it trains on this machine, whatever instance it asked for: nobody bills that.
    """
    price = price_per_hour if price_per_hour is not None else USD_PER_HOUR.get(job.instance_type)
    if local:
        price, source = 0.0, "trained on this machine"
    elif price_per_hour is not None:
        source = f"${price_per_hour:g} an hour, as given"
    elif price is None:
        source = f"no price known for {job.instance_type}: give --price-per-hour"
    else:
        source = f"${price:g} an hour on demand in {REGION}, as of {PRICES_AS_OF}"
    if job.billable_seconds is not None:
        seconds, kind = job.billable_seconds, "billed"
    else:
        until = job.ended or now
        seconds = max(0, round((until - job.started).total_seconds())) if job.started else 0
        kind = "at most"
    seconds *= job.instances
    return Cost(seconds, None if price is None else price * seconds / 3600, kind, source)


def epochs_asked(hyperparameters: Mapping[str, str]) -> int | None:
    """The `epochs` of a job's hyperparameters; None when they don't say."""
    text = hyperparameters.get("epochs", "")
    return int(text) if text.isdecimal() else None
