"""What there is to see of photos: executions, rows, messages, events, alerts, dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.photos import StoredObject
from operations.review.queue import UNKNOWN_VERSION, Waiting


@dataclass
class Ended:
    """What became of an execution."""

    arn: str
    photo: StoredObject | None
    status: str
    error: str | None
    cause: str | None


@dataclass
class Seen:
    """What there is to see of all photos."""

    ended: list[Ended]
    rows: dict[tuple[str, str], Mapping[str, Any]]
    waiting: list[Waiting]
    published: list[Mapping[str, Any]]
    alerts: list[str]
    letters: list[StoredObject]


def runs_of(seen: Seen, photo: StoredObject) -> list[Ended]:
    """The executions that named it; an event may have named no version, or nothing at all."""
    if not photo.key:
        return [each for each in seen.ended if each.photo is None]
    without = StoredObject(photo.bucket, photo.key, "")
    return [each for each in seen.ended if each.photo in (photo, without)]


def messages_of(seen: Seen, photo: StoredObject) -> list[Waiting]:
    return [
        each
        for each in seen.waiting
        if (each.bucket, each.key) == (photo.bucket, photo.key)
        and each.version in (photo.version or UNKNOWN_VERSION, photo.version)
    ]
