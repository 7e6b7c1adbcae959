"""A trace of a photo: one thing that is left of it, and how it is removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that is left of a photo."""

    place: str
    """photos, decisions, review queue, dead letters, corrections, captures or batch results."""
    name: str
    remove: Callable[[], None]
