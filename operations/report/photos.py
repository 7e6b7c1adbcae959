"""Every decided photo of a period as columns, and the few that are shown with their pictures.

A million photos take 40 MB so; of the captured pictures only those that the page shows are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from contract.decisions import OUTCOMES, Outcome
from operations.arrays import Floats, Ints
from operations.captures.records import Batch, Picture
from operations.report.decisions import Decisions
from operations.report.executions import Executions
from operations.report.sample import Smallest

SHOWN = 12
"""Pictures in each gallery."""
INDEX: dict[Outcome, int] = {outcome: index for index, outcome in enumerate(OUTCOMES)}
"""Where an outcome lies in counts."""
ACCEPTED, REVIEW, NEITHER, FAULT = (INDEX[outcome] for outcome in ("accepted", "review", "neither", "fault"))


@dataclass(frozen=True, slots=True)
class Example:
    """A photo that is shown."""

    time: int
    """Microseconds since 1970."""
    scores: tuple[float, ...]
    outcome: Outcome
    inference_id: str | None
    picture: Picture | None
    object: str | None
    """`bucket/key`, when a recorded decision says it."""


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos that the model's answer decided on, in order of time, as columns of equal length."""

    times: Ints
    """Microseconds since 1970."""
    labels: Ints
    """The best label's position in label order."""
    confidences: Floats
    outcomes: Ints
    """Positions in OUTCOMES."""
    seconds: Floats
    """From the inference to its recorded decision; NaN without one."""
    least_sure: list[Example]
    """Least first."""
    sure: list[Example]
    """A random sample of the accepted ones, in order of time."""
    strangers: list[Example]
    """A random sample, in order of time."""

    def __len__(self) -> int:
        return len(self.times)


class Collector:
    """Collects inferences into Photos.

    A photo's outcome is what its recorded decision says, unless the execution that recorded it ended in a fault
    afterwards; without a decision, how its execution ended; without that, what the threshold says today.

    Args:
        threshold: the least confidence that is accepted.
        neither: the position of the label of strangers; None for a model without it.
        decisions: those recorded.
        executions: how they ended.
        seed: draws the samples.
    """

    def __init__(
        self,
        threshold: float,
        neither: int | None,
        decisions: Decisions | None = None,
        executions: Executions | None = None,
        seed: int = 0,
    ) -> None:
        self._threshold, self._neither, self._decisions = threshold, neither, decisions
        self._unrecorded: Mapping[str, Outcome] = executions.unrecorded if executions else {}
        faults = executions.faults if executions else []
        self._faults = {(fault.inference_id, fault.execution) for fault in faults}
        self._faulted = {name for name, _ in self._faults}
        self._random = np.random.default_rng(seed)
        self._columns: list[tuple[Ints, Ints, Floats, Ints, Floats]] = []
        self._least_sure: Smallest[Example] = Smallest(SHOWN)
        self._sure: Smallest[Example] = Smallest(SHOWN)
        self._strangers: Smallest[Example] = Smallest(SHOWN)

    def add(self, batch: Batch) -> None:
        """Take a batch."""
        if not len(batch):
            return
        labels = batch.scores.argmax(axis=1).astype(np.int64)
        confidences: Floats = batch.scores.max(axis=1)
        outcomes = np.where(confidences >= self._threshold, ACCEPTED, REVIEW).astype(np.int64)
        if self._neither is not None:
            outcomes[labels == self._neither] = NEITHER
        seconds = np.full(len(batch), np.nan)
        self._take_what_is_known(batch, outcomes, seconds)
        self._columns.append((batch.times, labels, confidences, outcomes, seconds))
        drawn = self._random.random(len(batch))
        for kept, keys in (
            (self._least_sure, np.where(outcomes == FAULT, np.inf, confidences)),
            (self._sure, np.where(outcomes == ACCEPTED, drawn, np.inf)),
            (self._strangers, np.where(outcomes == NEITHER, drawn, np.inf)),
        ):
            kept.offer([(float(keys[at]), self._example(batch, at, outcomes)) for at in kept.candidates(keys)])

    def photos(self) -> Photos:
        """What was collected, but for those that ended in a fault."""
        empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0))
        times, labels, confidences, outcomes, seconds = (
            np.concatenate(column) for column in zip(*(self._columns or [empty]), strict=True)
        )
        order = np.argsort(times, kind="stable")
        order = order[outcomes[order] != FAULT]
        return Photos(
            times[order],
            labels[order],
            confidences[order],
            outcomes[order],
            seconds[order],
            self._least_sure.items,
            sorted(self._sure.items, key=lambda example: example.time),
            sorted(self._strangers.items, key=lambda example: example.time),
        )

    def _take_what_is_known(self, batch: Batch, outcomes: Ints, seconds: Floats) -> None:
        times: list[int] = batch.times.tolist()
        for position, name in enumerate(batch.ids):
            if name is None:
                continue
            decision = self._decisions.find(name) if self._decisions is not None else None
            if decision is not None:
                outcomes[position] = INDEX[decision.outcome]
                seconds[position] = (decision.decided_at - times[position]) / 1e6
                if (name, decision.execution) in self._faults:
                    outcomes[position] = FAULT
            elif name in self._faulted:
                outcomes[position] = FAULT
            elif (ended := self._unrecorded.get(name)) is not None:
                outcomes[position] = INDEX[ended]

    def _example(self, batch: Batch, position: int, outcomes: Ints) -> Example:
        name = batch.ids[position]
        decision = self._decisions.find(name) if self._decisions is not None and name is not None else None
        return Example(
            time=int(batch.times[position]),
            scores=tuple(batch.scores[position].tolist()),
            outcome=OUTCOMES[int(outcomes[position])],
            inference_id=name,
            picture=batch.inputs[position],
            object=decision.object if decision else None,
        )
