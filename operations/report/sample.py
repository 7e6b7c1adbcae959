"""A fixed number of records kept out of any number seen: the least sure ones, or a random sample."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from operations.arrays import Floats

T = TypeVar("T")


class Smallest(Generic[T]):
    """Keeps the `size` items with the smallest keys; among equal keys, those that came first.

    With uniform random keys that is a random sample without replacement of everything offered.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[float, T]] = []

    @property
    def limit(self) -> float:
        """Keys at or above it are not kept any more (infinite while there is room)."""
        return self._kept[-1][0] if len(self._kept) == self._size else float("inf")

    def candidates(self, keys: Floats) -> list[int]:
        """The positions in a batch of `keys` that may be kept: at most `size`, in order of the batch."""
        positions = np.flatnonzero(keys < self.limit)
        if len(positions) > self._size:
            positions = np.sort(positions[np.argsort(keys[positions], kind="stable")[: self._size]])
        return positions.tolist()

    def offer(self, items: list[tuple[float, T]]) -> None:
        """Keep those of `items` (key, item) whose keys are small enough."""
        self._kept = sorted(self._kept + items, key=lambda item: item[0])[: self._size]

    @property
    def items(self) -> list[T]:
        """What is kept, smallest key first."""
        return [item for _, item in self._kept]
