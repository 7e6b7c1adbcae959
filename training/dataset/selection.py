"""Images of the archive, by their rows: what is chosen and divided, without touching a pixel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from training.dataset.archive import Part

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Images of a part of the archive, by their rows, with their new labels."""

    part: Part
    rows: Rows
    """(n,)"""
    labels: Rows
    """(n,), from 0 in the order of the chosen classes, and after them the class neither"""

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Rows) -> Split:
        """The images at positions of this split, in that order."""
        return Split(self.part, self.rows[positions], self.labels[positions])

    def per_class(self, classes: Sequence[str]) -> dict[str, int]:
        """How many images each class has."""
        return {name: int((self.labels == label).sum()) for label, name in enumerate(classes)}

    def filenames(self) -> list[str]:
        """The archive's names of the images."""
        return [self.part.filenames[row] for row in cast("list[int]", self.rows.tolist())]

    def digests(self) -> list[bytes]:
        """The SHA-256 of each image's pixels."""
        pixels = self.part.pixels
        return [hashlib.sha256(pixels[row].data).digest() for row in cast("list[int]", self.rows.tolist())]

    def __add__(self, other: Split) -> Split:
        """The images of both, of one part of the archive."""
        assert self.part is other.part
        return Split(self.part, np.concatenate([self.rows, other.rows]), np.concatenate([self.labels, other.labels]))
