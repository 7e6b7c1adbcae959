"""What a replay would send through again, and what it leaves alone and why: pure functions over what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from contract.decisions import Outcome
from contract.photos import StoredObject
from operations.captures.period import Period
from operations.review.rows import Recorded

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

Source = Literal["execution", "dead letter"]
Left = Literal["review", "neither", "decided", "answered", "not told", "named twice", "unreadable"]
WHY_LEFT: Mapping[Left, str] = {
    "review": "for a person: the model was not sure, which is a decision and no fault",
    "neither": "strangers: the model saw none of the classes, which is a decision and no fault",
    "decided": "decided meanwhile: the first decision on a version stands",
    "answered": "answered by a person, whose answer stands",
    "not told": "accepted, and its event was not published: a person tells the driver",
    "named twice": "dead letters whose photo has an execution in the review queue",
    "unreadable": "name no photo, and are left for whoever can read them",
}
"""Why something is not sent through again."""
MOST_PLACES = 8
"""Folders that the counts tell apart; where there are more, they are told by the folder above."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A photo whose execution failed, or never began."""

    source: Source
    photo: StoredObject | None
    """None when the message names none."""
    error: str
    at: datetime
    """When the photo came before a person, or was uploaded."""
    last: str
    """ARN of its last execution; empty when it had none."""
    outcome: Outcome
    """How that one ended; a fault where there was none."""
    message: MessageTypeDef = field(compare=False, repr=False)

    @property
    def is_for_people(self) -> bool:
        """Whether it is the event of an execution that decided and could not tell a person: then a person is told."""
        return self.source == "dead letter" and self.outcome in ("review", "neither")


def matches(pattern: str, text: str) -> bool:
    """Whether a text is the pattern, or begins with it where the pattern ends with `*`."""
    return text == pattern or (pattern.endswith("*") and text.startswith(pattern[:-1]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody chose; without errors or keys, all of them."""

    period: Period
    errors: Sequence[str] = ()
    keys: Sequence[str] = ()

    def takes(self, each: Candidate) -> bool:
        """Whether this one is chosen. What names no photo has no key to be chosen by."""
        start, end = self.period.start, self.period.end
        key = each.photo.key if each.photo else None
        return (
            not (start and each.at < start)
            and not (end and each.at >= end)
            and (not self.errors or any(matches(error, each.error) for error in self.errors))
            and (not self.keys or key is None or any(matches(wanted, key) for wanted in self.keys))
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    replay: Sequence[Candidate]
    """Oldest first; each has a photo."""
    left: Mapping[Left, int]
    unreadable: Sequence[Candidate]
    obsolete: Sequence[Candidate]
    """Dead letters that are of no use any more: their photo is decided, answered, or has an execution."""


def plan(chosen: Sequence[Candidate], rows: Mapping[StoredObject, Recorded]) -> Plan:
    """Sort what was chosen.

    Args:
        chosen: what somebody chose.
        rows: what the decisions table holds of these photos.
    """
    left: Counter[Left] = Counter()
    replay: list[Candidate] = []
    unreadable: list[Candidate] = []
    obsolete: list[Candidate] = []
    with_execution = {each.photo for each in chosen if each.source == "execution"}
    for each in sorted(chosen, key=lambda one: one.at):
        why = _why_left(each, rows.get(each.photo) if each.photo else None)
        if why is None and each.source == "dead letter" and each.photo in with_execution:
            why = "named twice"
        if why is None:
            replay.append(each)
            continue
        left[why] += 1
        if why == "unreadable":
            unreadable.append(each)
        if each.source == "dead letter" and why in ("decided", "answered", "named twice"):
            obsolete.append(each)
    return Plan(replay, left, unreadable, obsolete)


def _why_left(each: Candidate, row: Recorded | None) -> Left | None:
    if each.photo is None:
        return "unreadable"
    if row and row.answered:
        return "answered"
    if each.is_for_people:
        return "decided" if row and row.is_accepted_by_another(each.last) else None
    if each.outcome in ("review", "neither"):
        return each.outcome
    if row is None:
        return None
    return "not told" if row.decision == "accepted" and row.execution == each.last else "decided"


@dataclass(frozen=True, slots=True)
class Counted:
    """So many photos of one error from one place."""

    error: str
    source: Source
    place: str
    """What their keys begin with."""
    photos: int


def counts(replay: Sequence[Candidate]) -> list[Counted]:
    """How many there are by error and by the beginning of the key, most first."""
    keys = [each.photo.key for each in replay if each.photo]
    depth = _depth(keys)
    found: Counter[tuple[str, Source, str]] = Counter(
        (each.error, each.source, _place(each.photo.key, depth)) for each in replay if each.photo
    )
    most_first = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return [Counted(error, source, place, photos) for (error, source, place), photos in most_first]


def _depth(keys: Sequence[str]) -> int:
    """How many folders the counts tell apart."""
    deepest = max((key.count("/") for key in keys), default=0)
    fitting = (depth for depth in range(deepest, 1, -1) if len({_place(key, depth) for key in keys}) <= MOST_PLACES)
    return next(fitting, 1)


def _place(key: str, depth: int) -> str:
    folders = key.split("/")[:-1][:depth]
    return "".join(f"{folder}/" for folder in folders)
