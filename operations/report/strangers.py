"""How many photos of none of the classes came, against how many the model would see if none did."""

from __future__ import annotations

from dataclasses import dataclass

from contract.baseline import Baseline
from contract.decisions import NEITHER
from contract.intervals import wilson_interval
from operations.report.statistics import control_limits


@dataclass(frozen=True, slots=True)
class StrangersSeen:
    """The photos of a period whose best label is the one for none of the classes."""

    count: int
    photos: int
    """All classified photos of the period."""
    mistaken_share: float | None
    """Of the evaluation's photos, all of which show a class, those that were taken for strangers; None without one."""
    expected: float | None
    """Strangers among so many photos if all of them showed a class."""
    most_by_chance: int | None
    """Strangers that chance explains if all photos showed a class."""

    @property
    def came(self) -> bool:
        """Whether there are more than mistakes and chance explain."""
        return self.most_by_chance is not None and self.count > self.most_by_chance


def count_strangers(count: int, photos: int, baseline: Baseline | None) -> StrangersSeen:
    """Compare `count` strangers among `photos` with the mistakes of the evaluation.

    The evaluation's share is itself a sample: chance is that of the upper end of its 95 % Wilson interval.
    """
    if baseline is None or NEITHER not in baseline.classes:
        return StrangersSeen(count, photos, None, None, None)
    mistaken = baseline.class_counts.get(NEITHER, 0)
    share = mistaken / baseline.count
    _, high = control_limits(wilson_interval(mistaken, baseline.count)[1], photos)
    return StrangersSeen(count, photos, share, share * photos, round(high * photos))
